"""Tar archives: a writer with one result for one set of files, and a reader that trusts nothing.

The layout is ustar (POSIX.1-1988). A path that does not fit its 100 + 155 bytes, and a size of 8 GiB or
more, go into an extended header (pax, POSIX.1-2001), which GNU tar, Go, Rust and Python all read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from packyard.formats.archive.entry import Entry, arrange, check_path, parents
from packyard.formats.errors import FormatError, Problem, inside
from packyard.formats.relpath import check_collisions

BLOCK = 512  # bytes; headers and contents are padded to it
END = bytes(2 * BLOCK)  # two zero blocks close an archive
_CHUNK = 1 << 20
_LARGEST_OCTAL = 8**11 - 1  # what eleven octal digits hold
_LONGEST_SIZE = 20  # digits of a size in an extended header; 2**64 has as many
_LARGEST_EXTENSION = 1 << 16  # bytes of one extended header or long name that a reader takes
_PAX_IGNORED = frozenset({"mtime", "atime", "ctime", "uid", "gid", "uname", "gname", "comment"})

Kind = Literal["file", "folder", "link", "hardlink"]


class Sink(Protocol):
    """What an archive is written to."""

    def write(self, data: bytes, /) -> object:
        """Take all of `data`."""


class Stream(Protocol):
    """What an archive is read from; `read` gives fewer bytes than asked only at the end."""

    def read(self, size: int, /) -> bytes:
        """The next `size` bytes."""


def write_tar(entries: Iterable[Entry], out: Sink, *, epoch: int = 0, end: bool = True) -> None:
    """Write `entries` as a tar: sorted by path bytes, no owners, 0755 or 0644, every time `epoch` (seconds).

    No folder entries: every reader makes the parents. Without `end` the closing zero blocks are left out,
    so that another tar can follow. FormatError as `arrange`, or when a file changes while it is read.
    """
    for entry in arrange(entries):
        with entry.open() as (size, content):
            out.write(_headers(entry, size, epoch))
            copied = 0
            while chunk := content.read(_CHUNK):
                copied += len(chunk)
                out.write(chunk)
            if copied != size:
                raise FormatError(Problem("changed while it was read", place=str(entry.content)))
            out.write(bytes(-size % BLOCK))
    if end:
        out.write(END)


def _headers(entry: Entry, size: int, epoch: int) -> bytes:
    path = entry.path.encode()
    prefix, name = _split(path)
    extended: dict[str, str] = {}
    if name is None:
        extended["path"] = entry.path
        prefix, name = b"", path[:100]
    if size > _LARGEST_OCTAL:
        extended["size"] = str(size)
    stated = 0 if "size" in extended else size
    header = _header(name, prefix, mode=entry.mode, size=stated, epoch=epoch, kind=b"0")
    if not extended:
        return header
    records = b"".join(_pax_record(key, value) for key, value in sorted(extended.items()))
    before = _header(b"pax/" + path[-90:], b"", mode=0o644, size=len(records), epoch=epoch, kind=b"x")
    return before + records + bytes(-len(records) % BLOCK) + header


def _split(path: bytes) -> tuple[bytes, bytes | None]:
    """(prefix, name) as ustar holds them, or no name when the path does not fit."""
    if len(path) <= 100:
        return b"", path
    at = path.find(b"/", len(path) - 101)
    if at < 1 or at > 155:
        return b"", None
    return path[:at], path[at + 1 :]


def _header(name: bytes, prefix: bytes, *, mode: int, size: int, epoch: int, kind: bytes) -> bytes:
    block = bytearray(BLOCK)
    block[0 : len(name)] = name
    block[100:108] = b"%07o\0" % mode
    block[108:116] = block[116:124] = b"%07o\0" % 0  # uid, gid
    block[124:136] = b"%011o\0" % size
    block[136:148] = b"%011o\0" % epoch
    block[148:156] = b" " * 8  # the checksum counts itself as spaces
    block[156:157] = kind
    block[257:265] = b"ustar\x0000"
    block[345 : 345 + len(prefix)] = prefix
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def _pax_record(key: str, value: str) -> bytes:
    body = f" {key}={value}\n".encode()
    size = len(body) + 1
    while len(str(size)) + len(body) != size:  # the length counts its own digits
        size = len(str(size)) + len(body)
    return str(size).encode() + body


class Body:
    """The content of one member, to be read before the next member is asked for."""

    def __init__(self, stream: Stream, size: int) -> None:
        self._stream = stream
        self._left = size

    def read(self, size: int = -1, /) -> bytes:
        """The next `size` bytes, or all that is left."""
        wanted = self._left if size < 0 else min(size, self._left)
        self._left -= wanted
        return _exactly(self._stream, wanted)

    def skip(self) -> None:
        """Read past what is left."""
        while self.read(_CHUNK):
            pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member as it was read. `target` is where a link points, as a path from the archive's root."""

    path: str
    kind: Kind
    executable: bool
    size: int
    body: Body
    target: str = ""


