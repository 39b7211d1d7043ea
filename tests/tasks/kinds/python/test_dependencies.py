from __future__ import annotations

from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.tasks.kinds.python.dependencies import Dependencies, dependencies
from packyard.tasks.workspace.workspace import read_workspace

MEMBERS = {
    "app": 'dependencies = ["my-lib[fast]>=1", "click>=8", "old; python_version < \'3\'"]\n'
    '[project.scripts]\napp = "app:main"\n[tool.flavor.build]\nextra_packages = ["rich"]\ndependencies = ["../tool"]\n',
    "lib": 'dependencies = ["base", "click>=7"]\n[project.optional-dependencies]\nfast = ["uvloop"]\nslow = ["x"]\n',
    "base": 'dependencies = ["attrs"]\n',
    "tool": 'dependencies = ["my_lib"]\n',
    "old": "",
}
NAMES = {"lib": "My_Lib"}


def found(root: Path, **changed: str) -> Dependencies:
    (root / "packyard.toml").write_text('[workspace]\nname = "w"\nmembers = ["*"]\n')
    for folder, text in {**MEMBERS, **changed}.items():
        (root / folder).mkdir()
        head = f'[project]\nname = "{NAMES.get(folder, folder)}"\nversion = "1.0"\n'
        (root / folder / "pyproject.toml").write_text(head + text)
    space = read_workspace(root)
    return dependencies(next(member for member in space.members if member.name == "app"), space)


def test_dependencies_members_transitively_and_requirements_of_all(tmp_path: Path) -> None:
    assert found(tmp_path) == Dependencies(
        members=("My_Lib", "base", "tool"),
        requirements=("attrs", "click>=7", "click>=8", "pip", "rich", "uvloop"),
    )


def test_dependencies_cycle_between_members_ends(tmp_path: Path) -> None:
    assert found(tmp_path, base='dependencies = ["my-lib", "app"]\n').members == ("My_Lib", "base", "tool")


def test_dependencies_version_that_does_not_fit_and_unknown_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(FormatError) as error:
        found(
            tmp_path, base='dependencies = ["my-lib>=2"]\n', tool="", app=MEMBERS["app"].replace("../tool", "../gone")
        )
    assert str(error.value) == (
        "app/pyproject.toml: tool.flavor.build.dependencies[0]: '../gone' is not a member of the workspace\n"
        "  hint: list its folder in workspace.members\n"
        "base/pyproject.toml: project.dependencies[0]: 'my-lib>=2' does not fit 'My_Lib' 1.0, a member of this "
        "workspace\n"
        "  hint: its version is in lib/pyproject.toml"
    )


def test_dependencies_with_a_marker_are_those_of_the_platforms_of_the_bundles(tmp_path: Path) -> None:
    app = (
        "dependencies = [\"tool; sys_platform == 'win32'\", \"base; sys_platform != 'win32'\"]\n"
        '[project.scripts]\napp = "app:main"\n[tool.flavor]\nplatforms = ["linux_amd64", "windows_amd64"]\n'
        "[tool.flavor.build]\npip = false\n"
    )
    assert found(tmp_path, app=app, tool="") == Dependencies(members=("base", "tool"), requirements=("attrs",))
    space = read_workspace(tmp_path)
    one = next(member for member in space.members if member.name == "app")
    assert dependencies(one, space, "windows_amd64") == Dependencies(members=("tool",), requirements=())
    assert dependencies(one, space, "linux_amd64").members == ("base",)
