"""Zip archives: a writer that gives one result for one set of files, and a reader that trusts nothing.

The layout is PKWARE's APPNOTE 6.3, sections cited below; large archives get zip64 records.
"""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from packyard.formats.archive.entry import Entry, arrange, check_path, parents
from packyard.formats.archive.gzipped import LEVELS, crc32, deflater
from packyard.formats.errors import FormatError, Problem, inside
from packyard.formats.relpath import check_collisions

EARLIEST = 315532800  # 1980-01-01, the first moment a zip can hold, in seconds

_LOCAL = struct.Struct("<4s5H3I2H")  # 4.3.7
_CENTRAL = struct.Struct("<4s6H3I5H2I")  # 4.3.12
_END = struct.Struct("<4s4H2IH")  # 4.3.16
_END64 = struct.Struct("<4sQ2H2I4Q")  # 4.3.14
_LOCATOR64 = struct.Struct("<4sIQI")  # 4.3.15
_UTF8, _ENCRYPTED, _LATE = 1 << 11, 1, 1 << 3  # general purpose flags, 4.4.4
_STORED, _DEFLATED = 0, 8
_UNIX = 3  # the system whose modes are in the upper half of the external attributes
_FULL = 0xFFFFFFFF
_MANY = 0xFFFF
_CHUNK = 1 << 20


def write_zip(entries: Iterable[Entry], out: BinaryIO, *, epoch: int = EARLIEST, level: int = LEVELS["fast"]) -> None:
    """Write `entries` as a zip: sorted by path bytes, deflated, 0755 or 0644, every time `epoch` (seconds, UTC).

    A time before 1980 becomes 1980-01-01. `out` must be seekable and at its start. FormatError as `arrange`, or when a
    file changes while it is read.
    """
    when = _dos_time(epoch)
    directory: list[bytes] = []
    for entry in arrange(entries):
        with entry.open() as (size, content):
            directory.append(_write_member(entry, size, content, out, when=when, level=level))
    start = out.tell()
    for record in directory:
        out.write(record)
    _write_end(out, count=len(directory), start=start, size=out.tell() - start)


def _write_member(entry: Entry, size: int, content: BinaryIO, out: BinaryIO, *, when: int, level: int) -> bytes:
    """Write one member; returns its record of the central directory."""
    name = entry.path.encode()
    at = out.tell()
    wide = size >= _FULL - (_FULL >> 10)  # deflate may add a few bytes
    version = 45 if wide else 20
    out.write(bytes(_LOCAL.size) + name + bytes(20 if wide else 0))
    deflate, crc, read, stored = deflater(level), 0, 0, 0
    while chunk := content.read(_CHUNK):
        crc, read = crc32(chunk, crc), read + len(chunk)
        stored += out.write(deflate.compress(chunk))
    stored += out.write(deflate.flush())
    if read != size:
        raise FormatError(Problem("changed while being read", place=str(entry.content)))
    end = out.tell()
    sizes = (_FULL, _FULL) if wide else (stored, size)
    extra = struct.pack("<2H2Q", 1, 16, size, stored) if wide else b""
    out.seek(at)
    out.write(_LOCAL.pack(b"PK\3\4", version, _UTF8, _DEFLATED, *_halves(when), crc, *sizes, len(name), len(extra)))
    out.write(name + extra)
    out.seek(end)
    if at >= _FULL:
        version = 45
        extra = struct.pack("<2H", 1, 24 if wide else 8) + extra[4:] + struct.pack("<Q", at)
    return (
        _CENTRAL.pack(
            b"PK\1\2", _UNIX << 8 | version, version, _UTF8, _DEFLATED, *_halves(when), crc, *sizes,
            len(name), len(extra), 0, 0, 0, (stat.S_IFREG | entry.mode) << 16, min(at, _FULL),
        )
        + name
        + extra
    )  # fmt: skip


def _write_end(out: BinaryIO, *, count: int, start: int, size: int) -> None:
    if count >= _MANY or start >= _FULL or size >= _FULL:
        at = out.tell()
        out.write(_END64.pack(b"PK\6\6", _END64.size - 12, _UNIX << 8 | 45, 45, 0, 0, count, count, size, start))
        out.write(_LOCATOR64.pack(b"PK\6\7", 0, at, 1))
    count = min(count, _MANY)
    out.write(_END.pack(b"PK\5\6", 0, 0, count, count, min(size, _FULL), min(start, _FULL), 0))


