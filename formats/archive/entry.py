"""A file as an archive carries it, and the order and rules that all our archives follow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from packyard.formats.errors import FormatError, Problem
from packyard.formats.relpath import check_collisions, check_name

_LONGEST_PATH = 4096  # bytes; PATH_MAX of Linux, and more than that of any other system


@dataclass(frozen=True, slots=True)
class Entry:
    """One regular file: where it is in the archive, its content (bytes, or a file to stream), its one mode bit."""

    path: str
    content: bytes | Path
    executable: bool = False

    @property
    def mode(self) -> int:
        """0755 for an executable file, else 0644; archives know no others."""
        return 0o755 if self.executable else 0o644

    def data(self) -> bytes:
        """The whole content; FormatError if the file cannot be read."""
        with self.open() as (_, content):
            return content.read()

    @contextmanager
    def open(self) -> Iterator[tuple[int, BinaryIO]]:
        """The size in bytes and a stream of the content; FormatError if the file cannot be read."""
        if isinstance(self.content, bytes):
            yield len(self.content), BytesIO(self.content)
            return
        try:
            stream = self.content.open("rb")
        except OSError as error:
            raise FormatError(Problem(f"cannot be read: {error.strerror}", place=str(self.content))) from None
        with stream:
            size = stream.seek(0, 2)
            stream.seek(0)
            yield size, stream


def arrange(entries: Iterable[Entry]) -> list[Entry]:
    """The entries sorted by path bytes.

    FormatError if a path is not canonical, appears twice, is both a file and a folder, or collides with another on a
    case-insensitive file system.
    """
    ordered = sorted(entries, key=lambda entry: entry.path.encode("utf-8", "surrogateescape"))
    problems: list[Problem] = []
    files: set[str] = set()
    folders: dict[str, None] = {}
    for entry in ordered:
        try:
            check_path(entry.path)
        except FormatError as error:
            problems.extend(error.problems)
            continue
        if entry.path in files:
            problems.append(Problem(f"{entry.path!r} appears twice in the archive"))
        files.add(entry.path)
        folders.update(dict.fromkeys(parents(entry.path)))
    problems.extend(Problem(f"{path!r} is both a file and a folder") for path in sorted(files & folders.keys()))
    try:
        check_collisions([*folders, *sorted(files)])
    except FormatError as error:
        problems.extend(error.problems)
    if problems:
        raise FormatError(*problems)
    return ordered


def check_path(path: str) -> None:
    """Refuse a path that is not canonical (relative; no empty, `.` or `..` part; no colon; every part a plain name) or
    too long for any system: work grows with the square of a path's depth."""
    if len(path) > _LONGEST_PATH:
        raise FormatError(f"{path[:40] + '...'!r} is {len(path)} long; expected a path of at most {_LONGEST_PATH}")
    for part in path.split("/"):
        try:
            check_name(part)
        except FormatError as error:
            raise FormatError(f"{path!r} is not a valid archive path: {error}") from None
        if ":" in part:
            raise FormatError(f"{path!r} contains a colon, which some systems cannot store")


def parents(path: str) -> Iterator[str]:
    """The folders above a path, nearest first."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
