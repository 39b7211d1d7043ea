from __future__ import annotations

import sys
from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.tasks.engine.build.opening import open_workspace
from packyard.tasks.host.machine import host_platform
from packyard.tasks.kinds import TABLE
from packyard.tasks.kinds.interpreter import choice
from packyard.tasks.workspace.memo import ABSENT, PACKED_STAT
from packyard.tasks.workspace.workspace import Workspace, read_workspace

APP = (
    '[project]\nname = "app"\nversion = "1"\n{project}\n[project.scripts]\napp = "app:main"\n[tool.flavor]\n{flavor}\n'
)


def workspace(root: Path, *, project: str = "", flavor: str = "", toolchain: str = "", lock: str = "") -> Workspace:
    (root / "app").mkdir(exist_ok=True)
    (root / "app/pyproject.toml").write_text(APP.format(project=project, flavor=flavor))
    (root / "packyard.toml").write_text(f'[workspace]\nname = "w"\nmembers = ["app"]\n[toolchain]\n{toolchain}\n')
    if lock:
        (root / "packyard.lock").write_text(lock)
    return read_workspace(root)


def prefix(root: Path, version: str, *, program: bytes = b"\x7fELF") -> Path:
    (root / "bin").mkdir(parents=True)
    (root / "bin" / f"python{version}").write_bytes(program)
    (root / "lib" / f"python{version}").mkdir(parents=True)
    (root / "lib" / f"python{version}" / "os.py").touch()
    return root


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with no Python but the one that runs."""
    for name in ("UV_PYTHON_INSTALL_DIR", "PYENV_ROOT"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("PATH", "")
    (tmp_path / "ws").mkdir()
    return tmp_path / "ws"


@pytest.mark.parametrize(
    ("flavor", "toolchain", "expected"),
    [
        ("", "", choice.RUNNING),
        ("", 'python = "3.10"', "3.10"),
        ('python_version = "3.9"', 'python = "3.10"', "3.9"),
    ],
)
def test_version_own_choice_then_workspace_then_running(
    nowhere: Path, flavor: str, toolchain: str, expected: str
) -> None:
    space = workspace(nowhere, flavor=flavor, toolchain=toolchain)
    assert choice.version(space.members[0], space) == expected
    assert choice.target_name(space.members[0], space) == f"runtime:cpython-{expected}-{space.platform}"


def test_version_that_requires_python_refuses_is_an_error(nowhere: Path) -> None:
    space = workspace(nowhere, project='requires-python = ">=3.12"', flavor='python_version = "3.11"')
    with pytest.raises(FormatError) as error:
        choice.version(space.members[0], space)
    assert str(error.value) == (
        "app/pyproject.toml: project.requires-python: '>=3.12' does not allow Python 3.11, which the bundle would "
        "carry\n"
        "  hint: choose another one: tool.flavor.python_version in app/pyproject.toml, or toolchain.python in "
        "packyard.toml"
    )


def test_find_running_version_is_the_base_of_this_one(nowhere: Path) -> None:
    found = choice.find(choice.RUNNING, workspace(nowhere))
    assert (found.kind, found.place) == ("folder", sys.base_prefix)
    assert found.program == f"{sys.base_prefix}/bin/python{choice.RUNNING}"


def test_find_order_is_pin_then_uv_then_local(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    managed = nowhere.parent / "UV_PYTHON_INSTALL_DIR"
    prefix(managed / "cpython-3.9.2-linux-x86_64-gnu", "3.9")
    newest = prefix(managed / "cpython-3.9.18-linux-x86_64-gnu", "3.9")
    prefix(nowhere.parent / "PYENV_ROOT/versions/3.9.20", "3.9")
    assert choice.find("3.9", workspace(nowhere)).place == str(newest)
    pinned = prefix(nowhere / "python", "3.9")
    lock = '[[interpreter]]\nversion = "3.9"\nplatform = "{}"\nfolder = "python"\n'
    space = workspace(nowhere)
    assert choice.find("3.9", workspace(nowhere, lock=lock.format(space.platform))).place == str(pinned)


def test_find_shim_on_path_is_passed_over(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shims = nowhere.parent / "shims/bin"
    shims.mkdir(parents=True)
    (shims / "python3.9").write_text("#!/bin/sh\n")
    real = prefix(nowhere.parent / "real", "3.9")
    monkeypatch.setenv("PATH", f"{shims}:{real}/bin")
    assert choice.find("3.9", workspace(nowhere)).place == str(real)


def test_find_archive_has_a_digest_and_no_program(nowhere: Path) -> None:
    sha = "ab" * 32
    lock = f'[[interpreter]]\nversion = "3.9"\nplatform = "linux_arm64"\nurl = "https://x/p.tar.gz"\nsha256 = "{sha}"\n'
    found = choice.find("3.9", workspace(nowhere, lock=lock), "linux_arm64")
    assert (found.kind, found.place, found.sha256, found.program) == ("url", "https://x/p.tar.gz", sha, "")
    assert found.target == "runtime:cpython-3.9-linux_arm64"


def test_find_missing_version_says_what_to_do(nowhere: Path) -> None:
    space = workspace(nowhere)
    with pytest.raises(FormatError) as error:
        choice.find("3.9", space)
    assert str(error.value) == (
        f"packyard.toml: toolchain.python: no Python 3.9 for {space.platform} found on this machine\n"
        f"  hint: 'uv python install 3.9', or choose {choice.RUNNING}, which runs Packyard; 'packyard lock "
        "--interpreter ARCHIVE' pins one in packyard.lock"
    )


def test_find_for_another_platform_hints_at_what_can_be_pinned(nowhere: Path) -> None:
    with pytest.raises(FormatError) as error:
        choice.find("3.9", workspace(nowhere), "windows_amd64")
    assert str(error.value) == (
        "packyard.toml: toolchain.python: no Python 3.9 for windows_amd64 found on this machine\n"
        "  hint: 'packyard lock --interpreter ARCHIVE' pins one in packyard.lock"
    )


def test_search_is_watched_up_to_what_it_found(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = prefix(nowhere.parent / "PYENV_ROOT/versions/3.9.20", "3.9")
    space = workspace(nowhere)
    assert choice.find("3.9", space).place == str(found)
    managed = str(nowhere.parent / "UV_PYTHON_INSTALL_DIR")
    assert PACKED_STAT.unpack(space.watch.seen[managed]) == ABSENT
    assert {str(found.parent), f"{found}/bin/python3.9"} <= set(space.watch.seen)
    assert space.watch.variables == {"HOME", "XDG_DATA_HOME", "UV_PYTHON_INSTALL_DIR", "PYENV_ROOT"}


def test_python_that_comes_to_an_earlier_place_is_seen_by_the_stored_graph(nowhere: Path) -> None:
    program = Path(sys.base_prefix, "bin", f"python{choice.RUNNING}")
    prefix(nowhere.parent / "PYENV_ROOT/versions/3.9.2", "3.9", program=program.read_bytes())
    workspace(nowhere, toolchain='python = "3.9"')
    (nowhere / "app/app.py").write_text("def main(): pass\n")

    def taken() -> str:
        opened = open_workspace(nowhere, TABLE)
        opened.keep_graph()
        opened.trace.close()
        return str(opened.graph.targets[f"runtime:cpython-3.9-{host_platform()}"].params["prefix"])

    assert taken() == taken() == str(nowhere.parent / "PYENV_ROOT/versions/3.9.2")
    newer = prefix(
        nowhere.parent / "UV_PYTHON_INSTALL_DIR/cpython-3.9.18-linux-x86_64-gnu", "3.9", program=program.read_bytes()
    )
    assert taken() == str(newer)
