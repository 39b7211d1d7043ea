from __future__ import annotations

from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.tasks.kinds.python.beside import beside_sources
from packyard.tasks.workspace.workspace import read_workspace

HEAD = '[project]\nname = "h"\nversion = "1.0"\n'
FORCE = '[tool.hatch.build.targets.wheel.force-include]\n"../../shared/data" = "h/data"\n'

FIND = '[tool.setuptools.packages.find]\nwhere = [".", "../../shared"]\n'
POETRY = '[tool.poetry]\npackages = [{ include = "data", from = "../../shared" }]\n'
MATURIN = '[tool.maturin]\nmanifest-path = "./../../shared/README.md"\n'


def sources(root: Path, more: str) -> list[str]:
    for path in ("shared/data/a.txt", "shared/data/deep/b.txt", "shared/data/b.log", "shared/README.md", "libs/h/h.py"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("")
    (root / ".gitignore").write_text("*.log\n")
    (root / "packyard.toml").write_text('[workspace]\nname = "w"\nmembers = ["libs/*"]\n')
    (root / "libs/h/pyproject.toml").write_text(HEAD + more)
    space = read_workspace(root)
    return beside_sources(space.members[0], space)


@pytest.mark.parametrize(
    ("inputs", "found"),
    [
        ("../../shared/data", ["shared/data/a.txt", "shared/data/deep/b.txt"]),
        ("./../../shared//*/*.txt", ["shared/data/a.txt"]),
        ("../../shared/data/b.log", ["shared/data/b.log"]),
        ("..", []),
    ],
)
def test_inputs_are_what_lies_beside_the_member(tmp_path: Path, inputs: str, found: list[str]) -> None:
    assert sources(tmp_path, f'[tool.packyard]\ninputs = ["{inputs}"]\n') == found


def test_inputs_that_are_declared_may_be_named_to_a_backend(tmp_path: Path) -> None:
    found = ["shared/data/a.txt", "shared/data/deep/b.txt"]
    assert sources(tmp_path, f'{FORCE}[tool.packyard]\ninputs = ["../../shared/data"]\n') == found


@pytest.mark.parametrize(
    ("more", "key", "text"),
    [
        (FORCE, "tool.hatch.build.targets.wheel.force-include", "../../shared/data"),
        ('[tool.setuptools.package-dir]\n"" = "../../shared"\n', 'tool.setuptools.package-dir.""', "../../shared"),
        (FIND, "tool.setuptools.packages.find.where[1]", "../../shared"),
        (POETRY, "tool.poetry.packages[0].from", "../../shared"),
        (MATURIN, "tool.maturin.manifest-path", "./../../shared/README.md"),
        ('[tool.pdm.build]\nincludes = ["../../shared/*.md"]\n', "tool.pdm.build.includes[0]", "../../shared/*.md"),
    ],
)  # fmt: skip
def test_file_beside_the_member_that_is_not_declared_is_named(tmp_path: Path, more: str, key: str, text: str) -> None:
    with pytest.raises(FormatError) as error:
        sources(tmp_path, more)
    assert str(error.value) == (
        f"libs/h/pyproject.toml: {key}: {text!r} lies outside of the member and is not declared, so its wheel cannot "
        f'be made from it\n  hint: add inputs = ["{text.removeprefix("./")}"] to [tool.packyard]'
    )


def test_readme_beside_the_member_is_named_too(tmp_path: Path) -> None:
    with pytest.raises(FormatError) as error:
        sources(tmp_path, 'readme = "../../shared/README.md"\n')
    assert str(error.value).startswith("libs/h/pyproject.toml: project.readme: '../../shared/README.md' lies outside")


@pytest.mark.parametrize(
    "more",
    [
        '[tool.hatch.version.raw-options]\nroot = "../.."\n',
        "[tool.poetry]\npackages = []\n",
        '[tool.flit]\nx = "../none"\n',
    ],
)
def test_what_is_no_file_for_a_backend_is_no_concern(tmp_path: Path, more: str) -> None:
    assert sources(tmp_path, more) == []


def test_inputs_that_match_nothing_or_leave_the_workspace_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError) as error:
        sources(tmp_path, '[tool.packyard]\ninputs = ["../none", "../../../x", "../../shared/*/b.*g"]\n')
    place = "libs/h/pyproject.toml: tool.packyard.inputs"
    assert str(error.value) == (
        f"{place}[0]: '../none' matches no file\n"
        f"{place}[1]: '../../../x' leaves the workspace; expected a path inside\n"
        f"{place}[2]: '../../shared/*/b.*g' matches no file\n"
        "  hint: git ignores shared/data/b.log; name it without a wildcard, or in include of [tool.packyard]"
    )


@pytest.mark.parametrize("text", ["src", ".", "a/../b", "/x"])
def test_inputs_inside_the_member_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(FormatError) as error:
        sources(tmp_path, f'[tool.packyard]\ninputs = ["{text}"]\n')
    assert str(error.value) == (
        f"libs/h/pyproject.toml: tool.packyard.inputs[0]: {text!r} is not beside the member; expected a path that "
        "begins with '../'"
    )
