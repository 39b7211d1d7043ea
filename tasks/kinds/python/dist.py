"""The kind `dist`: one distribution of a committed lock, as a piece of a tarball.

Compressed once per machine, whatever applications and locks it stands in: its name tells what decides its bytes.
An environment without a committed lock has none, because nobody knows its distributions before it is resolved.

Artifacts: '' the piece (`lib/pythonX.Y/site-packages/...`), `files` its listing, `facts` JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from packyard.formats.archive.listing import write_listing
from packyard.formats.archive.piece import write_piece
from packyard.formats.errors import FormatError
from packyard.tasks.errors import gather
from packyard.tasks.kinds.interpreter.platforms import env_platforms
from packyard.tasks.kinds.python.envneeds import needs
from packyard.tasks.kinds.python.lockedenv import Locked, locked
from packyard.tasks.kinds.python.sitepackages import InstallParams, install
from packyard.tasks.target.packing import PackingParams
from packyard.tasks.target.params import call
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Output, Target
from packyard.tasks.workspace.workspace import Member, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class DistParams(PackingParams):
    """The parameters of a distribution: the text of a lock that lists it alone, and how it is installed."""

    lock: str
    install: InstallParams


def targets(workspace: Workspace) -> Iterator[Target]:
    """The distributions of the committed locks, each distinct one once."""
    found: dict[str, Target] = {}
    problems: list[FormatError] = []
    for member in workspace.members:
        if not (member.project and member.project.flavor):
            continue
        try:
            for platform in env_platforms(member.project.flavor, workspace):
                for one in locked(member, workspace, platform):
                    if one.target not in found:
                        found[one.target] = _target(one, member, workspace, platform)
        except FormatError as error:
            problems.append(error)
    gather(problems)
    yield from found.values()


def _target(one: Locked, member: Member, workspace: Workspace, platform: str) -> Target:
    need = needs(member, workspace, platform)
    return Target(
        name=one.target,
        doc=f"{one.name} {one.version}, as a bundle carries it",
        place=member.path("pylock.toml"),
        **call(make_dist, DistParams(lock=one.text, install=need.install, packing=need.packing)),
        local=need.local,
        uses=need.uses,
        outputs=(Output(at="dist.tar.gz"), Output(part="files", at="files"), Output(part="facts", at="facts.json")),
        network=True,
    )


def make_dist(room: Room[DistParams]) -> None:
    """Install the distribution, and pack it."""
    params = room.params
    found = install(room, params.install, params.lock)  # none, when its marker is for other machines
    entries = [entry for entries, _ in found.parts for entry in entries]
    with (room.outputs / "dist.tar.gz").open("wb") as out:
        write_piece(entries, out, epoch=params.epoch, level=params.packing.level)
    files = [file for _, files in found.parts for file in files]
    (room.outputs / "files").write_text(write_listing(files), encoding="utf-8")
    (room.outputs / "facts.json").write_text(
        json.dumps({"saved": found.saved, "glibc": found.glibc}, sort_keys=True) + "\n", encoding="utf-8"
    )