def read_tar(stream: Stream, *, limit: int, links: bool = False) -> Iterator[Member]:
    """The members of a tar in their order, each refused unless it is safe to write below an empty folder.

    Regular files and folders; with `links` also links whose target stays inside. Paths must be canonical
    (a leading `./` and a folder's final `/` are taken away) and none may stand twice or collide when case
    is ignored. `limit` is how many bytes all contents may have together. Reads `stream` to its end, where
    nothing but zeros may follow the archive. FormatError names the member.

    What was yielded before an error is no less hostile: write into a fresh folder, keep it only at the end.
    """
    seen: dict[str, Kind] = {}
    folders: dict[str, None] = {}  # also those that only stand in longer paths
    left = limit
    while (block := stream.read(BLOCK)) != bytes(BLOCK):
        if not block and seen:
            break  # no closing blocks: a truncated download looks like this too, but gzip's trailer tells it
        block, extended = _extended(stream, block)
        member, padding = _member(stream, block, extended)
        with inside(member.path):
            _check_member(member, seen, folders, links=links)
            left -= member.size
            if left < 0:
                raise FormatError(f"the archive unpacks to more than {limit} bytes")
        if member.path:  # the root folder itself says nothing
            seen[member.path] = member.kind
            folders.update(dict.fromkeys(parents(member.path)))
            yield member
        member.body.skip()
        if _exactly(stream, padding).strip(b"\0"):
            raise FormatError(f"{member.path!r} is not padded with zeros")
    while rest := stream.read(_CHUNK):
        if rest.strip(b"\0"):
            raise FormatError("the archive has data after its end")
    check_collisions([*folders, *seen])


def _extended(stream: Stream, block: bytes) -> tuple[bytes, dict[str, str]]:
    """The next header that is a member's, and what the extended headers before it say of it."""
    said: dict[str, str] = {}
    while (kind := block[156:157]) in (b"x", b"L", b"K"):
        _check_header(block)
        size = _octal(block[124:136], "size")
        if size > _LARGEST_EXTENSION:
            raise FormatError(f"an extended header has {size} bytes, at most {_LARGEST_EXTENSION} were expected")
        data = _exactly(stream, size)
        _exactly(stream, -size % BLOCK)
        if kind == b"x":
            said.update(_pax(data))
        else:
            said["path" if kind == b"L" else "linkpath"] = _text(data.rstrip(b"\0"))
        block = _exactly(stream, BLOCK)
    return block, said


def _pax(data: bytes) -> dict[str, str]:
    said: dict[str, str] = {}
    while data:
        digits, space, _ = data[:12].partition(b" ")
        size = int(digits) if space and digits.isdigit() else 0
        record, data = data[len(digits) + 1 : size], data[size:]
        key, equals, value = record.partition(b"=")
        if not equals or not value.endswith(b"\n"):
            raise FormatError("an extended header is not a list of 'length key=value' records")
        name = _text(key)
        if name in ("path", "linkpath", "size"):
            said[name] = _text(value[:-1])
        elif name not in _PAX_IGNORED and not name.startswith(("SCHILY.", "LIBARCHIVE.")):
            raise FormatError(f"an extended header has the key {name!r}, which could change what is unpacked")
    return said


