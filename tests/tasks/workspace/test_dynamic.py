from __future__ import annotations

from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.tasks.workspace.workspace import Member, read_workspace

BUILD = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
FILES = """\
[tool.setuptools.dynamic]
dependencies = { file = ["a.in", "deep/b.in"] }
optional-dependencies = { x = { file = "x.in" } }
"""


def member(root: Path, dynamic: str, build: str = BUILD, files: str = FILES) -> Member:
    for path, text in {
        "packyard.toml": '[workspace]\nname = "w"\nmembers = ["a"]\n',
        "a/pyproject.toml": f'{build}[project]\nname = "a"\nversion = "1"\ndynamic = [{dynamic}]\n{files}',
        "a/a.in": "click\n",
        "a/deep/b.in": "rich\n",
        "a/x.in": "attrs\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return read_workspace(root).members[0]


@pytest.mark.parametrize(
    ("dynamic", "build", "dependencies", "extras"),
    [
        ('"dependencies", "optional-dependencies"', BUILD, ("click", "rich"), {"x": ("attrs",)}),
        ('"dependencies"', BUILD, ("click", "rich"), {}),
        ("", BUILD, (), {}),
        ('"dependencies"', BUILD.replace("setuptools", "hatchling"), (), {}),
    ],
)
def test_dependencies_in_files_are_those_of_the_manifest(
    tmp_path: Path, dynamic: str, build: str, dependencies: tuple[str, ...], extras: dict[str, tuple[str, ...]]
) -> None:
    project = member(tmp_path, dynamic, build).project
    assert project is not None
    assert (project.dependencies, project.optional_dependencies) == (dependencies, extras)


def test_files_that_cannot_be_read_are_all_named(tmp_path: Path) -> None:
    files = '[tool.setuptools.dynamic]\ndependencies = { file = ["../x.in", "gone.in", "bad.in"] }\n'
    (tmp_path / "a").mkdir()
    (tmp_path / "a/bad.in").write_text("-r a.in\n")
    with pytest.raises(FormatError) as error:
        member(tmp_path, '"dependencies"', files=files)
    assert [(problem.place, problem.key) for problem in error.value.problems] == [
        ("a/pyproject.toml", "tool.setuptools.dynamic.dependencies.file"),
        ("a/gone.in", ""),
        ("a/bad.in:1", ""),
    ]
