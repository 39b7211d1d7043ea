from __future__ import annotations

from pathlib import Path

import pytest
from packyard.formats.workspace.lock import ToolchainPin, WorkspaceLock
from packyard.tasks.errors import PlanError
from packyard.tasks.workspace.workspace import read_workspace

MOJO = '[project]\nname = "{name}"\nversion = "0.1.0"\n'
PROJECT = '[project]\nname = "{name}"\nversion = "0.1.0"\n'
MORLOC = "name: {name}\nversion: 0.1.0\n"


@pytest.fixture
def write(tmp_path: Path):
    def write(path: str, text: str) -> None:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    write("packyard.toml", '[workspace]\nname = "w"\nmembers = ["apps/*", "mojo/*"]\n')
    write("apps/hello/pyproject.toml", PROJECT.format(name="hello"))
    write("mojo/tensor/mojo.toml", MOJO.format(name="tensor"))
    return write


def problems(root: Path) -> str:
    with pytest.raises(PlanError) as caught:
        read_workspace(root)
    return str(caught.value)


def test_members_are_found_by_their_manifests(write, tmp_path):
    write("apps/hello/mojo.toml", MOJO.format(name="hello"))
    write("apps/data/package.yaml", MORLOC.format(name="data"))
    members = read_workspace(tmp_path).members
    assert [(member.name, member.folder) for member in members] == [
        ("data", "apps/data"),
        ("hello", "apps/hello"),
        ("tensor", "mojo/tensor"),
    ]
    assert [(bool(m.project), bool(m.mojo), bool(m.morloc)) for m in members] == [
        (False, False, True),
        (True, True, False),
        (False, True, False),
    ]
    assert members[1].path("src/x") == "apps/hello/src/x"


def test_member_found_by_two_patterns_is_one(write, tmp_path):
    write("packyard.toml", '[workspace]\nname = "w"\nmembers = ["apps/*", "apps/hello", "*/tensor"]\n')
    assert [member.name for member in read_workspace(tmp_path).members] == ["hello", "tensor"]


def test_root_may_be_a_member(write, tmp_path):
    write("packyard.toml", '[workspace]\nname = "w"\nmembers = ["."]\n')
    write("mojo.toml", MOJO.format(name="whole"))
    member = read_workspace(tmp_path).members[0]
    assert (member.name, member.folder, member.path("x")) == ("whole", "", "x")


def test_everything_read_is_watched(write, tmp_path):
    assert {"packyard.toml", "", "apps", "apps/hello", "apps/hello/pyproject.toml"} <= set(
        read_workspace(tmp_path).watch.seen
    )


def test_member_folder_without_manifest_is_said(write, tmp_path):
    write("apps/empty/readme.md", "")
    assert problems(tmp_path) == (
        "apps/empty: is a member without a manifest; expected one of mojo.toml, pyproject.toml, package.yaml\n"
        "  hint: add one, or remove the folder from workspace.members in packyard.toml"
    )


def test_two_members_of_one_name_are_said(write, tmp_path):
    write("mojo/other/mojo.toml", MOJO.format(name="hello"))
    assert problems(tmp_path) == "mojo/other: 'hello' is the name of two members; the other is 'apps/hello'"


def test_manifests_that_disagree_are_said(write, tmp_path):
    write("apps/hello/mojo.toml", MOJO.format(name="other"))
    assert problems(tmp_path) == (
        "apps/hello: one folder is one member, but its manifests disagree: "
        "'other' in apps/hello/mojo.toml, 'hello' in apps/hello/pyproject.toml"
    )


def test_pattern_that_matches_nothing_is_said(write, tmp_path):
    write("packyard.toml", '[workspace]\nname = "w"\nmembers = ["apps/*", "libs/*", "tools/x"]\n')
    assert problems(tmp_path) == (
        "packyard.toml: workspace.members[1]: 'libs/*' matches no folder\n"
        "packyard.toml: workspace.members[2]: 'tools/x' matches no folder"
    )


def test_problems_of_all_members_are_said_at_once(write, tmp_path):
    write("packyard.toml", '[workspace]\nname = "w"\nmembers = ["apps/*", "mojo/*", "none"]\n')
    write("apps/empty/x", "")
    write("mojo/tensor/mojo.toml", "[project]\nname = 1\n")
    message = problems(tmp_path)
    assert "workspace.members[2]: 'none' matches no folder" in message
    assert "apps/empty: is a member without a manifest" in message
    assert "mojo/tensor/mojo.toml: project.name: " in message


def test_lock_is_read_with_the_manifests_and_its_problems_are_said_with_theirs(write, tmp_path):
    assert read_workspace(tmp_path).lock == WorkspaceLock()
    write("packyard.lock", '[[toolchain]]\nmojo = "1.0.0"\nlock = "pylock.mojo.toml"\n')
    workspace = read_workspace(tmp_path)
    assert workspace.lock.toolchains == (ToolchainPin(mojo="1.0.0", lock="pylock.mojo.toml"),)
    assert "packyard.lock" in workspace.watch.seen
    write("packyard.lock", "[[toolchian]]\n")
    write("apps/empty/x", "")
    assert problems(tmp_path) == (
        "packyard.lock: toolchian: unknown key\n"
        "  hint: did you mean 'toolchain'?\n"
        "apps/empty: is a member without a manifest; expected one of mojo.toml, pyproject.toml, package.yaml\n"
        "  hint: add one, or remove the folder from workspace.members in packyard.toml"
    )


def test_epoch_comes_from_the_environment(write, tmp_path, monkeypatch):
    assert read_workspace(tmp_path).epoch == 0
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert read_workspace(tmp_path).epoch == 1_700_000_000
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "soon")
    assert problems(tmp_path) == "SOURCE_DATE_EPOCH: 'soon' is not a time in whole seconds since 1970"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000000")  # milliseconds
    assert problems(tmp_path) == (
        "SOURCE_DATE_EPOCH: '1700000000000' is after 2107, the last year that a zip can hold; expected seconds "
        "since 1970"
    )
