"""Gzip (RFC 1952) with bytes that do not depend on the machine: a header by hand, one pinned compressor.

The compressor is zlib-ng. Its output for 34 MB of a standard library was the same, at each level from 1
to 9, on x86-64 without SSE3, with SSE4.2, AVX2 and AVX-512, and on AArch64 (emulated by qemu). At the levels
2, 3, 4, 7, 8 and 9 it was also the same for every way to cut the input into writes; at 1, 5 and 6 it was not,
so those are not used. Of the others that were tried the same way, isa-l gave three different
results on those x86-64 processors, and the zlib of the standard library is whichever the system ships.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Protocol

from packyard.formats.errors import FormatError
from packyard.formats.stream import Sink, Stream
from zlib_ng import zlib_ng

COMPRESSOR = f"zlib-ng {zlib_ng.ZLIBNG_RUNTIME_VERSION}"  # part of the key of whatever it makes
HEADER = bytes((0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF))  # deflate, no flags, no time, system unknown
TRAILER = struct.Struct("<II")  # CRC-32 and size modulo 2**32 of what was compressed

LEVELS = {"fast": 4, "small": 9}  # by profile: for everyday builds, and for releases

_CHUNK = 1 << 20
_EXTRA, _NAME, _COMMENT, _HEADER_CRC, _RESERVED = 4, 8, 16, 2, 0xE0


def compress(data: bytes, *, level: int = LEVELS["fast"]) -> bytes:
    """`data` as one gzip member."""
    deflate = deflater(level)
    body = deflate.compress(data) + deflate.flush()
    return HEADER + body + TRAILER.pack(crc32(data), len(data) & 0xFFFFFFFF)


@contextmanager
def compressing(out: Sink, *, level: int = LEVELS["fast"]) -> Iterator[Sink]:
    """A sink whose bytes reach `out` as one gzip member, complete when the block ends without an error."""
    writer = _Writer(out, level)
    yield writer
    writer.finish()


class _Writer:
    def __init__(self, out: Sink, level: int) -> None:
        self._out = out
        self._deflate = deflater(level)
        self._crc = self._size = 0
        out.write(HEADER)

    def write(self, data: bytes, /) -> None:
        self._crc = crc32(data, self._crc)
        self._size += len(data)
        self._out.write(self._deflate.compress(data))

    def finish(self) -> None:
        self._out.write(self._deflate.flush())
        self._out.write(TRAILER.pack(self._crc, self._size & 0xFFFFFFFF))


class Deflater(Protocol):
    """A running raw deflate stream (RFC 1951)."""

    def compress(self, data: bytes, /) -> bytes:
        """What can be returned after `data`."""

    def flush(self, mode: int = ..., /) -> bytes:
        """What is left."""


def deflater(level: int) -> Deflater:
    """The pinned compressor at `level` (1 to 9)."""
    stream: Deflater = zlib_ng.compressobj(level, zlib_ng.DEFLATED, -zlib_ng.MAX_WBITS)
    return stream


def crc32(data: bytes, start: int = 0) -> int:
    """CRC-32 of `data`, continued from `start`."""
    return zlib_ng.crc32(data, start)


def decompress(data: bytes, *, limit: int) -> bytes:
    """The content of exactly one gzip member; FormatError if it is corrupt, larger than `limit`, or not alone."""
    return Reader(BytesIO(data), limit=limit).read(limit + 1)


class Reader:
    """A stream of what one gzip member holds. The trailer is checked, and nothing may follow it.

    `limit` bytes is the most it returns; FormatError beyond that and for every kind of corruption. The check of the
    trailer happens when the end is read, so read to the end before trusting what came.
    """

    def __init__(self, stream: Stream, *, limit: int) -> None:
        self._stream = stream
        self._limit = self._left = limit
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._pending, self._at = b"", 0  # what was unpacked last, and how much of it was returned
        self._crc = self._size = 0
        self._ended = False
        self._input = _after_header(stream)

    def read(self, size: int, /) -> bytes:
        """The next `size` bytes, fewer only at the end."""
        parts = [self._given(size)]
        missing = size - len(parts[0])
        while missing and not self._ended:
            self._pending, self._at = self._more(), 0
            parts.append(self._given(missing))
            missing -= len(parts[-1])
        return b"".join(parts)

    def _given(self, size: int) -> bytes:
        data = self._pending[self._at : self._at + size]
        self._at += len(data)
        return data

    def _more(self) -> bytes:
        given = self._input or self._stream.read(_CHUNK)
        try:
            data = self._inflate.decompress(given, _CHUNK)
        except zlib.error as error:
            raise FormatError(f"the gzip data is corrupt ({error})") from None
        self._input = self._inflate.unconsumed_tail
        self._crc = crc32(data, self._crc)
        self._size += len(data)
        self._left -= len(data)
        if self._left < 0:
            raise FormatError(f"the gzip data unpacks to more than {self._limit} bytes")
        if self._inflate.eof:
            self._check_end(self._inflate.unused_data)
        elif not given and not data:
            raise FormatError("the gzip data is truncated")
        return data

    def _check_end(self, rest: bytes) -> None:
        self._ended = True
        while len(rest) <= TRAILER.size and (more := self._stream.read(_CHUNK)):
            rest += more
        if len(rest) < TRAILER.size:
            raise FormatError("the gzip data is truncated")
        if len(rest) > TRAILER.size:
            raise FormatError("the gzip data is followed by other data")
        crc, size = TRAILER.unpack(rest)
        if (crc, size) != (self._crc, self._size & 0xFFFFFFFF):
            raise FormatError("the gzip data is corrupt (checksum mismatch)")


def _after_header(stream: Stream) -> bytes:
    """Read the header (RFC 1952 section 2.3); returns what was read beyond it."""
    data = stream.read(_CHUNK)
    if data[:3] != HEADER[:3] or len(data) < len(HEADER):
        raise FormatError("this is not gzip data")
    flags, at = data[3], len(HEADER)
    if flags & _RESERVED:
        raise FormatError(f"the gzip header has reserved flags ({flags:#04x})")
    if flags & _EXTRA:
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    for flag in (_NAME, _COMMENT):
        if flags & flag:
            at = data.find(b"\0", at) + 1 or len(data) + 1
    if flags & _HEADER_CRC:
        stated, at = data[at : at + 2], at + 2
        if stated != struct.pack("<H", crc32(data[: at - 2]) & 0xFFFF):
            raise FormatError("the gzip header is corrupt (checksum mismatch)")
    if at > len(data):
        raise FormatError("the gzip data is truncated")
    return data[at:]