def _dos_time(epoch: int) -> int:
    """`epoch` as 4.4.6 packs it: the date in the upper half, the time (in steps of 2 s) in the lower."""
    when = datetime.fromtimestamp(max(epoch, EARLIEST), UTC)
    date = (when.year - 1980) << 9 | when.month << 5 | when.day
    return date << 16 | when.hour << 11 | when.minute << 5 | when.second // 2


def _halves(when: int) -> tuple[int, int]:
    return when & _MANY, when >> 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of a zip, as its central directory describes it."""

    path: str
    executable: bool
    size: int
    crc32: int
    stored_size: int
    offset: int
    deflated: bool


def read_zip(stream: BinaryIO, *, limit: int) -> list[Member]:
    """The files of a zip in the order of its directory, each safe to write below an empty folder.

    Refused: paths that are not canonical, links and special files, encryption, methods other than stored and deflated,
    members that overlap or disagree with the directory, anything before the first member or after the end, more than
    `limit` bytes of content. Folder entries are skipped.
    """
    size = stream.seek(0, 2)
    count, start, length = _read_end(stream, size)
    stream.seek(start)
    directory = stream.read(length)
    members: list[Member] = []
    at = 0
    for _ in range(count):
        member, at = _read_record(directory, at)
        if member is not None:
            members.append(member)
    if at != len(directory):
        raise FormatError("the zip's directory has data after its last record")
    _check_members(stream, members, start, limit)
    return members


def contents(stream: BinaryIO, member: Member) -> bytes:
    """What a member holds; FormatError if it is corrupt."""
    stream.seek(_body_at(stream, member))
    data = stream.read(member.stored_size)
    with inside(member.path):
        if member.deflated:
            inflate = zlib.decompressobj(-zlib.MAX_WBITS)
            try:
                unpacked = inflate.decompress(data, member.size + 1)
            except zlib.error as error:
                raise FormatError(f"the data is corrupt ({error})") from None
            if not inflate.eof or inflate.unused_data:
                raise FormatError("the data does not end where the zip's directory says")
            data = unpacked
        if len(data) != member.size or crc32(data) != member.crc32:
            raise FormatError("the data is corrupt (size or checksum mismatch)")
    return data


def _read_end(stream: BinaryIO, size: int) -> tuple[int, int, int]:
    """(records, offset, bytes) of the central directory."""
    stream.seek(max(0, size - _END.size))
    tail = stream.read()
    if len(tail) != _END.size or tail[:4] != b"PK\5\6":
        raise FormatError("this is not a zip archive (no end record, or data after it)")
    _, disk, first_disk, here, count, length, start, _ = _END.unpack(tail)
    end = size - _END.size
    if count == _MANY or _FULL in (start, length):
        stream.seek(max(0, end - _LOCATOR64.size))
        locator = stream.read(_LOCATOR64.size)
        if locator[:4] == b"PK\6\7":
            at = _LOCATOR64.unpack(locator)[2]
            if at != end - _LOCATOR64.size - _END64.size:
                raise FormatError("the zip's end record is not at its stated offset")
            stream.seek(at)
            magic, _, _, _, disk, first_disk, here, count, length, start = _END64.unpack(stream.read(_END64.size))
            end = at
            if magic != b"PK\6\6":
                raise FormatError("the zip's end record is corrupt")
    if disk or first_disk or here != count:
        raise FormatError("the zip is one part of a multi-part archive")
    if start + length != end:
        raise FormatError("the zip has data before its first member or after its directory")
    return count, start, length


def _read_record(directory: bytes, at: int) -> tuple[Member | None, int]:
    """The member described at `at` (None for a folder), and where the next record starts."""
    if len(directory) < at + _CENTRAL.size or directory[at : at + 4] != b"PK\1\2":
        raise FormatError("the zip's directory is corrupt")
    (_, made_by, _, flags, method, _, _, crc, stored, size, name_size, extra_size, comment_size, disk, _, attributes,
     offset) = _CENTRAL.unpack_from(directory, at)  # fmt: skip
    at += _CENTRAL.size
    raw = directory[at : at + name_size]
    extra = directory[at + name_size : at + name_size + extra_size]
    at += name_size + extra_size + comment_size
    try:
        path = raw.decode("utf-8" if flags & _UTF8 else "ascii")
    except UnicodeDecodeError:
        raise FormatError(f"the name {raw!r} is not UTF-8") from None
    with inside(path):
        mode = attributes >> 16 if made_by >> 8 == _UNIX else 0
        folder = path.endswith("/")
        check_path(path.removesuffix("/"))
        if stat.S_IFMT(mode) not in (0, stat.S_IFDIR if folder else stat.S_IFREG):
            raise FormatError("is a link or special file; expected a file or folder")
        if flags & _ENCRYPTED or disk:
            raise FormatError("is encrypted or in another part of the zip")
        if method not in (_STORED, _DEFLATED):
            raise FormatError(f"has compression method {method}; expected stored (0) or deflated (8)")
        wide = _zip64(extra)
        fields = [size, stored, offset]
        for position, value in enumerate(fields):
            if value == _FULL:
                if len(wide) < 8:
                    raise FormatError("has no zip64 size")
                fields[position], wide = int.from_bytes(wide[:8], "little"), wide[8:]
        size, stored, offset = fields
        if method == _STORED and stored != size:
            raise FormatError("has two different sizes")
        if folder:
            if size:
                raise FormatError("is a folder with content")
            return None, at
    return Member(
        path=path, executable=bool(mode & 0o100), size=size, crc32=crc, stored_size=stored, offset=offset,
        deflated=method == _DEFLATED,
    ), at  # fmt: skip


def _zip64(extra: bytes) -> bytes:
    """The zip64 field (4.5.3) of the extra fields."""
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<2H", extra)
        if kind == 1:
            return extra[4 : 4 + size]
        extra = extra[4 + size :]
    return b""


def _check_members(stream: BinaryIO, members: list[Member], directory_at: int, limit: int) -> None:
    problems: list[Problem] = []
    seen: set[str] = set()
    folders: set[str] = set()
    for member in members:
        if member.path in seen:
            problems.append(Problem("appears twice in the archive", place=member.path))
        seen.add(member.path)
        folders.update(parents(member.path))
    problems.extend(Problem("is both a file and a folder", place=path) for path in sorted(seen & folders))
    if problems:
        raise FormatError(*problems)
    check_collisions([*sorted(folders), *sorted(seen)])
    if sum(member.size for member in members) > limit:
        raise FormatError(f"the archive unpacks to more than {limit} bytes")
    end = 0
    for member in sorted(members, key=lambda member: member.offset):
        with inside(member.path):
            if member.offset < end:
                raise FormatError("overlaps another member")
            end = _body_at(stream, member) + member.stored_size
            if end > directory_at:
                raise FormatError("does not fit before the zip's directory")


def _body_at(stream: BinaryIO, member: Member) -> int:
    """Where the data of a member starts; its local header must agree with the directory."""
    stream.seek(member.offset)
    header = stream.read(_LOCAL.size)
    if len(header) != _LOCAL.size or header[:4] != b"PK\3\4":
        raise FormatError("has no header where the zip's directory says")
    name_size: int
    extra_size: int
    _, _, flags, method, _, _, crc, stored, size, name_size, extra_size = _LOCAL.unpack(header)
    late = flags & _LATE and not (crc or stored or size)
    wide = _FULL in (stored, size)
    agrees = late or (crc == member.crc32 and (wide or (stored, size) == (member.stored_size, member.size)))
    if stream.read(name_size) != member.path.encode() or not agrees or (method == _DEFLATED) != member.deflated:
        raise FormatError("has a header that differs from the zip's directory")
    return member.offset + _LOCAL.size + name_size + extra_size


def entries(stream: BinaryIO, *, limit: int) -> Iterator[Entry]:
    """Every file of a zip as an entry, with its content in memory; FormatError as `read_zip` and `contents`."""
    for member in read_zip(stream, limit=limit):
        yield Entry(member.path, contents(stream, member), member.executable)
