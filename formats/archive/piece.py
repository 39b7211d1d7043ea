"""Pieces: tarballs that can be joined into one without compressing anything again.

A piece is a whole .tar.gz of one gzip member. Its deflate stream has two parts: a *fragment*, which holds the files and
ends with a full flush (so it ends on a byte and refers to nothing before it), and a constant close, which holds the two
zero blocks that end a tar. Joining takes the fragments, adds one close, and computes the checksum of the whole from
those of the parts (Mark Adler's crc32_combine).

The identity of a piece is the SHA-256 of its uncompressed tar without the end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import HEADER, LEVELS, TRAILER, crc32, deflater
from packyard.formats.archive.tarball import END, write_tar
from packyard.formats.digest import Digest
from packyard.formats.errors import FormatError, Problem
from packyard.formats.stream import Sink
from zlib_ng import zlib_ng

# END deflated into one final block with fixed codes. Written out, not computed: it is part of the format and must
# not change with the compressor.
CLOSE = bytes.fromhex("63601805a360148c540000")
_TAIL = len(CLOSE) + TRAILER.size
_LONGEST = 0xFFFFFFFF - len(END)  # bytes; the trailer keeps a size modulo 2**32, and joining needs the true one
_PERIOD = 0xFFFFFFFF  # CRC-32's polynomial is primitive: so many zero bits or bytes lead back to the start
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What a written piece holds: the digest, CRC-32 and length (bytes) of its tar without the end."""

    digest: Digest
    crc32: int
    length: int


def write_piece(entries: Iterable[Entry], out: Sink, *, epoch: int = 0, level: int = LEVELS["fast"]) -> Piece:
    """Write `entries` as a piece; FormatError as `write_tar`, or when there are 4 GiB or more."""
    writer = PieceWriter(out, epoch=epoch, level=level)
    writer.add(entries)
    return writer.finish()


class PieceWriter:
    """A piece that is written in groups of files, as they become known.

    The order of the groups decides the bytes. Paths are compared within a group only.
    """

    def __init__(self, out: Sink, *, epoch: int = 0, level: int = LEVELS["fast"]) -> None:
        self._fragment = _Fragment(out, level)
        self._epoch = epoch
        out.write(HEADER)

    def add(self, entries: Iterable[Entry]) -> None:
        """Write one group; FormatError as `write_tar`, or when there are 4 GiB or more."""
        write_tar(entries, self._fragment, epoch=self._epoch, end=False)

    def finish(self) -> Piece:
        """Complete the piece."""
        return self._fragment.finish()


class _Fragment:
    def __init__(self, out: Sink, level: int) -> None:
        self._out = out
        self._deflate = deflater(level)
        self._sha256 = hashlib.sha256()
        self._crc = self._length = 0
        # Small files are grouped: each step below lets other threads run, and waits for its turn again.
        self._waiting: list[bytes] = []
        self._size = 0

    def write(self, data: bytes, /) -> None:
        self._length += len(data)
        if self._length > _LONGEST:
            raise FormatError("the files of one piece total 4 GiB or more", hint="split them across several slots")
        self._waiting.append(data)
        self._size += len(data)
        if self._size >= _CHUNK:
            self._pass_on()

    def finish(self) -> Piece:
        if self._length:
            self._pass_on()
            self._out.write(self._deflate.flush(zlib_ng.Z_FULL_FLUSH))
        piece = Piece(digest=Digest(self._sha256.hexdigest()), crc32=self._crc, length=self._length)
        _close(self._out, piece.crc32, piece.length)
        return piece

    def _pass_on(self) -> None:
        data = b"".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        self._sha256.update(data)
        self._crc = crc32(data, self._crc)
        self._out.write(self._deflate.compress(data))


def join(pieces: Iterable[Path], out: Sink) -> int:
    """Write one piece that holds the files of all `pieces`, in their order; returns the length of its tar in bytes.

    The order decides the bytes. Paths are not compared: no two pieces may carry the same one.
    """
    crc = length = 0
    out.write(HEADER)
    for path in pieces:
        with path.open("rb") as stream:
            part_crc, part_length = _measure(stream, path)
            crc = zlib_ng.crc32_combine(crc, part_crc, part_length)
            length += part_length
            left = path.stat().st_size - len(HEADER) - _TAIL
            stream.seek(len(HEADER))
            while left and (chunk := stream.read(min(left, _CHUNK))):
                out.write(chunk)
                left -= len(chunk)
    _close(out, crc, length)
    return length + len(END)


def _measure(stream: BinaryIO, path: Path) -> tuple[int, int]:
    """CRC-32 and length of the tar in a piece, without its end."""
    head = stream.read(len(HEADER))
    size = stream.seek(0, 2)
    stream.seek(max(0, size - _TAIL))
    tail = stream.read()
    whole = size >= len(HEADER) + _TAIL and head == HEADER and tail[: len(CLOSE)] == CLOSE
    crc, length = TRAILER.unpack(tail[len(CLOSE) :]) if whole else (0, 0)
    if length < len(END):
        raise FormatError(Problem("is not a piece of a tarball", place=str(path)))
    # crc = shift(fragment's crc, END) ^ crc32(END), and a shift by _PERIOD - n bytes undoes one by n bytes.
    return zlib_ng.crc32_combine(crc ^ crc32(END), 0, _PERIOD - len(END)), length - len(END)


def _close(out: Sink, crc: int, length: int) -> None:
    out.write(CLOSE)
    whole = zlib_ng.crc32_combine(crc, crc32(END), len(END))
    out.write(TRAILER.pack(whole, (length + len(END)) & 0xFFFFFFFF))
