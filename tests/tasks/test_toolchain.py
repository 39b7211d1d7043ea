from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from packyard.formats.workspace import ToolchainSpec, WorkspaceManifest
from packyard.tasks.compiler import Compiler
from packyard.tasks.errors import ActionError
from packyard.tasks.room import Room
from packyard.tasks.target import Output, Pin, Source, Target
from packyard.tasks.toolchain import make_toolchain, targets
from packyard.tasks.watch import Watch
from packyard.tasks.workspace import Workspace


def workspace(root: Path, version: str) -> Workspace:
    manifest = WorkspaceManifest(name="shop", toolchain=ToolchainSpec(mojo=version))
    return Workspace(root=root, watch=Watch(root), manifest=manifest, members=(), platform="linux_amd64")


def test_toolchain_of_workspace_without_mojo_is_none(tmp_path: Path) -> None:
    assert list(targets(workspace(tmp_path, ""))) == []


def test_toolchain_of_version_is_made_from_its_lock(tmp_path: Path) -> None:
    lock = ".packyard/locks/toolchain-mojo-1.0.0.pylock.toml"
    assert list(targets(workspace(tmp_path, "1.0.0"))) == [
        Target(
            name="toolchain:mojo-1.0.0",
            doc="the Mojo 1.0.0 compiler",
            place="packyard.toml",
            run="packyard.tasks.toolchain:make_toolchain",
            params={"version": "1.0.0", "platform": "linux_amd64"},
            sources=(Source(path=lock, at="pylock.toml"),),
            outputs=(Output(at="toolchain", tree=True),),
            pins=(
                Pin(
                    path=lock,
                    requirements=("mojo-compiler==1.0.0",),
                    python=f"{sys.version_info.major}.{sys.version_info.minor}",
                    platform="linux_amd64",
                ),
            ),
            network=True,
            resource="io",
        )
    ]


def test_toolchain_from_lock_without_hashes_is_refused(tmp_path: Path) -> None:
    room = Room(
        inputs=tmp_path / "in", outputs=tmp_path / "out", scratch=tmp_path / "tmp", home=tmp_path / "home",
        params={"version": "1.0.0"}, log=tmp_path / "log",
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
    assert caught.value.message == "'uv' ended with status 2"
    assert "hash" in caught.value.detail


@pytest.mark.real
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
