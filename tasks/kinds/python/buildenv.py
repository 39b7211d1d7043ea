"""The kind `buildenv`: what PEP 517 backends and hooks need, installed once and shared by members."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

from packyard.formats.errors import FormatError
from packyard.formats.python import pylock
from packyard.tasks.errors import gather
from packyard.tasks.index.installtree import install_as_is
from packyard.tasks.index.pin import Pin
from packyard.tasks.kinds.interpreter import choice
from packyard.tasks.kinds.interpreter.program import PythonParams, program_in
from packyard.tasks.kinds.python.backend import build_pin, buildenv_of, hook_pin, hookenv_of
from packyard.tasks.target.params import Params, call
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Output, Source, Target
from packyard.tasks.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildenvParams(Params):
    """The parameters of a build environment: the Python that it is for, and that compiles it."""

    python: PythonParams


def targets(workspace: Workspace) -> Iterator[Target]:
    """The environments of all backends and hooks, each distinct one once."""
    found: dict[str, Target] = {}
    problems: list[FormatError] = []
    for member in workspace.members:
        if member.project:
            place = member.path("pyproject.toml")
            try:
                if member.project.build_backend:
                    pin = build_pin(member, workspace)
                    found.setdefault(name := buildenv_of(member, workspace), buildenv(name, pin, place, workspace))
                if hooks := hook_pin(member, workspace):
                    found.setdefault(name := hookenv_of(member, workspace), buildenv(name, hooks, place, workspace))
            except FormatError as error:
                problems.append(error)
    gather(problems)
    yield from found.values()


def buildenv(name: str, pin: Pin, place: str, workspace: Workspace) -> Target:
    """The target `name` that installs what a lock lists; `place` is the file that asks for it."""
    python, uses = choice.python_for(choice.find(pin.python, workspace))
    return Target(
        name=name,
        doc=f"{', '.join(pin.requirements)}, for builds",
        place=place,
        **call(make_buildenv, BuildenvParams(python=python)),
        sources=(Source(path=pin.path, at=pylock.NAME),),
        uses=uses,
        outputs=(Output(at="site", tree=True),),
        prepares=(pin.prepare,),
        local={"manifests": [os.fspath(workspace.root / path) for path in pin.manifests]} if pin.manifests else {},
        network=True,
        resource="io",
    )


def make_buildenv(room: Room[BuildenvParams]) -> None:
    """Install what the lock lists, each file checked against its hash, and compile it: a backend starts often."""
    tree = room.outputs / "site"
    tree.mkdir()
    python = program_in(room, room.params.python)
    install_as_is(room, room.inputs / "pylock.toml", tree, python=python, what="build requirements")
    room.run(
        [
            python, "-I", "-S", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash",
            "-x", "/tests?/", "-s", tree, "-p", "/", tree,
        ],
        cwd=room.scratch,
    )  # fmt: skip
    for path in tree.rglob(".lock"):
        path.unlink()
    shutil.rmtree(tree / "share", ignore_errors=True)
