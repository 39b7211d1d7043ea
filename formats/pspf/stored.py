"""One gzip member (RFC 1952) of stored blocks: the same bytes with every library, for any content."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from packyard.formats.archive.gzipped import HEADER, TRAILER

_BLOCK: Final = 0xFFFF  # the longest stored block (RFC 1951, 3.2.4)
_FINAL: Final = b"\1\0\0\xff\xff"  # an empty last one


def stored_member(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The member that holds the data uncompressed, in pieces."""
    yield HEADER
    crc = size = 0
    for chunk in chunks:
        crc = zlib.crc32(chunk, crc)
        size += len(chunk)
        for start in range(0, len(chunk), _BLOCK):
            block = chunk[start : start + _BLOCK]
            yield b"\0" + len(block).to_bytes(2, "little") + (len(block) ^ 0xFFFF).to_bytes(2, "little") + block
    yield _FINAL + TRAILER.pack(crc, size & 0xFFFFFFFF)
