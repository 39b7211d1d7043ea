from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.workspace.manifest import ToolchainSpec, WorkspaceManifest
from packyard.tasks.errors import ActionError, PlanError
from packyard.tasks.index.pin import Pin
from packyard.tasks.kinds.mojo.compiler import Compiler
from packyard.tasks.kinds.mojo.make_toolchain import PresentParams, ToolchainParams, make_present, make_toolchain
from packyard.tasks.kinds.mojo.toolchain import targets
from packyard.tasks.target.params import read_params
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Output, Source, Target
from packyard.tasks.workspace.watch import Watch
from packyard.tasks.workspace.workspace import Workspace, workspace_lock

from tests.tasks.kinds.mojo.mojofile import IDENTITY, package_bytes, write_compiler


def workspace(root: Path, version: str, where: str = "") -> Workspace:
    manifest = WorkspaceManifest(name="shop", toolchain=ToolchainSpec(mojo=version, mojo_from=where))
    watch = Watch(root)
    return Workspace(
        root=root, watch=watch, manifest=manifest, members=(), platform="linux_amd64", lock=workspace_lock(watch)
    )


def test_toolchain_of_workspace_without_mojo_is_none(tmp_path: Path) -> None:
    assert list(targets(workspace(tmp_path, ""))) == []


def test_toolchain_of_version_is_made_from_its_lock(tmp_path: Path) -> None:
    lock = ".packyard/locks/toolchain-mojo-1.0.0.pylock.toml"
    assert list(targets(workspace(tmp_path, "1.0.0"))) == [
        Target(
            name="toolchain:mojo-1.0.0",
            doc="the Mojo 1.0.0 compiler",
            place="packyard.toml",
            run="packyard.tasks.kinds.mojo.make_toolchain:make_toolchain",
            params={"version": "1.0.0", "platform": "linux_amd64"},
            sources=(Source(path=lock, at="pylock.toml"),),
            outputs=(Output(at="toolchain", tree=True),),
            prepares=(
                Pin(
                    path=lock,
                    requirements=("mojo-compiler==1.0.0",),
                    python="3.11",
                    platform="linux_amd64",
                    absent="packyard.lock",
                ).prepare,
            ),
            network=True,
            resource="io",
        )
    ]


LOCK = """lock-version = "1.0"
[[packages]]
name = "mojo-compiler"
version = "1.0.0"
[[packages.wheels]]
url = "https://index.test/mojo_compiler-1.0.0-py3-none-any.whl"
hashes = { sha256 = "%s" }
""" % ("0" * 64)


def test_toolchain_of_version_that_the_workspace_pins_is_made_from_that_lock(tmp_path: Path) -> None:
    (tmp_path / "packyard.lock").write_text('[[toolchain]]\nmojo = "1.0.0"\nlock = "pylock.mojo.toml"\n')
    (tmp_path / "pylock.mojo.toml").write_text(LOCK)
    (target,) = targets(workspace(tmp_path, "1.0.0"))
    assert target.sources == (Source(path="pylock.mojo.toml", at="pylock.toml"),)
    (target,) = targets(workspace(tmp_path, "1.2.0"))
    assert target.sources[0].path == ".packyard/locks/toolchain-mojo-1.2.0.pylock.toml"


def test_toolchain_pinned_to_the_lock_of_another_is_refused(tmp_path: Path) -> None:
    (tmp_path / "packyard.lock").write_text('[[toolchain]]\nmojo = "1.2.0"\nlock = "pylock.mojo.toml"\n')
    (tmp_path / "pylock.mojo.toml").write_text(LOCK)
    with pytest.raises(PlanError) as caught:
        list(targets(workspace(tmp_path, "1.2.0")))
    assert str(caught.value).startswith("pylock.mojo.toml: is not the lock of mojo-compiler==1.2.0: ")
    (tmp_path / "pylock.mojo.toml").unlink()
    with pytest.raises(FormatError) as missing:
        list(targets(workspace(tmp_path, "1.2.0")))
    assert str(missing.value) == "pylock.mojo.toml: cannot be read: No such file or directory"


