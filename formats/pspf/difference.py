"""The first difference between two files: in which member of which archive, and which bytes. A bundle counts as an
archive of its launcher, its slots and its metadata."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest

from packyard.formats.errors import FormatError
from packyard.formats.pspf.reader import read_bundle

_SHOWN = 16  # bytes of each side
_BLOCK = 1 << 16

_Member = tuple[str, dict[str, object], bytes]  # an archive's member: name, settings by name, content


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two files first differ. `members` leads from the outermost archive to the innermost file that differs,
    `start` and `end` (exclusive) are the first run of differing bytes in it; `what` says more when the archives hold
    the same members. `one` and `other` are the bytes there, at most 16 of them."""

    members: tuple[str, ...]
    start: int
    end: int
    one: bytes = b""
    other: bytes = b""
    what: str = ""

    def __str__(self) -> str:
        where = " > ".join(self.members)
        size = f"byte {self.start}" if self.end == self.start + 1 else f"bytes {self.start} to {self.end - 1}"
        bytes_ = f"{size}: {_hex(self.one)} and {_hex(self.other)}" if self.end > self.start else ""
        return ": ".join(part for part in (where, self.what, bytes_) if part)


def first_difference(one: bytes, other: bytes) -> Difference | None:
    """Compare two files, looking into tar, zip, gzip and bundles, also inside each other; None when they are equal."""
    if one == other:
        return None
    for unpack in (_gzip, _tar, _zip, _bundle):
        inner = unpack(one, other)
        if inner is not None:
            return inner
    return _bytes(one, other)


def _bytes(one: bytes, other: bytes, what: str = "") -> Difference:
    length = min(len(one), len(other))
    start = 0
    while one[start : start + _BLOCK] == other[start : start + _BLOCK] and start < length:
        start += _BLOCK
    start = min(start, length)
    while start < length and one[start] == other[start]:
        start += 1
    end = start
    while end < length and one[end] != other[end]:
        end += 1
    if end == length:  # to the end of the longer one
        end = max(len(one), len(other))
    shown = slice(start, min(end, start + _SHOWN))
    return Difference((), start, end, one[shown], other[shown], what)


def _gzip(one: bytes, other: bytes) -> Difference | None:
    if one[:2] != b"\x1f\x8b" or other[:2] != b"\x1f\x8b":
        return None
    try:
        found = first_difference(gzip.decompress(one), gzip.decompress(other))
    except (OSError, EOFError, zlib.error):
        return None
    return found or _bytes(one, other, "the same content, compressed differently")


def _tar(one: bytes, other: bytes) -> Difference | None:
    try:
        members = [list(_tar_members(data)) for data in (one, other)]
    except (tarfile.TarError, ValueError):
        return None
    if not any(members):  # only zeros: an empty tar
        return None
    return _compare(*members) or _bytes(one, other, "the same members, packed differently")


def _tar_members(data: bytes) -> Iterator[_Member]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isreg() else None
            settings: dict[str, object] = {
                "mode": oct(member.mode), "mtime": member.mtime, "owner": f"{member.uid}:{member.gid}",
                "owner's name": f"{member.uname}:{member.gname}", "type": member.type, "link": member.linkname,
            }  # fmt: skip
            yield member.name, settings, stream.read() if stream else b""


def _zip(one: bytes, other: bytes) -> Difference | None:
    if one[:2] != b"PK" or other[:2] != b"PK":
        return None
    try:
        members = [list(_zip_members(data)) for data in (one, other)]
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError):
        return None
    return _compare(*members) or _bytes(one, other, "the same members, packed differently")


def _zip_members(data: bytes) -> Iterator[_Member]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            settings: dict[str, object] = {
                "mode": oct(member.external_attr >> 16), "mtime": member.date_time, "comment": member.comment,
            }  # fmt: skip
            yield member.filename, settings, archive.read(member)


def _bundle(one: bytes, other: bytes) -> Difference | None:
    if one[-4:] != other[-4:]:
        return None
    try:
        members = [list(_bundle_members(data)) for data in (one, other)]
    except FormatError:
        return None
    return _compare(*members) or _bytes(one, other, "the same parts, signed or laid out differently")


def _bundle_members(data: bytes) -> Iterator[_Member]:
    """The metadata comes last: it contains digests of everything, so it differs whenever anything else does."""
    bundle = read_bundle(data)
    yield "launcher", {}, data[: bundle.index.launcher_size]
    for slot, row in zip(bundle.metadata.table, bundle.descriptors):
        yield f"slot {slot.id}", {}, data[row.offset : row.offset + row.size]
    yield "metadata", {}, bundle.metadata_json


def _compare(one: list[_Member], other: list[_Member]) -> Difference | None:
    """Compare two archives by their members: which they have, in which order, with which contents and settings."""
    names, others = [name for name, _, _ in one], [name for name, _, _ in other]
    for first, second in zip_longest(names, others):
        if first == second:
            continue
        if sorted(names) == sorted(others):
            return Difference((), 0, 0, what=f"the order of members differs: {first!r} and {second!r}")
        lone = next(name for name in [*names, *others] if names.count(name) != others.count(name))
        return Difference((), 0, 0, what=f"only the {'first' if lone in names else 'second'} contains {lone!r}")
    for (name, settings, content), (_, others_settings, others_content) in zip(one, other):
        if (inner := first_difference(content, others_content)) is not None:
            return replace(inner, members=(name, *inner.members))
        for key, value in settings.items():
            if value != others_settings[key]:
                return Difference((name,), 0, 0, what=f"its {key} is {value} and {others_settings[key]}")
    return None


def _hex(data: bytes) -> str:
    if not data:
        return "nothing"
    return data.hex(" ") + (f" ({data.decode('ascii')!r})" if data.isascii() and data.decode().isprintable() else "")
