from __future__ import annotations

import os
from pathlib import Path

import pytest
from packyard.formats.workspace.lock import ToolchainPin
from packyard.tasks.errors import PlanError
from packyard.tasks.publish.committedlocks import (
    CommittedLock,
    compiler_locks,
    held_names,
    member_locks,
    misfits,
    site_locks,
    toolchain_pins,
)
from packyard.tasks.workspace.workspace import Workspace, read_workspace

MANIFEST = '[workspace]\nname = "w"\nmembers = ["*/*"]\n[toolchain]\nmojo = "1.0.0"\npython = "3.11"\n'
APP = """\
[build-system]
requires = ["flit_core>=3.11"]
build-backend = "flit_core.buildapi"
[project]
name = "{name}"
version = "1.0.0"
dependencies = ["click>=8.1"]
[project.scripts]
{name} = "{name}:main"
[tool.flavor.build]
pip = false
hook_requires = ["jinja2"]
"""
PYLOCK = 'lock-version = "1.0"\n[[packages]]\nname = "{name}"\nversion = "1.0"\n'


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An application, a Mojo member for another compiler, and a site."""
    for path, text in {
        "packyard.toml": MANIFEST + '[[docs]]\nname = "guide"\nversion = "1.0.0"\n',
        "apps/web/pyproject.toml": APP.format(name="web"),
        "mojo/nn/mojo.toml": '[project]\nname = "nn"\nversion = "0.1.0"\n[build]\nmojo = "1.2.0"\n',
        "mojo/nn/nn.mojo": "",
        "mkdocs.yml": "site_name: guide\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return read_workspace(tmp_path)


def asked(locks: list[CommittedLock]) -> dict[str, tuple[str, ...]]:
    return {lock.pin.path: lock.pin.requirements for lock in locks}


def test_locks_of_a_member_are_for_running_building_and_hooks(workspace: Workspace) -> None:
    assert asked(list(member_locks(workspace.members, workspace))) == {
        "apps/web/pylock.toml": ("click>=8.1",),
        "apps/web/pylock.build.toml": ("flit_core>=3.11",),
        "apps/web/pylock.hooks.toml": ("jinja2",),
    }


def test_locks_of_members_that_cannot_be_asked_for_are_refused_together(workspace: Workspace) -> None:
    old = APP.replace("[project]", '[project]\nrequires-python = ">=3.12"')
    for name in ("web", "api"):
        (workspace.root / "apps" / name).mkdir(exist_ok=True)
        (workspace.root / f"apps/{name}/pyproject.toml").write_text(old.format(name=name))
    again = read_workspace(workspace.root)
    with pytest.raises(PlanError) as caught:
        list(member_locks(again.members, again))
    assert [problem.place for problem in caught.value.problems] == [
        "apps/api/pyproject.toml",
        "apps/web/pyproject.toml",
    ]


def test_locks_of_compilers_have_names_of_their_own(workspace: Workspace) -> None:
    locks = compiler_locks(workspace)
    assert asked(list(locks.values())) == {
        "pylock.mojo.toml": ("mojo-compiler==1.0.0",),
        "pylock.mojo-1.2.0.toml": ("mojo-compiler==1.2.0",),
    }
    assert toolchain_pins(locks) == (
        ToolchainPin(mojo="1.0.0", lock="pylock.mojo.toml"),
        ToolchainPin(mojo="1.2.0", lock="pylock.mojo-1.2.0.toml"),
    )


def test_lock_that_is_missing_says_what_makes_it(workspace: Workspace) -> None:
    (web, *_) = member_locks(workspace.members, workspace)
    (site,) = site_locks(workspace)
    locks = [web, *compiler_locks(workspace).values(), site]
    assert [str(problem) for lock in locks for problem in misfits(lock, workspace)] == [
        "apps/web/pylock.toml: is missing\n  hint: run 'packyard lock web'",
        "pylock.mojo.toml: is missing\n  hint: run 'packyard lock'",
        "pylock.mojo-1.2.0.toml: is missing\n  hint: run 'packyard lock'",
        "pylock.docs.toml: is missing\n  hint: run 'packyard lock'",
    ]


def test_names_that_locks_hold_are_known_when_all_can_be_read(workspace: Workspace) -> None:
    locks = list(member_locks(workspace.members, workspace))
    for lock, name in zip(locks, ("click", "flit-core", "jinja2"), strict=True):
        (workspace.root / lock.pin.path).write_text(PYLOCK.format(name=name))
    (workspace.root / "packyard.lock").write_text('[[morloc]]\nname = "root"\nversion = "0.7.0"\nsource = "default"\n')
    assert held_names(locks, read_workspace(workspace.root)) == {"click", "flit-core", "jinja2", "root"}
    os.unlink(workspace.root / locks[1].pin.path)
    assert held_names(locks, workspace) is None
