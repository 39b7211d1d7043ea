"""The kind `toolchain`: a Mojo compiler from the package index, by a hashed lock, as a tree that works anywhere."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator

from packyard.tasks.compiler import Compiler, toolchain_of
from packyard.tasks.errors import ActionError
from packyard.tasks.room import Room
from packyard.tasks.target import Output, Pin, Source, Target
from packyard.tasks.workspace import MANIFEST, Workspace

# The distribution `mojo` is this one with a debugger, a formatter and notebooks, which are two thirds of its size.
_DISTRIBUTION = "mojo-compiler"
_TREE = "modular"  # where the distribution keeps everything but its Python launchers


def targets(workspace: Workspace) -> Iterator[Target]:
    """The compiler that the workspace names, if it names one."""
    version = workspace.manifest.toolchain.mojo
    if not version:
        return
    pin = Pin(
        path=f".packyard/locks/toolchain-mojo-{version}.pylock.toml",
        requirements=(f"{_DISTRIBUTION}=={version}",),
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        platform=workspace.platform,
    )
    yield Target(
        name=toolchain_of(version),
        doc=f"the Mojo {version} compiler",
        place=MANIFEST,
        run="packyard.tasks.toolchain:make_toolchain",
        params={"version": version, "platform": workspace.platform},
        sources=(Source(path=pin.path, at="pylock.toml"),),
        outputs=(Output(at="toolchain", tree=True),),
        pins=(pin,),
        network=True,
        resource="io",
    )


def make_toolchain(room: Room) -> None:
    """Install what the lock lists, each file checked against its hash, and keep the compiler's own tree of it."""
    site = room.scratch / "site"
    room.run(
        [
            _uv(), "pip", "install", "--no-progress", "--require-hashes", "--no-deps", "--only-binary", ":all:",
            "--no-python-downloads", "--link-mode", "copy", "--python", sys.executable,
            "--target", site, "--requirements", room.inputs / "pylock.toml",
        ],
        cwd=room.scratch,
    )  # fmt: skip
    version = room.params["version"]
    tree = room.outputs / "toolchain"
    if not (site / _TREE).is_dir():
        raise ActionError(f"{_DISTRIBUTION} {version} holds no folder '{_TREE}', this version is not known")
    shutil.move(site / _TREE, tree)
    compiler = Compiler(version, tree)
    compiler.library()
    room.run([compiler.program, "--version"], env=compiler.environment())


def _uv() -> str:
    import uv  # not needed by any other kind that plans

    return os.fspath(uv.find_uv_bin())
