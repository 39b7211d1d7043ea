from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.python.packyardtable import PackyardTable, read_artifacts
from packyard.formats.python.pyproject import read_project

HEAD = '[project]\nname = "a"\nversion = "1"\n'


def test_read_include_in_normal_form() -> None:
    text = HEAD + '[tool.packyard]\ninclude = ["./gen//x.py", "models/"]\n'
    assert read_project(text, "p").packyard == PackyardTable(include=("gen/x.py", "models"))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("[tool.packyard]\nincludes = []\n", "tool.packyard.includes: unknown key\n  hint: did you mean 'include'?"),
        ('[tool.packyard]\ninclude = "x"\n', "tool.packyard.include: 'x' is a string; expected a list"),
        (
            '[tool.packyard]\ninclude = ["../x"]\n',
            "tool.packyard.include[0]: '../x' leaves its folder through '..'; expected a path inside",
        ),
        (
            '[tool.packyard]\ninclude = ["."]\n',
            "tool.packyard.include[0]: '.' is the member itself; expected files or folders in it",
        ),
        ("[tool.packjard]\ninclude = []\n", "tool.packjard: unknown key\n  hint: did you mean 'packyard'?"),
    ],
)
def test_read_refuses(table: str, message: str) -> None:
    with pytest.raises(FormatError) as error:
        read_project(HEAD + table, "p")
    assert str(error.value) == f"p: {message}"


def test_read_artifacts_of_backends_that_have_them() -> None:
    hatch = {
        "build": {
            "artifacts": ["*.so", 3, "two\nlines"],
            "force-include": {"./gen/x": "y"},
            "targets": {"wheel": {"artifacts": ["/a"], "force-include": {"../beside": "z"}}},
        }
    }
    poetry = {"include": ["a/*.bin", {"path": "b", "format": "wheel"}, {"format": "sdist"}]}
    lines = ("*.so", "/gen/x", "/a", "/../beside", "/a/*.bin", "/b")
    assert read_artifacts({"tool": {"hatch": hatch, "poetry": poetry}}) == lines
    assert read_artifacts({"tool": {"hatch": {"build": 1}, "poetry": {"include": "x"}}}) == read_artifacts({}) == ()
