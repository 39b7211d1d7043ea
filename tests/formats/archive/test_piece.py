from __future__ import annotations

import gzip
import hashlib
import io
import subprocess
import tarfile
import zlib
from pathlib import Path

import pytest
from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import HEADER, Reader
from packyard.formats.archive.piece import CLOSE, PieceWriter, join, write_piece
from packyard.formats.archive.tarball import END, read_tar, write_tar
from packyard.formats.errors import FormatError

FIRST = [Entry(f"lib/one{n}.py", f"x = {n}\n".encode() * 400) for n in range(30)]
SECOND = [Entry("bin/run", b"#!/bin/sh\n" * 9000, executable=True), Entry("lib/two.py", b"y = 2\n")]


def piece(tmp_path: Path, name: str, entries: list[Entry]) -> Path:
    path = tmp_path / name
    with path.open("wb") as out:
        write_piece(entries, out)
    return path


def tar(entries: list[Entry], *, end: bool) -> bytes:
    out = io.BytesIO()
    write_tar(entries, out, end=end)
    return out.getvalue()


def test_close_is_the_end_of_a_tar() -> None:
    assert zlib.decompress(CLOSE, -15) == END


def test_write_piece_is_a_whole_tarball_and_says_what_it_holds() -> None:
    out = io.BytesIO()
    made = write_piece(FIRST, out)
    bare = tar(FIRST, end=False)
    assert gzip.decompress(out.getvalue()) == bare + END
    assert (made.digest.hex, made.crc32, made.length) == (
        hashlib.sha256(bare).hexdigest(), zlib.crc32(bare), len(bare),
    )  # fmt: skip


def test_groups_of_a_piece_are_one_tar_in_their_order() -> None:
    out = io.BytesIO()
    writer = PieceWriter(out)
    writer.add(SECOND)
    writer.add(FIRST)
    made = writer.finish()
    bare = tar(SECOND, end=False) + tar(FIRST, end=False)
    assert gzip.decompress(out.getvalue()) == bare + END
    assert made.digest.hex == hashlib.sha256(bare).hexdigest()


@pytest.mark.parametrize("parts", [[], [FIRST], [FIRST, SECOND], [SECOND, [], FIRST]])
def test_join_is_one_gzip_member_with_every_file(tmp_path: Path, parts: list[list[Entry]]) -> None:
    out = io.BytesIO()
    length = join([piece(tmp_path, str(n), entries) for n, entries in enumerate(parts)], out)
    expected = b"".join(tar(entries, end=False) for entries in parts) + END
    inflate = zlib.decompressobj(31)
    assert inflate.decompress(out.getvalue()) == expected
    assert (inflate.eof, inflate.unused_data, length) == (True, b"", len(expected))


def test_join_of_joined_pieces_is_the_same_as_of_all(tmp_path: Path) -> None:
    paths = [piece(tmp_path, str(n), entries) for n, entries in enumerate([FIRST, SECOND])]
    inner = tmp_path / "inner"
    with inner.open("wb") as out:
        join(paths[:1], out)
    nested, flat = io.BytesIO(), io.BytesIO()
    join([inner, paths[1]], nested)
    join(paths, flat)
    assert nested.getvalue() == flat.getvalue()


def test_join_gnu_tar_and_python_and_our_reader_agree(tmp_path: Path) -> None:
    whole = tmp_path / "whole.tar.gz"
    with whole.open("wb") as out:
        join([piece(tmp_path, "1", FIRST), piece(tmp_path, "2", SECOND)], out)
    gnu = subprocess.run(["tar", "tzf", whole], check=True, capture_output=True, text=True).stdout.split()
    with tarfile.open(whole) as archive:
        python = archive.getnames()
    with whole.open("rb") as stream:
        ours = [member.path for member in read_tar(Reader(stream, limit=1 << 20), limit=1 << 20)]
    assert gnu == python == ours
    assert len(ours) == 32


@pytest.mark.parametrize(
    "data",
    [b"", b"\x1f\x8b", gzip.compress(b"x" * 100), HEADER + CLOSE + bytes(4) + b"\xff\3\0\0"],
    ids=["nothing", "a head", "a whole member", "less than an end"],
)
def test_join_what_is_no_piece_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(FormatError, match=r"x: is not a piece of a tarball$"):
        join([tmp_path / "x"], io.BytesIO())