def test_toolchain_from_lock_without_hashes_is_refused(tmp_path: Path) -> None:
    room = Room(
        inputs=tmp_path / "in", outputs=tmp_path / "out", scratch=tmp_path / "tmp", home=tmp_path / "home",
        params=ToolchainParams(version="1.0.0", platform="linux_amd64"), log=tmp_path / "log",
    )  # fmt: skip
    for folder in (room.inputs, room.outputs, room.scratch, room.home):
        folder.mkdir()
    (room.inputs / "pylock.toml").write_text(
        'lock-version = "1.0"\ncreated-by = "hand"\n[[packages]]\nname = "mojo-compiler"\nversion = "1.0.0"\n'
        '[[packages.wheels]]\nname = "mojo_compiler-1.0.0-py3-none-any.whl"\n'
        'path = "mojo_compiler-1.0.0-py3-none-any.whl"\nhashes = {}\n'
    )
    with pytest.raises(ActionError) as caught:
        make_toolchain(room)
    assert caught.value.message == "the compiler cannot be installed: 'uv' ended with status 2"
    assert "hash" in caught.value.detail


@pytest.mark.real
@pytest.mark.long
@pytest.mark.parametrize("version", ["1.0.0", "0.26.2.0", "1.2.0"])
def test_toolchain_tree_works_from_any_folder_without_python(
    compiler_tree: Callable[[str], Path], tmp_path: Path, version: str
) -> None:
    link = tmp_path / "elsewhere"
    link.symlink_to(compiler_tree(version))
    compiler = Compiler(version, link)
    environment = {"PATH": os.devnull, "HOME": os.fspath(tmp_path), **compiler.environment()}
    said = subprocess.run(
        [compiler.program, "--version"], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert version.removesuffix(".0") in said.stdout
    assert version.startswith(compiler.library().version)


# a compiler that is there ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["envs/conda", "PATH", "absolute"])
def test_toolchain_that_is_there_is_called_where_it_stands(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = write_compiler(tmp_path / "envs/conda")
    monkeypatch.setenv("PATH", f"{prefix}/bin")
    space = workspace(tmp_path, "1.0.0", os.fspath(prefix) if where == "absolute" else where)
    (target,) = targets(space)
    assert target.params == {
        "version": "1.0.0",
        "said_by": "packyard.toml",
        "program": f"{prefix}/bin/mojo",
        "environment": Compiler("1.0.0", prefix).environment(),
    }
    assert target.sources == (Source(path=f"{prefix}/lib/mojo/std.mojopkg", at="lib/mojo/std.mojopkg"),)
    assert not target.network
    assert f"{prefix}/lib/mojo/std.mojopkg" in space.watch.seen


def present(root: Path, said: str) -> Path:
    """The tree made for a compiler whose program says this and shows what it gets."""
    prefix = write_compiler(root / "an env")
    (prefix / "bin/mojo").write_text(f'#!/bin/sh\necho "{said}"\necho "$MODULAR_MOJO_MAX_PACKAGE_ROOT" "$@"\n')
    (target,) = targets(workspace(root, "1.0.0", "an env"))
    room = Room(
        inputs=root / "in", outputs=root / "out", scratch=root / "tmp", home=root / "h",
        params=read_params(PresentParams, target.params), log=root / "log",
    )  # fmt: skip
    for folder in (room.inputs / "lib/mojo", room.outputs, room.scratch, room.home):
        folder.mkdir(parents=True)
    (room.inputs / "lib/mojo/std.mojopkg").write_bytes(package_bytes("std"))
    make_present(room)
    return room.outputs / "toolchain"


def test_toolchain_that_is_there_is_a_tree_like_any_other(tmp_path: Path) -> None:
    compiler = Compiler("1.0.0", present(tmp_path, "Mojo 1.0.0 (ed45d567)"))
    assert compiler.library().identity == IDENTITY
    env = {"PATH": "/usr/bin:/bin", **compiler.environment()}
    said = subprocess.run([compiler.program, "run", "a b"], env=env, capture_output=True, text=True, check=True).stdout
    assert said == f"Mojo 1.0.0 (ed45d567)\n{tmp_path}/an env run a b\n"


def test_toolchain_that_is_there_in_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ActionError) as failed:
        present(tmp_path, "Mojo 1.1.0 (ed45d567)")
    assert str(failed.value) == f"{tmp_path}/an env/bin/mojo: is Mojo 1.1.0, but packyard.toml says 1.0.0"
    with pytest.raises(PlanError) as caught:
        list(targets(workspace(tmp_path, "1.2.0", "an env")))
    assert str(caught.value) == (
        "packyard.toml: toolchain.mojo_from: 'an env' has Mojo 1.0.0, but toolchain.mojo is 1.2.0"
    )


def test_toolchain_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    for where, message in (
        ("PATH", "there is no 'mojo' on PATH"),
        ("env", f"{tmp_path}/env: no Mojo compiler found there"),
    ):
        with pytest.raises(PlanError) as caught:
            list(targets(workspace(tmp_path, "1.0.0", where)))
        assert str(caught.value).startswith(f"packyard.toml: toolchain.mojo_from: {message}")
