"""The first difference between two files."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile

import pytest
from packyard.formats.pspf.difference import Difference, first_difference


def tar(**members: bytes | tuple[bytes, dict[str, object]]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, given in members.items():
            content, settings = given if isinstance(given, tuple) else (given, {})
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in settings.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


def gzipped(content: bytes, level: int = 6, mtime: int = 0) -> bytes:
    return gzip.compress(content, level, mtime=mtime)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (b"abcdef", b"abXYef", "bytes 2 to 3: 63 64 ('cd') and 58 59 ('XY')"),
        (b"abc", b"abd", "byte 2: 63 ('c') and 64 ('d')"),
        (b"ab", b"ab\0\1", "bytes 2 to 3: nothing and 00 01"),
        (b"", b"\xff", "byte 0: nothing and ff"),
        (b"x" * 70_000 + b"a" + b"y" * 9, b"x" * 70_000 + b"b" + b"y" * 9, "byte 70000: 61 ('a') and 62 ('b')"),
        (tar(a=b"1", b=b"2"), tar(a=b"1", b=b"3"), "b: byte 0: 32 ('2') and 33 ('3')"),
        (tar(a=b"1", b=b"2"), tar(b=b"2", a=b"1"), "the order of members differs: 'a' and 'b'"),
        (tar(a=b"1", b=b"2"), tar(a=b"1"), "only the first contains 'b'"),
        (tar(a=b"1"), tar(a=b"1", b=b"2"), "only the second contains 'b'"),
        (tar(a=(b"1", {"mtime": 5})), tar(a=(b"1", {"mtime": 6})), "a: its mtime is 5 and 6"),
        (tar(a=(b"1", {"mode": 0o644})), tar(a=(b"1", {"mode": 0o600})), "a: its mode is 0o644 and 0o600"),
        (tar(a=(b"1", {"uname": "x"})), tar(a=b"1"), "a: its owner's name is x: and :"),
        (zipped(a=b"1", b=b"2"), zipped(a=b"1", b=b"3"), "b: byte 0: 32 ('2') and 33 ('3')"),
        (gzipped(tar(a=zipped(b=b"1"))), gzipped(tar(a=zipped(b=b"2"))), "a > b: byte 0: 31 ('1') and 32 ('2')"),
        (gzipped(b"1", mtime=1), gzipped(b"1", mtime=2), "the same content, compressed differently: byte 4: 01 and 02"),
    ],
)
def test_difference_is_the_innermost(one: bytes, other: bytes, expected: str) -> None:
    assert str(first_difference(one, other)) == expected


def test_difference_of_equal_files_is_none() -> None:
    assert first_difference(tar(a=b"1"), tar(a=b"1")) is None


BEFORE = zipped(a=b"1")[:-6] + b"\xff\0\0\0\0\0"  # its members would stand before the file's start


@pytest.mark.parametrize(
    "head",
    [
        b"\x1f\x8b",
        b"PK\3\4",
        zipped(a=b"1").replace(b"PK\1\2", b"PK\1\3"),
        tar(a=b"1" * 600)[:700],
        bytes(1024),
        BEFORE,
    ],
    ids=["gzip", "zip", "directory", "tar", "zeros", "before"],
)
def test_difference_of_broken_archives_is_that_of_their_bytes(head: bytes) -> None:
    found = first_difference(head + b"a", head + b"b")
    assert found == Difference((), len(head), len(head) + 1, b"a", b"b")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"launcher": b"not really a launchef"}, "launcher: byte 20: 72 ('r') and 66 ('f')"),
        ({"files": "other"}, "slot app > share/text: bytes 0 to 3: "),
        ({"seed": "s2"}, "the same parts, signed or laid out differently: bytes "),
    ],
)
def test_difference_of_bundles_names_the_part(make_bundle, write_tgz, tmp_path, changes, expected) -> None:  # type: ignore[no-untyped-def]
    one = make_bundle()
    if "files" in changes:
        other_app = write_tgz("other.tar.gz", {"bin/run": b'#!/bin/sh\necho "ran $*"\n', "share/text": b"TEXT\n"})
        changes = {"files": [other_app, tmp_path / "notes.txt"]}
    other = make_bundle("other.psp", **changes)
    assert str(first_difference(one.read_bytes(), other.read_bytes())).startswith(expected)
