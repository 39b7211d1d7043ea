from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packyard.formats.archive.ustar import BLOCK, Header, read_exactly, read_header, write_header
from packyard.formats.errors import FormatError


def read(data: bytes) -> Header:
    stream = io.BytesIO(data)
    header = read_header(stream, stream.read(BLOCK))
    assert stream.read() == b""
    return header


@pytest.mark.parametrize(
    ("path", "blocks"),
    [
        ("a", 1),
        ("a" * 100, 1),
        ("p" * 155 + "/" + "n" * 100, 1),
        ("a" * 101, 3),
        ("p" * 156 + "/" + "n" * 99, 3),
        ("ä" * 60, 3),
        ("deep/" * 300 + "x", 5),
    ],
)
def test_header_has_room_for_every_path_in_as_few_blocks_as_can_be(path: str, blocks: int) -> None:
    data = write_header(path, mode=0o755, size=0, epoch=0)
    assert len(data) == blocks * BLOCK
    assert read(data) == Header(path=path, kind="file", executable=True, size=0)
    with tarfile.open(fileobj=io.BytesIO(data + bytes(2 * BLOCK))) as archive:
        (member,) = archive
    assert (member.name, member.mode, member.uid, member.uname) == (path, 0o755, 0, "")


@pytest.mark.parametrize("size", [8**11 - 1, 8**11, 2**64 - 1])
def test_header_has_room_for_every_size(size: int) -> None:
    data = write_header("a", mode=0o644, size=size, epoch=1_700_000_000)
    assert len(data) == (BLOCK if size < 8**11 else 3 * BLOCK)
    assert read(data) == Header(path="a", kind="file", executable=False, size=size)
    assert tarfile.TarFile(fileobj=io.BytesIO(data)).next().size == size  # type: ignore[union-attr]


PATHS = st.lists(
    st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1, max_size=90), min_size=1
).map("/".join)


@given(PATHS, st.sampled_from([0o644, 0o755]), st.integers(0, 2**63), st.integers(0, 8**11 - 1))
def test_header_that_was_written_is_read_back(path: str, mode: int, size: int, epoch: int) -> None:
    found = read(write_header(f"x/{path}", mode=mode, size=size, epoch=epoch))
    assert found == Header(path=f"x/{path}", kind="file", executable=mode == 0o755, size=size)


def test_header_of_others_loses_what_a_path_need_not_say() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, kind in (("./", tarfile.DIRTYPE), ("./a/", tarfile.DIRTYPE), ("./" + "b" * 200, tarfile.REGTYPE)):
            info = tarfile.TarInfo(name)
            info.type = kind
            archive.addfile(info)
    stream = io.BytesIO(out.getvalue())
    found = [read_header(stream, stream.read(BLOCK)) for _ in range(3)]
    assert [(header.path, header.kind) for header in found] == [("", "folder"), ("a", "folder"), ("b" * 200, "file")]


def test_header_of_a_link_tells_what_it_was_written_with() -> None:
    info = tarfile.TarInfo("a/b")
    info.type, info.linkname = tarfile.SYMTYPE, "../" + "c" * 150
    data = info.tobuf(tarfile.PAX_FORMAT)
    assert read(data) == Header(path="a/b", kind="link", executable=False, size=0, link=info.linkname)


GOOD = write_header("a", mode=0o644, size=0, epoch=0)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (bytes(BLOCK), "this is not a tar archive (expected ustar)"),
        (GOOD[:-1], "this is not a tar archive (expected ustar)"),
        (b"b" + GOOD[1:], "an archive header is corrupt (checksum mismatch)"),
        (write_header("a" * 101, mode=0o644, size=0, epoch=0)[:600], "the archive ends in the middle of a member"),
    ],
)
def test_header_that_is_none_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        read(data)
    assert str(caught.value) == message


def test_bytes_that_end_early_are_refused() -> None:
    assert read_exactly(io.BytesIO(b"abc"), 3) == b"abc"
    assert read_exactly(io.BytesIO(b""), 0) == b""
    with pytest.raises(FormatError, match=r"^the archive ends in the middle of a member$"):
        read_exactly(io.BytesIO(b"ab"), 3)
