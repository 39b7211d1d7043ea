"""Make an environment of distributions, or join the parts of one."""

from __future__ import annotations

import json
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import Reader
from packyard.formats.archive.listing import Listed, check_owners, read_listing, write_listing
from packyard.formats.archive.piece import join, write_piece
from packyard.formats.archive.tarball import read_tar
from packyard.formats.errors import FormatError
from packyard.formats.python import pylock
from packyard.tasks.errors import ActionError
from packyard.tasks.kinds.python.abi import newest
from packyard.tasks.kinds.python.sitepackages import InstallParams, install
from packyard.tasks.target.packing import PackingParams
from packyard.tasks.target.room import Room

_LARGEST = 1 << 33  # bytes that one distribution may unpack to


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvParams(PackingParams):
    """The parameters of an environment that a build installs: how."""

    install: InstallParams


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinParams(PackingParams):
    """The parameters of an environment whose distributions are packed already: their names."""

    distributions: tuple[str, ...]


def make_env(room: Room[EnvParams]) -> None:
    """Install what the lock lists, pack each distribution, and join them."""
    params = room.params
    text = (room.inputs / pylock.NAME).read_text(encoding="utf-8")

    def pack(number: int, entries: list[Entry]) -> Path:
        path = room.scratch / f"{number}.tar.gz"
        with path.open("wb") as out:
            write_piece(entries, out, epoch=params.epoch, level=params.packing.level)
        return path

    try:
        found = install(room, params.install, text)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            pieces = list(pool.map(pack, range(len(found.parts)), [entries for entries, _ in found.parts]))
    except FormatError as error:
        raise ActionError(f"the environment cannot be put together: {error}") from None
    parts = [(piece, files) for piece, (_, files) in zip(pieces, found.parts)]
    _join(room, parts, Counter(found.saved), found.glibc)


def join_env(room: Room[JoinParams]) -> None:
    """Join the distributions that were packed before."""
    parts = []
    saved: Counter[str] = Counter()
    glibc = ""
    for name in room.params.distributions:
        facts = json.loads((room.inputs / "facts" / name).read_text(encoding="utf-8"))
        saved.update(facts["saved"])
        glibc = newest(glibc, facts["glibc"])
        files = read_listing((room.inputs / "files" / name).read_text(encoding="utf-8"))
        parts.append((room.inputs / "pieces" / name, files))
    _join(room, parts, saved, glibc)


def _join(room: Room[PackingParams], parts: list[tuple[Path, list[Listed]]], saved: Counter[str], glibc: str) -> None:
    """One piece of many; ActionError when two of them differ over one path."""
    known: dict[str, Listed] = {}
    pieces: list[Path] = []
    try:
        check_owners(files for _, files in parts)
        for number, (path, files) in enumerate(parts):
            twice = {file.path for file in files if file.path in known}  # the same bytes: namespaces, shared notes
            pieces.append(_without(room, path, twice, number) if twice else path)
            known.update({file.path: file for file in files if file.path not in known})
        with (room.outputs / "env.tar.gz").open("wb") as out:
            join(pieces, out)
    except FormatError as error:
        raise ActionError(f"the environment cannot be put together: {error}") from None
    (room.outputs / "files").write_text(write_listing(known.values()), encoding="utf-8")
    facts = {"saved": saved, "glibc": glibc}
    (room.outputs / "facts.json").write_text(json.dumps(facts, sort_keys=True) + "\n", encoding="utf-8")
    for what in sorted(saved):
        room.say(f"left out: {saved[what]:,} bytes of {what}")


def _without(room: Room[PackingParams], piece: Path, paths: set[str], number: int) -> Path:
    """The piece again, without some of its files."""
    with piece.open("rb") as stream:
        members = read_tar(Reader(stream, limit=_LARGEST), limit=_LARGEST)
        entries = [
            Entry(member.path, member.body.read(), member.executable) for member in members if member.path not in paths
        ]
    rest = room.scratch / f"{number}.rest.tar.gz"
    with rest.open("wb") as out:
        write_piece(entries, out, epoch=room.params.epoch, level=room.params.packing.level)
    return rest
