"""The kind `toolchain`: a Mojo compiler from the package index, by a hashed lock, as a tree that works anywhere."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator

from packyard.formats.errors import Problem
from packyard.formats.interpreterpin import NAME as LOCK
from packyard.formats.pylock import drift, read_pylock
from packyard.formats.toolchainpin import read_toolchain_pins
from packyard.tasks import installed, lock
from packyard.tasks.compiler import Compiler, toolchain_of
from packyard.tasks.errors import ActionError, PlanError
from packyard.tasks.room import Room
from packyard.tasks.target import Output, Pin, Source, Target
from packyard.tasks.workspace import MANIFEST, Workspace

# The distribution `mojo` is this one with a debugger, a formatter and notebooks, which are two thirds of its size.
_DISTRIBUTION = "mojo-compiler"
_TREE = "modular"  # where the distribution keeps everything but its Python launchers
_PYTHON = "3.11"  # the distribution is for any, and its lock is to be the same for everybody


def targets(workspace: Workspace) -> Iterator[Target]:
    """The compiler that the workspace names, if it names one."""
    version = workspace.manifest.toolchain.mojo
    if not version:
        return
    pin = _pin(workspace, version)
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
            installed.uv(), "pip", "install", "--no-progress", "--require-hashes", "--no-deps",
            "--only-binary", ":all:", "--no-python-downloads", "--link-mode", "copy", "--python", sys.executable,
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


def _pin(workspace: Workspace, version: str) -> Pin:
    """The lock of a version: the one that packyard.lock names, else our own, which the first build makes."""
    path = f"{lock.FOLDER}/toolchain-mojo-{version}.pylock.toml"
    requirements = (f"{_DISTRIBUTION}=={version}",)
    if workspace.watch.is_file(LOCK):
        for pinned in read_toolchain_pins(workspace.watch.text(LOCK), LOCK):
            if pinned.mojo == version:
                path = pinned.lock
                _check_lock(workspace, path, requirements)
    return Pin(path=path, requirements=requirements, python=_PYTHON, platform=workspace.platform)


def _check_lock(workspace: Workspace, path: str, requirements: tuple[str, ...]) -> None:
    committed = read_pylock(workspace.watch.text(path), path)
    changes = list(drift(committed, requirements=requirements, python=_PYTHON))
    if changes:
        raise PlanError(Problem(f"is not the lock of {requirements[0]}: {', '.join(changes)}", place=path))
