from __future__ import annotations

import gzip
import hashlib
import io
import random
import struct
import zlib

import pytest
from packyard.formats.archive.gzipped import COMPRESSOR, HEADER, LEVELS, Reader, compress, compressing, decompress
from packyard.formats.errors import FormatError

WORDS = random.Random(1).choices(b"the quick brown fox jumps over it".split(), k=60_000)
DATA = b" ".join(WORDS)


def test_compress_bytes_are_pinned() -> None:
    sums = {profile: hashlib.sha256(compress(DATA, level=level)).hexdigest()[:16] for profile, level in LEVELS.items()}
    assert (COMPRESSOR, sums) == ("zlib-ng 2.3.3", {"fast": "1d11b89d9a61791d", "small": "36726ed1046463f9"})


def test_compress_others_read_it() -> None:
    data = compress(DATA)
    assert data[:10] == HEADER
    assert gzip.decompress(data) == DATA == decompress(data, limit=len(DATA))


@pytest.mark.parametrize("level", LEVELS.values())
@pytest.mark.parametrize("size", [1, 999, 65_537])
def test_compressing_in_parts_gives_the_same_bytes(level: int, size: int) -> None:
    out = io.BytesIO()
    with compressing(out, level=level) as sink:
        for at in range(0, len(DATA), size):
            sink.write(DATA[at : at + size])
    assert out.getvalue() == compress(DATA, level=level)


def test_reader_headers_of_others_are_read() -> None:
    out = io.BytesIO()
    with gzip.GzipFile("name.txt", "wb", fileobj=out, mtime=5) as stream:
        stream.write(DATA)
    reader = Reader(io.BytesIO(out.getvalue()), limit=len(DATA))
    parts = [reader.read(1000)]
    while parts[-1]:
        parts.append(reader.read(1000))
    assert b"".join(parts) == DATA


GOOD = compress(b"hello")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "this is not gzip data"),
        (b"PK" + GOOD, "this is not gzip data"),
        (GOOD[:3] + b"\x20" + GOOD[4:], "the gzip header has reserved flags (0x20)"),
        (GOOD[:3] + b"\x02" + GOOD[4:10] + b"\0\0" + GOOD[10:], "the gzip header is corrupt (checksum mismatch)"),
        (GOOD[:3] + b"\x08" + GOOD[4:10] + b"name", "the gzip data is truncated"),
        (GOOD[:-1], "the gzip data is truncated"),
        (GOOD[:-8], "the gzip data is truncated"),
        (GOOD[:12], "the gzip data is truncated"),
        (GOOD[:-8] + struct.pack("<II", 1, 5), "the gzip data is corrupt (checksum mismatch)"),
        (GOOD[:-8] + struct.pack("<II", zlib.crc32(b"hello"), 6), "the gzip data is corrupt (checksum mismatch)"),
        (GOOD + b"\0", "the gzip data is followed by other data"),
        (GOOD + GOOD, "the gzip data is followed by other data"),
        (HEADER + b"\xff" * 20, "the gzip data is corrupt (Error -3 while decompressing data: invalid block type)"),
        (compress(bytes(300 << 20)), "the gzip data unpacks to more than 1000 bytes"),
    ],
)
def test_decompress_damaged_data_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(FormatError) as error:
        decompress(data, limit=1000)
    assert str(error.value) == message
