from __future__ import annotations

import gzip
import hashlib
import io
import tarfile

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.pspf.contents import contents_digest, listing, merged, read_contents
from packyard.formats.pspf.operations import read_chain


def archive(*members: tuple[str, bytes, bytes], format: int = tarfile.USTAR_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as tar:
        for name, kind, content in members:
            entry = tarfile.TarInfo(name)
            entry.type, entry.size = kind, len(content)
            entry.linkname = "elsewhere" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


TREE = archive(("./d", tarfile.DIRTYPE, b""), ("./d/b", tarfile.REGTYPE, b"2"), ("a", tarfile.REGTYPE, b"1"))


@pytest.mark.parametrize(("operations", "stored"), [("tar", TREE), ("tgz", gzip.compress(TREE))], ids=["tar", "tgz"])
def test_contents_of_a_tar_are_its_files(operations: str, stored: bytes) -> None:
    assert read_contents(io.BytesIO(stored), read_chain(operations), "") == {"d/b": sha256(b"2"), "a": sha256(b"1")}


@pytest.mark.parametrize(
    ("operations", "stored"), [("raw", b"data"), ("gzip", gzip.compress(b"data"))], ids=["raw", "gzip"]
)
def test_contents_of_a_file_are_its_target(operations: str, stored: bytes) -> None:
    assert read_contents(io.BytesIO(stored), read_chain(operations), "x/y") == {"x/y": sha256(b"data")}


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_contents_know_long_names_in_every_form(format: int) -> None:
    name = "/".join(["folder" * 10] * 3 + ["file"])
    stored = archive((name, tarfile.REGTYPE, b"1"), format=format)
    assert list(read_contents(io.BytesIO(stored), read_chain("tar"), "")) == [name]


def test_listing_is_sorted_by_bytes_and_names_the_contents() -> None:
    contents = {"b": "2" * 64, "a/é": "1" * 64, "a": "0" * 64}
    assert listing(contents).decode() == f"{'0' * 64}  ./a\n{'1' * 64}  ./a/é\n{'2' * 64}  ./b\n"
    assert contents_digest(contents).hex == sha256(listing(contents))


def test_merged_takes_one_file_twice_and_refuses_two_of_one_name() -> None:
    assert merged([{"a": "1"}, {"a": "1", "b": "2"}]) == {"a": "1", "b": "2"}
    with pytest.raises(FormatError) as caught:
        merged([{"a": "1"}, {"a": "2"}])
    assert str(caught.value) == "'a' is in two slots, with different contents"


@pytest.mark.parametrize(
    "stored",
    [
        archive(("../out", tarfile.REGTYPE, b"1")),
        archive(("/out", tarfile.REGTYPE, b"1")),
        archive(("link", tarfile.SYMTYPE, b"")),
        archive(("link", tarfile.LNKTYPE, b"")),
        archive(("device", tarfile.CHRTYPE, b"")),
        archive(("a", tarfile.REGTYPE, b"1"), ("./a", tarfile.REGTYPE, b"2")),
        TREE[:700],
        TREE + b"more",
        b"x" * 1024,
    ],
    ids=["parent", "absolute", "symlink", "hardlink", "device", "twice", "cut", "after", "noise"],
)
def test_hostile_tar_is_refused(stored: bytes) -> None:
    with pytest.raises(FormatError):
        read_contents(io.BytesIO(stored), read_chain("tar"), "")


@pytest.mark.parametrize(
    "stored",
    [
        gzip.compress(TREE)[:-1],
        gzip.compress(TREE) + b"x",
        gzip.compress(TREE) + gzip.compress(TREE),
        gzip.compress(TREE)[:-5] + b"\0" * 5,
        b"",
    ],
    ids=["cut", "after", "second member", "wrong trailer", "empty"],
)
def test_damaged_gzip_is_refused(stored: bytes) -> None:
    with pytest.raises(FormatError):
        read_contents(io.BytesIO(stored), read_chain("tgz"), "")


def test_bomb_stops_at_the_limit() -> None:
    stored = gzip.compress(bytes(10_000_000))
    with pytest.raises(FormatError, match="more than 1000000 bytes"):
        read_contents(io.BytesIO(stored), read_chain("gzip"), "x", limit=1_000_000)