def _member(stream: Stream, block: bytes, extended: Mapping[str, str]) -> tuple[Member, int]:
    _check_header(block)
    raw = extended.get("path")
    if raw is None:
        prefix = block[345:500].split(b"\0")[0] if block[257:263] == b"ustar\0" else b""
        raw = _text(b"/".join(part for part in (prefix, block[:100].split(b"\0")[0]) if part))
    kind = _kind(block[156:157], raw)
    path = raw.removeprefix("./")
    if kind == "folder":
        path = "" if path in ("", ".") else path.removesuffix("/")
    stated = extended.get("size", "")
    if stated and not (stated.isascii() and stated.isdigit() and len(stated) <= _LONGEST_SIZE):
        raise FormatError(f"{path!r} has the size {stated!r}, a number was expected")
    size = int(stated) if stated else _octal(block[124:136], "size")
    if kind != "file" and size:
        raise FormatError(f"{path!r} is a {kind} with {size} bytes of content")
    target = ""
    if kind in ("link", "hardlink"):
        target = _target(kind, path, extended.get("linkpath") or _text(block[157:257].split(b"\0")[0]))
    executable = kind == "file" and bool(_octal(block[100:108], "mode") & 0o100)
    body = Body(stream, size)
    return Member(path=path, kind=kind, executable=executable, size=size, body=body, target=target), -size % BLOCK


def _kind(flag: bytes, path: str) -> Kind:
    match flag:
        case b"0" | b"\0":
            return "folder" if path.endswith("/") else "file"
        case b"5":
            return "folder"
        case b"2":
            return "link"
        case b"1":
            return "hardlink"
    raise FormatError(f"{path!r} is of the kind {_text(flag)!r}, files and folders were expected")


def _target(kind: Kind, path: str, text: str) -> str:
    """Where a link leads, from the root; FormatError when that is outside."""
    if not text or text.startswith("/"):
        raise FormatError(f"{path!r} is a link to {text!r}, a target inside was expected")
    parts = path.split("/")[:-1] if kind == "link" else []
    for part in text.split("/"):
        if part == "..":
            if not parts:
                raise FormatError(f"{path!r} is a link to {text!r}, a target inside was expected")
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _check_member(member: Member, seen: Mapping[str, Kind], folders: Collection[str], *, links: bool) -> None:
    if member.path:
        check_path(member.path)
    elif member.kind != "folder":
        raise FormatError("a member has no name")
    if member.kind in ("link", "hardlink"):
        if not links:
            raise FormatError(f"is a link to {member.target!r}, only files and folders were expected")
        if member.target:
            check_path(member.target)
    known = seen.get(member.path)
    if known is not None and not (known == member.kind == "folder"):
        raise FormatError("stands twice in the archive")
    if member.kind != "folder" and member.path in folders:
        raise FormatError("is both a file and a folder")
    for parent in parents(member.path):
        if seen.get(parent, "folder") != "folder":
            raise FormatError(f"stands below {parent!r}, which is no folder")


def _check_header(block: bytes) -> None:
    if len(block) != BLOCK or block[257:262] != b"ustar":
        raise FormatError("this is not a tar archive (ustar was expected)")
    unsigned = sum(block[:148]) + 8 * 32 + sum(block[156:])
    if _octal(block[148:156], "checksum") != unsigned:
        raise FormatError("a header of the archive is damaged (its checksum differs)")


def _octal(field: bytes, name: str) -> int:
    digits = field.strip(b"\0 ")
    if not digits:
        return 0
    if len(digits) > 11 or digits.strip(b"01234567"):
        raise FormatError(f"a header has the {name} {digits!r}, octal digits were expected")
    return int(digits, 8)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError(f"the name {data!r} is not UTF-8") from None


def _exactly(stream: Stream, size: int) -> bytes:
    data = stream.read(size) if size else b""
    if len(data) != size:
        raise FormatError("the archive ends in the middle of a member")
    return data
