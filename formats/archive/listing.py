"""Listings: what a tarball contains, so that it can be compared, sealed or explained without unpacking it.

One line per file, sorted by path bytes: SHA-256, `x` or `-`, size in bytes, owner, path. The owner is the
distribution (or other source) that the file came with, and has no spaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packyard.formats.archive.entry import Entry
from packyard.formats.digest import digest_stream
from packyard.formats.errors import FormatError, Problem

_ODD_OWNER = re.compile(r"[ \n]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One file of a tarball. `sha256` is in hexadecimal, `size` in bytes."""

    path: str
    executable: bool
    size: int
    sha256: str
    owner: str

    def __str__(self) -> str:
        return f"{self.sha256} {'x' if self.executable else '-'} {self.size} {self.owner} {self.path}"


def listed(entries: Iterable[Entry], *, owner: str) -> Iterator[Listed]:
    """Entries that one owner brings, measured."""
    for entry in entries:
        with entry.open() as (size, content):
            digest = digest_stream(content).hex
        yield Listed(path=entry.path, executable=entry.executable, size=size, sha256=digest, owner=owner)


def write_listing(files: Iterable[Listed]) -> str:
    """The text of a listing; FormatError for an owner or a path that would be read back as another."""
    files = list(files)
    if odd := [file for file in files if _ODD_OWNER.search(file.owner) or "\n" in file.path]:
        raise FormatError(*(Problem(f"{file.path!r} of {file.owner!r} cannot stand in a listing") for file in odd))
    return "".join(f"{file}\n" for file in sorted(files, key=lambda file: file.path.encode()))


def read_listing(text: str) -> list[Listed]:
    """The files of a listing; FormatError if a line is not one."""
    files: list[Listed] = []
    for number, line in enumerate(text.removesuffix("\n").split("\n") if text else (), 1):
        fields = line.split(" ", 4)
        if len(fields) != 5 or fields[1] not in ("x", "-") or not re.fullmatch(r"\d{1,20}", fields[2], re.ASCII):
            raise FormatError(Problem(f"line {number} is not 'SHA256 x|- SIZE OWNER PATH'"))
        files.append(
            Listed(path=fields[4], executable=fields[1] == "x", size=int(fields[2]), sha256=fields[0], owner=fields[3])
        )
    return files


def check_owners(listings: Iterable[Iterable[Listed]]) -> None:
    """Refuse two owners that bring one path with different bytes; FormatError names both. Modes are no difference:
    installers let one of the two decide, and nothing is lost."""
    seen: dict[str, Listed] = {}
    problems: list[Problem] = []
    for files in listings:
        for file in files:
            other = seen.setdefault(file.path, file)
            if other is not file and other.sha256 != file.sha256:
                problems.append(
                    Problem(f"{file.path!r} is in {other.owner!r} and in {file.owner!r}, with different contents")
                )
    if problems:
        raise FormatError(*problems)
