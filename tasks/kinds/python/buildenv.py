"""The kind `buildenv`: what PEP 517 backends, hooks and sites need, installed once and shared by members."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

from packyard.formats.errors import FormatError
from packyard.formats.python import pylock
from packyard.tasks.errors import gather
from packyard.tasks.index.installtree import install_as_is
from packyard.tasks.kinds.docs.site import docs_pin, docsenv_of
from packyard.tasks.kinds.interpreter import choice, program
from packyard.tasks.kinds.python.backend import build_pin, buildenv_of, hook_pin, hookenv_of
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Output, Pin, Source, Target
from packyard.tasks.workspace.workspace import MANIFEST, Workspace


def targets(workspace: Workspace) -> Iterator[Target]:
    """The environments of all backends, hooks and sites, each distinct one once."""
    found: dict[str, Target] = {}
    problems: list[FormatError] = []
    for member in workspace.members:
        if member.project:
            place = member.path("pyproject.toml")
            try:
                if member.project.build_backend:
                    pin = build_pin(member, workspace)
                    found.setdefault(name := buildenv_of(member, workspace), _target(name, pin, place, workspace))
                if hooks := hook_pin(member, workspace):
                    found.setdefault(name := hookenv_of(member, workspace), _target(name, hooks, place, workspace))
            except FormatError as error:
                problems.append(error)
    try:
        if sites := docs_pin(workspace):
            name = docsenv_of(sites)
            found[name] = _target(name, sites, MANIFEST, workspace)
    except FormatError as error:
        problems.append(error)
    gather(problems)
    yield from found.values()


def make_buildenv(room: Room[Any]) -> None:
    """Install what the lock lists, each file checked against its hash, and compile it: a backend starts often."""
    tree = room.outputs / "site"
    tree.mkdir()
    python = program.program_in(room, room.params["runtime"], room.params["version"])
    install_as_is(room, room.inputs / "pylock.toml", tree, python=python, what="what builds need")
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


def _target(name: str, pin: Pin, place: str, workspace: Workspace) -> Target:
    one = choice.find(pin.python, workspace)
    program, uses = choice.build_program(one)
    return Target(
        name=name,
        doc=f"{', '.join(pin.requirements)}, for builds",
        place=place,
        run="packyard.tasks.kinds.python.buildenv:make_buildenv",
        params={"python": program, "runtime": one.target, "version": pin.python},
        sources=(Source(path=pin.path, at=pylock.NAME),),
        uses=uses,
        outputs=(Output(at="site", tree=True),),
        pins=(pin,),
        network=True,
        resource="io",
    )
