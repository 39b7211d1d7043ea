from __future__ import annotations

import hashlib
import io
import struct
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from packyard.formats.archive.entry import Entry
from packyard.formats.archive.zipball import EARLIEST, entries, write_zip
from packyard.formats.errors import FormatError

FILES = [
    Entry("bin/run", b"#!/bin/sh\n", executable=True),
    Entry("a.txt", b"hello\n" * 500),
    Entry("größe.txt", b""),
]


def zipped(files: list[Entry], epoch: int = EARLIEST) -> bytes:
    out = io.BytesIO()
    write_zip(files, out, epoch=epoch)
    return out.getvalue()


def test_write_other_order_and_earlier_time_gives_the_pinned_bytes() -> None:
    data = zipped(FILES)
    assert zipped(FILES[::-1], epoch=0) == data
    assert hashlib.sha256(data).hexdigest()[:16] == "819cc5a6fd5545cd"


def test_write_then_read_gives_the_files_back() -> None:
    assert list(entries(io.BytesIO(zipped(FILES)), limit=1 << 20)) == sorted(FILES, key=lambda e: e.path.encode())


def test_write_python_and_unzip_read_names_modes_and_time(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(zipped(FILES, epoch=1700000001))
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert archive.testzip() is None
        found = {i.filename: (oct(i.external_attr >> 16), i.date_time) for i in archive.infolist()}
    assert found["bin/run"] == ("0o100755", (2023, 11, 14, 22, 13, 20))
    assert found["größe.txt"][0] == "0o100644"
    subprocess.run(["unzip", "-q", "x.zip"], cwd=tmp_path, check=True)
    assert (tmp_path / "bin/run").stat().st_mode & 0o777 == 0o755


@pytest.mark.long
def test_write_more_files_than_the_old_records_count_are_read() -> None:
    data = zipped([Entry(f"{n}", b"") for n in range(70_000)])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert len(archive.namelist()) == 70_000
    assert sum(1 for _ in entries(io.BytesIO(data), limit=0)) == 70_000


def test_write_beyond_4_gib_is_read_by_others_and_by_us(tmp_path: Path) -> None:
    far = tmp_path / "far.zip"
    with far.open("wb") as out:
        out.seek(5 << 30)  # a hole, which takes no room
        write_zip(FILES, out)
    with zipfile.ZipFile(far) as archive:
        assert archive.testzip() is None
        assert archive.read("a.txt") == b"hello\n" * 500
    with far.open("rb") as stream:
        assert list(entries(stream, limit=1 << 20)) == sorted(FILES, key=lambda e: e.path.encode())


def test_read_member_with_wide_sizes_and_folders_of_another_writer() -> None:
    def make(archive: zipfile.ZipFile) -> None:
        archive.writestr("d/", b"")
        with archive.open("d/f", "w", force_zip64=True) as out:
            out.write(b"wide")

    assert list(entries(io.BytesIO(made(make)), limit=4)) == [Entry("d/f", b"wide")]


def made(make: Callable[[zipfile.ZipFile], None]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        make(archive)
    return out.getvalue()


def link(archive: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo("l")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    archive.writestr(info, "/etc/passwd")


GOOD = made(lambda archive: archive.writestr("f", b"hello" * 50))


def twice(archive: zipfile.ZipFile) -> None:
    archive.writestr("f", b"1")
    archive.writestr("g", b"2")


def changed(data: bytes, at: int, new: bytes, *, record: bytes = b"PK\1\2") -> bytes:
    """A zip with other bytes in the last record of a kind."""
    start = data.rindex(record) + at
    return data[:start] + new + data[start + len(new) :]


TWO = made(twice)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "this is not a zip archive (no end record, or data after it)"),
        (GOOD + b"x", "this is not a zip archive (no end record, or data after it)"),
        (b"#!/bin/sh\n" + GOOD, "the zip has data before its first member or after its directory"),
        (made(lambda z: z.writestr("../x", b"")), "../x: '../x' is not a valid archive path: '..' is not a file name"),
        (made(lambda z: z.writestr("/x", b"")), "/x: '/x' is not a valid archive path: '' is not a file name"),
        (made(lambda z: z.writestr("d/" * 20_000 + "f", b"")),
         "d/" * 20_000 + f"f: '{'d/' * 20}...' is 40001 long; expected a path of at most 4096"),
        (made(link), "l: is a link or special file; expected a file or folder"),
        (made(twice).replace(b"g", b"f"), "f: appears twice in the archive"),
        (made(twice).replace(b"g", b"F"), "'f' and 'F' are the same file on case-insensitive systems"),
        (made(lambda z: z.writestr("big", bytes(5000))), "the archive unpacks to more than 1000 bytes"),
        (made(lambda z: [z.writestr(name, b"") for name in ("f", "f/g")]), "f: is both a file and a folder"),
        (changed(GOOD, 8, b"\1\0"), "f: is encrypted or in another part of the zip"),
        (changed(GOOD, 10, b"\x0c\0"), "f: has compression method 12; expected stored (0) or deflated (8)"),
        (changed(GOOD, 10, b"\0\0"), "f: has two different sizes"),
        (changed(GOOD, 24, b"\xff" * 4), "f: has no zip64 size"),
        (changed(GOOD, 46, b"\xff"), "the name b'\\xff' is not UTF-8"),
        (changed(GOOD, 46, b"/"), "/: '' is not a valid archive path: '' is not a file name"),
        (changed(GOOD, 0, b"PK\1\3"), "the zip's directory is corrupt"),
        (changed(GOOD, 8, b"\0\0", record=b"PK\5\6"), "the zip is one part of a multi-part archive"),
        (changed(GOOD, 8, b"\0\0\0\0", record=b"PK\5\6"), "the zip's directory has data after its last record"),
        (changed(GOOD, 16, b"\1", record=b"PK\5\6"),
         "the zip has data before its first member or after its directory"),
        (changed(TWO, 42, b"\0"), "g: overlaps another member"),
        (changed(TWO, 42, b"\1"), "g: overlaps another member"),
        (changed(GOOD, 42, b"\1"), "f: has no header where the zip's directory says"),
        (changed(changed(GOOD, 20, b"\xff"), 18, b"\xff", record=b"PK\3\4"),
         "f: does not fit before the zip's directory"),
        (GOOD.replace(b"f", b"e", 1), "f: has a header that differs from the zip's directory"),
        (GOOD[:31] + b"\xff\xff" + GOOD[33:],
         "f: the data is corrupt (Error -3 while decompressing data: invalid block type)"),
        (GOOD.replace(struct.pack("<I", 250), struct.pack("<I", 251)),
         "f: the data is corrupt (size or checksum mismatch)"),
    ],
)  # fmt: skip
def test_read_hostile_archives_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(FormatError) as error:
        list(entries(io.BytesIO(data), limit=1000))
    assert str(error.value) == message
