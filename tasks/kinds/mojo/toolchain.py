"""The kind `toolchain`: a Mojo compiler from the package index, by a hashed lock, as a tree that works anywhere; or one
that is on this machine already, as a tree that calls it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from packyard.formats.errors import Problem
from packyard.formats.python.pylock import drift, read_pylock
from packyard.tasks.errors import ActionError, PlanError
from packyard.tasks.index import lock
from packyard.tasks.index.pin import Pin
from packyard.tasks.kinds.mojo.compiler import Compiler, agrees, toolchain_of
from packyard.tasks.kinds.mojo.foundcompiler import find_mojo
from packyard.tasks.kinds.mojo.make_toolchain import (
    DISTRIBUTION,
    PresentParams,
    ToolchainParams,
    make_present,
    make_toolchain,
)
from packyard.tasks.target.params import call
from packyard.tasks.target.target import Output, Source, Target
from packyard.tasks.workspace.workspace import LOCK, MANIFEST, Workspace

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
        **call(make_toolchain, ToolchainParams(version=version, platform=workspace.platform)),
        sources=(Source(path=pin.path, at="pylock.toml"),),
        outputs=(Output(at="toolchain", tree=True),),
        prepares=(pin.prepare,),
        network=True,
        resource="io",
    )


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
    if found.version and not agrees(found.version, version):
        message = f"{where!r} has Mojo {found.version}, but toolchain.mojo is {version}"
        raise PlanError(Problem(message, "toolchain.mojo_from", MANIFEST))
    return Target(
        name=toolchain_of(version),
        doc=f"the Mojo {version} compiler of {where}",
        place=MANIFEST,
        **call(
            make_present,
            PresentParams(
                version=version,
                said_by=MANIFEST,
                program=os.fspath(compiler.program),
                environment=Compiler(version, compiler.tree).environment(),
            ),
        ),
        sources=(Source(path=os.fspath(library), at=f"lib/mojo/{library.name}"),),
        outputs=(Output(at="toolchain", tree=True),),
        resource="io",
    )


def _pin(workspace: Workspace, version: str) -> Pin:
    """The lock of a version: the one that packyard.lock names, else our own, which the first build makes."""
    path, absent = f"{lock.FOLDER}/toolchain-mojo-{version}.pylock.toml", LOCK
    requirements = (f"{DISTRIBUTION}=={version}",)
    for pinned in workspace.lock.toolchains:
        if pinned.mojo == version:
            path, absent = pinned.lock, ""
            _check_lock(workspace, path, requirements)
    return Pin(path=path, requirements=requirements, python=_PYTHON, platform=workspace.platform, absent=absent)


def _check_lock(workspace: Workspace, path: str, requirements: tuple[str, ...]) -> None:
    committed = read_pylock(workspace.watch.text(path), path)
    changes = list(drift(committed, requirements=requirements, python=_PYTHON))
    if changes:
        raise PlanError(Problem(f"is not the lock of {requirements[0]}: {', '.join(changes)}", place=path))
