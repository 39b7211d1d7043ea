"""The kind `toolchain`: a Mojo compiler from the package index, by a hashed lock, as a tree that works anywhere; or one
that is on this machine already, as a tree that calls it.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterator
from typing import Any

from packaging.version import Version
from packyard.formats.errors import Problem
from packyard.formats.python.pylock import drift, read_pylock
from packyard.formats.workspace.lock import read_toolchain_pins
from packyard.tasks.errors import ActionError, PlanError
from packyard.tasks.index import lock
from packyard.tasks.kinds.mojo.compiler import Compiler, toolchain_of
from packyard.tasks.kinds.mojo.foundcompiler import find_mojo
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Output, Pin, Source, Target
from packyard.tasks.workspace.workspace import LOCK, MANIFEST, Workspace

# The distribution `mojo` is this one with a debugger, a formatter and notebooks, which are two thirds of its size.
_DISTRIBUTION = "mojo-compiler"
_TREE = "modular"  # where the distribution keeps everything but its Python launchers
_PYTHON = "3.11"  # the distribution is for any, and its lock is to be the same for everybody


def targets(workspace: Workspace) -> Iterator[Target]:
    """The compilers that the workspace and its members name."""
    spec = workspace.manifest.toolchain
    named = {member.mojo.compiler for member in workspace.members if member.mojo} - {"", spec.mojo}
    for version in (*filter(None, [spec.mojo]), *sorted(named)):
        if version == spec.mojo and spec.mojo_from:
            yield _present(workspace, version, spec.mojo_from)
        else:
            yield _fetched(workspace, version)


def _fetched(workspace: Workspace, version: str) -> Target:
    """The target of a compiler of the package index."""
    pin = _pin(workspace, version)
    return Target(
        name=toolchain_of(version),
        doc=f"the Mojo {version} compiler",
        place=MANIFEST,
        run="packyard.tasks.kinds.mojo.make_toolchain:make_toolchain",
        params={"version": version, "platform": workspace.platform},
        sources=(Source(path=pin.path, at="pylock.toml"),),
        outputs=(Output(at="toolchain", tree=True),),
        pins=(pin,),
        network=True,
        resource="io",
    )


def make_present(room: Room[Any]) -> None:
    """A tree whose program calls the compiler that is there, and that holds its standard library for comparison."""
    version = room.params["version"]
    tree = room.outputs / "toolchain"
    (tree / "bin").mkdir(parents=True)
    shutil.copytree(room.inputs / "lib", tree / "lib")
    words = [f"{name}={value}" for name, value in sorted(room.params["environment"].items())]
    compiler = Compiler(version, tree)
    compiler.program.write_text(
        f'#!/bin/sh\nexec env {shlex.join([*words, room.params["program"]])} "$@"\n', encoding="utf-8"
    )
    compiler.program.chmod(0o755)
    compiler.library()
    room.run([compiler.program, "--version"])
    said = re.findall(r"(?im)^mojo (\S+)", room.log.read_text(encoding="utf-8", errors="replace"))
    if said and not _agrees(said[-1], version):
        raise ActionError(f"{room.params['program']}: is Mojo {said[-1]}, but {MANIFEST} says {version}")


def _present(workspace: Workspace, version: str, where: str) -> Target:
    """The target of a compiler that is on this machine. Its identity is in the file of its standard library, which is
    an input; where it stands is a parameter."""
    try:
        compiler = find_mojo(where, workspace.root)
        library = compiler.library_path()
        found = compiler.library()
    except ActionError as error:
        raise PlanError(Problem(error.message, "toolchain.mojo_from", MANIFEST, error.hint)) from None
    workspace.watch.see(os.fspath(library))
    if found.version and not _agrees(found.version, version):
        message = f"{where!r} has Mojo {found.version}, but toolchain.mojo is {version}"
        raise PlanError(Problem(message, "toolchain.mojo_from", MANIFEST))
    return Target(
        name=toolchain_of(version),
        doc=f"the Mojo {version} compiler of {where}",
        place=MANIFEST,
        run="packyard.tasks.kinds.mojo.toolchain:make_present",
        params={
            "version": version,
            "program": os.fspath(compiler.program),
            "environment": Compiler(version, compiler.tree).environment(),
        },
        sources=(Source(path=os.fspath(library), at=f"lib/mojo/{library.name}"),),
        outputs=(Output(at="toolchain", tree=True),),
        resource="io",
    )


def _agrees(found: str, version: str) -> bool:
    """Whether a version that may be told in part (a series) is that of packyard.toml."""
    parts = Version(found).release
    return parts == Version(version).release[: len(parts)]


def _pin(workspace: Workspace, version: str) -> Pin:
    """The lock of a version: the one that packyard.lock names, else our own, which the first build makes."""
    path, absent = f"{lock.FOLDER}/toolchain-mojo-{version}.pylock.toml", LOCK
    requirements = (f"{_DISTRIBUTION}=={version}",)
    if workspace.watch.is_file(LOCK):
        for pinned in read_toolchain_pins(workspace.watch.text(LOCK), LOCK):
            if pinned.mojo == version:
                path, absent = pinned.lock, ""
                _check_lock(workspace, path, requirements)
    return Pin(path=path, requirements=requirements, python=_PYTHON, platform=workspace.platform, absent=absent)


def _check_lock(workspace: Workspace, path: str, requirements: tuple[str, ...]) -> None:
    committed = read_pylock(workspace.watch.text(path), path)
    changes = list(drift(committed, requirements=requirements, python=_PYTHON))
    if changes:
        raise PlanError(Problem(f"is not the lock of {requirements[0]}: {', '.join(changes)}", place=path))
