"""One header of a tar: the block of ustar (POSIX.1-1988), and the extended headers before it (pax, POSIX.1-2001).

A path that does not fit into 100 + 155 bytes, and a size of 8 GiB or more, go into an extended header, which GNU tar,
Go, Rust and Python all read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from packyard.formats.errors import FormatError
from packyard.formats.stream import Stream

BLOCK = 512  # bytes; headers and contents are padded to it
_LARGEST_OCTAL = 8**11 - 1  # what eleven octal digits hold
_LONGEST_SIZE = 20  # digits of a size in an extended header; 2**64 has as many
_LARGEST_EXTENSION = 1 << 16  # bytes of one extended header or long name that a reader takes
_PAX_IGNORED = frozenset({"mtime", "atime", "ctime", "uid", "gid", "uname", "gname", "comment"})

Kind = Literal["file", "folder", "link", "hardlink"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a header says: `size` bytes follow, padded to a whole block. A leading './' of the path and the final '/' of
    a folder's are removed; `link` is what a link was written with."""

    path: str
    kind: Kind
    executable: bool
    size: int
    link: str = ""


def write_header(path: str, *, mode: int, size: int, epoch: int) -> bytes:
    """The header of a file, and the extended header it needs, if any. `epoch` is its time in seconds."""
    encoded = path.encode()
    prefix, name = _split(encoded)
    extended: dict[str, str] = {}
    if name is None:
        extended["path"] = path
        prefix, name = b"", encoded[:100]
    if size > _LARGEST_OCTAL:
        extended["size"] = str(size)
    stated = 0 if "size" in extended else size
    header = _block(name, prefix, mode=mode, size=stated, epoch=epoch, kind=b"0")
    if not extended:
        return header
    records = b"".join(_pax_record(key, value) for key, value in sorted(extended.items()))
    before = _block(b"pax/" + encoded[-90:], b"", mode=0o644, size=len(records), epoch=epoch, kind=b"x")
    return before + records + bytes(-len(records) % BLOCK) + header


def _split(path: bytes) -> tuple[bytes, bytes | None]:
    """(prefix, name) as ustar holds them, or no name when the path does not fit."""
    if len(path) <= 100:
        return b"", path
    at = path.find(b"/", len(path) - 101)
    if at < 1 or at > 155:
        return b"", None
    return path[:at], path[at + 1 :]


def _block(name: bytes, prefix: bytes, *, mode: int, size: int, epoch: int, kind: bytes) -> bytes:
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


def read_header(stream: Stream, block: bytes) -> Header:
    """The header that begins with `block`; more of `stream` is read when that is an extended one. FormatError if it is
    not one, or says what could change how the file is unpacked."""
    block, extended = _extended(stream, block)
    _check_block(block)
    raw = extended.get("path")
    if raw is None:
        prefix = block[345:500].split(b"\0")[0] if block[257:263] == b"ustar\0" else b""
        raw = _text(b"/".join(part for part in (prefix, block[:100].split(b"\0")[0]) if part))
    kind = _kind(block[156:157], raw)
    path = raw.removeprefix("./")
    if kind == "folder":
        path = "" if path in ("", ".") else path.removesuffix("/")
    size = _size(path, extended.get("size", ""), block)
    if kind != "file" and size:
        raise FormatError(f"{path!r} is a {kind} with {size} bytes of content")
    link = extended.get("linkpath") or _text(block[157:257].split(b"\0")[0]) if kind in ("link", "hardlink") else ""
    executable = kind == "file" and bool(_octal(block[100:108], "mode") & 0o100)
    return Header(path=path, kind=kind, executable=executable, size=size, link=link)


def read_exactly(stream: Stream, size: int) -> bytes:
    """The next `size` bytes; FormatError if there are fewer."""
    data = stream.read(size) if size else b""
    if len(data) != size:
        raise FormatError("the archive ends in the middle of a member")
    return data


def _extended(stream: Stream, block: bytes) -> tuple[bytes, dict[str, str]]:
    """The next header that is a member's, and what the extended headers before it say of it."""
    said: dict[str, str] = {}
    while (kind := block[156:157]) in (b"x", b"L", b"K"):
        _check_block(block)
        size = _octal(block[124:136], "size")
        if size > _LARGEST_EXTENSION:
            raise FormatError(f"an extended header has {size} bytes; expected at most {_LARGEST_EXTENSION}")
        data = read_exactly(stream, size)
        read_exactly(stream, -size % BLOCK)
        if kind == b"x":
            said.update(_pax(data))
        else:
            said["path" if kind == b"L" else "linkpath"] = _text(data.rstrip(b"\0"))
        block = read_exactly(stream, BLOCK)
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
    raise FormatError(f"{path!r} is of type {_text(flag)!r}; expected a file or folder")


def _size(path: str, stated: str, block: bytes) -> int:
    if stated and not (stated.isascii() and stated.isdigit() and len(stated) <= _LONGEST_SIZE):
        raise FormatError(f"{path!r} has size {stated!r}; expected a number")
    return int(stated) if stated else _octal(block[124:136], "size")


def _check_block(block: bytes) -> None:
    if len(block) != BLOCK or block[257:262] != b"ustar":
        raise FormatError("this is not a tar archive (expected ustar)")
    unsigned = sum(block[:148]) + 8 * 32 + sum(block[156:])
    if _octal(block[148:156], "checksum") != unsigned:
        raise FormatError("an archive header is corrupt (checksum mismatch)")


def _octal(field: bytes, name: str) -> int:
    digits = field.strip(b"\0 ")
    if not digits:
        return 0
    if len(digits) > 11 or digits.strip(b"01234567"):
        raise FormatError(f"a header has the {name} {digits!r}; expected octal digits")
    return int(digits, 8)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError(f"the name {data!r} is not UTF-8") from None
