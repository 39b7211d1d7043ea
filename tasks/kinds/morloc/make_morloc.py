"""Archive a morloc package: one that is staged, or one that is fetched at its locked commit."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import compressing
from packyard.formats.archive.tarball import write_tar
from packyard.formats.digest import Digest
from packyard.formats.errors import FormatError
from packyard.formats.morloc.lock import content_digest
from packyard.tasks.errors import ActionError
from packyard.tasks.host import gitfetch
from packyard.tasks.kinds.morloc.package import read_entries
from packyard.tasks.target.packing import Packing, PackingParams
from packyard.tasks.target.room import Room


@dataclass(frozen=True, slots=True, kw_only=True)
class MorlocParams(PackingParams):
    """The parameters of an archived package: the name of its file."""

    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedParams(PackingParams):
    """The parameters of a fetched package: the name of its file, its own name, the repository and the commit that it
    comes from, and the digest of its content there."""

    file: str
    package: str
    url: str
    commit: str
    content: Digest


def make_morloc(room: Room[MorlocParams]) -> None:
    """Write the staged package as one archive."""
    files = (path for path in room.inputs.rglob("*") if path.is_file())
    entries = [
        Entry(path.relative_to(room.inputs).as_posix(), path, bool(path.stat().st_mode & stat.S_IXUSR))
        for path in files
    ]
    _write(room.outputs / room.params.file, entries, room.params.packing)


def fetch_morloc(room: Room[FetchedParams]) -> None:
    """Fetch a package at its locked commit, compare it with the lock, and write it as one archive."""
    params = room.params
    name, commit = params.package, params.commit
    try:
        entries = read_entries(gitfetch.files_of(params.url, commit, room.scratch / "git"), name, name).entries()
    except FormatError as error:
        raise ActionError(f"{name}: {error}") from None
    content = content_digest(entries)
    if content != params.content:
        raise ActionError(f"{name}: its content at {commit[:12]} is {content}, but {params.content} is locked")
    below = (replace(entry, path=f"{name}/{entry.path}") for entry in entries)
    _write(room.outputs / params.file, below, params.packing)


def _write(path: Path, entries: Iterable[Entry], packing: Packing) -> None:
    with path.open("wb") as out, compressing(out, level=packing.level) as packed:
        write_tar(entries, packed, epoch=packing.epoch)
