"""Archives of morloc packages as files: the package in one, and what its file name tells."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import Reader
from packyard.formats.errors import FormatError, Problem, inside
from packyard.formats.morloc.reference import ARCHIVE_SUFFIX
from packyard.tasks.host import gitfetch
from packyard.tasks.kinds.morloc.package import Package, read_entries


def read_archive(path: Path, name: str = "") -> Package:
    """The package in an archive of ours, whose one top folder bears its name; FormatError when it is damaged, or
    holds anything that could be written elsewhere."""
    place = os.fspath(path)
    with inside(place):
        top, entries = _unpacked(path)
    if name and top != name:
        raise FormatError(Problem(f"contains the package {top!r}; expected {name!r}", place=place))
    return read_entries(entries, place, top)


def archive_name(path: Path) -> str:
    """The name of the package in an archive of ours, by its top folder."""
    with inside(os.fspath(path)):
        return _unpacked(path)[0]


def _unpacked(path: Path) -> tuple[str, list[Entry]]:
    try:
        with path.open("rb") as stream:
            entries = gitfetch.read_files(Reader(stream, limit=gitfetch.LARGEST))
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror}") from None
    tops = {entry.path.partition("/")[0] for entry in entries}
    if len(tops) != 1 or any("/" not in entry.path for entry in entries):
        found = ", ".join(repr(top) for top in sorted(tops)[:3]) or "nothing"
        raise FormatError(f"is not a package archive: expected one top folder, found {found}")
    top = tops.pop()
    return top, [replace(entry, path=entry.path[len(top) + 1 :]) for entry in entries]


def vendored(root: Path, files: Iterable[str]) -> dict[str, Path]:
    """The packages of vendored archives by the names in their file names; FormatError when one is there twice."""
    found: dict[str, Path] = {}
    problems: list[Problem] = []
    for file in files:
        if not file.endswith(ARCHIVE_SUFFIX):
            continue
        name = package_of_file(file)
        other = found.setdefault(name, root / file)
        if other != root / file:
            problems.append(Problem(f"is a second archive of {name!r}; the other is '{other.name}'", place=file))
    if problems:
        raise FormatError(*problems)
    return found


def package_of_file(file: str) -> str:
    """The package that an archive's file name tells: 'root-py' of 'x/root-py-0.7.0.morloc.tar.gz'."""
    stem = file.rpartition("/")[2].removesuffix(ARCHIVE_SUFFIX)
    parts = stem.split("-")
    for at in range(1, len(parts)):
        if parts[at].split(".")[0].isdigit() and "." in parts[at]:
            return "-".join(parts[:at])
    return stem


def place_of(name: str) -> str:
    """Where an action finds the archive of a package."""
    return f"packages/{name}{ARCHIVE_SUFFIX}"
