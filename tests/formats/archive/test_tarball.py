from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packyard.formats.archive.entry import Entry
from packyard.formats.archive.tarball import END, read_tar, write_tar
from packyard.formats.errors import FormatError

LONG = "/".join(["a-rather-long-folder-name"] * 12) + "/file.txt"
SPLIT = "p" * 60 + "/" + "n" * 80

FILES = [
    Entry("b/run.sh", b"#!/bin/sh\n", executable=True),
    Entry("a.txt", b"hello\n"),
    Entry("empty", b""),
    Entry("b/größe.txt", b"x" * 513),
    Entry(SPLIT, b"split"),
    Entry(LONG, b"long"),
]


def tar(entries: list[Entry], **how: int) -> bytes:
    out = io.BytesIO()
    write_tar(entries, out, **how)  # type: ignore[arg-type]
    return out.getvalue()


def listed(data: bytes, *, limit: int = 1 << 30, links: bool = False) -> list[tuple[str, str, bool, bytes]]:
    stream = io.BytesIO(data)
    return [(m.path, m.kind, m.executable, m.body.read()) for m in read_tar(stream, limit=limit, links=links)]


def test_write_same_files_in_other_order_gives_the_pinned_bytes() -> None:
    data = tar(FILES)
    assert tar(FILES[::-1]) == data
    assert hashlib.sha256(data).hexdigest() == "a37973671f131e0716671adb6e05ea876285f7b1cf96a8fe1f4a04284d1b5847"


def test_write_then_read_gives_the_files_back() -> None:
    expected = sorted((e.path, "file", e.executable, e.content) for e in FILES)
    assert sorted(listed(tar(FILES))) == expected


def test_write_python_reads_names_modes_and_no_owners() -> None:
    with tarfile.open(fileobj=io.BytesIO(tar(FILES, epoch=1700000000))) as archive:
        found = {m.name: (m.mode, m.uid, m.gid, m.uname, m.gname, m.mtime, m.size) for m in archive}
    assert found["b/run.sh"] == (0o755, 0, 0, "", "", 1700000000, 10)
    assert found[LONG] == (0o644, 0, 0, "", "", 1700000000, 4)
    assert set(found) == {e.path for e in FILES}


def test_write_gnu_tar_unpacks_every_file(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(tar(FILES))
    subprocess.run(["tar", "xf", "x.tar"], cwd=tmp_path, check=True)
    assert all((tmp_path / e.path).read_bytes() == e.content for e in FILES)


def test_write_streams_files_and_two_archives_can_be_put_together(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"z" * 70000)
    first = tar([Entry("f", tmp_path / "f")], end=False)
    data = first + tar([Entry("g", b"g")])
    assert [(path, len(body)) for path, _, _, body in listed(data)] == [("f", 70000), ("g", 1)]


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["a", "a"], "'a' appears twice in the archive"),
        (["a", "a/b"], "'a' is both a file and a folder"),
        (["README", "readme"], "'readme' and 'README' are the same file on case-insensitive systems"),
        (["A/x", "a/y"], "'a' and 'A' are the same file on case-insensitive systems"),
        (["../x"], "'../x' is not a valid archive path: '..' is not a file name"),
        (["a//b"], "'a//b' is not a valid archive path: '' is not a file name"),
        (["c:x"], "'c:x' contains a colon, which some systems cannot store"),
    ],
)
def test_write_bad_paths_are_refused(paths: list[str], message: str) -> None:
    with pytest.raises(FormatError) as error:
        tar([Entry(path, b"") for path in paths])
    assert str(error.value) == message


def test_write_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError) as error:
        tar([Entry("x", tmp_path / "x")])
    assert str(error.value) == f"{tmp_path}/x: cannot be read: No such file or directory"


def hostile(make: Callable[[tarfile.TarFile], None], kind: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=kind) as archive:
        make(archive)
    return out.getvalue()


def member(
    name: str,
    kind: bytes = tarfile.REGTYPE,
    target: str = "",
    *,
    size: int = 0,
    path: str = "",
    sparse: str = "",
    stated: str = "",
) -> bytes:
    def make(archive: tarfile.TarFile) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.size = kind, target, size
        said = {"path": path, "GNU.sparse.major": sparse, "size": stated}
        info.pax_headers = {key: value for key, value in said.items() if value}
        archive.addfile(info, io.BytesIO(bytes(size)))

    return hostile(make)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (member("/etc/passwd"), "/etc/passwd: '/etc/passwd' is not a valid archive path: '' is not a file name"),
        (member("../x"), "../x: '../x' is not a valid archive path: '..' is not a file name"),
        (member("a\\b"), "a\\b: 'a\\\\b' is not a valid archive path: 'a\\\\b' contains a control character or "
            "slash; expected a plain file name"),
        (member("l", tarfile.SYMTYPE, "x"), "l: is a link to 'x'; expected only files and folders"),
        (member("l", tarfile.SYMTYPE, "../x"), "'l' is a link to '../x'; expected a target inside"),
        (member("l", tarfile.SYMTYPE, "/x"), "'l' is a link to '/x'; expected a target inside"),
        (member("h", tarfile.LNKTYPE, "../x"), "'h' is a link to '../x'; expected a target inside"),
        (member("p", tarfile.FIFOTYPE), "'p' is of type '6'; expected a file or folder"),
        (member("c", tarfile.CHRTYPE), "'c' is of type '3'; expected a file or folder"),
        (member("big", size=2000), "big: the archive unpacks to more than 1000 bytes"),
        (member("a", path="../../x"), "../../x: '../../x' is not a valid archive path: '..' is not a file name"),
        (member("a", sparse="1"),
         "an extended header has the key 'GNU.sparse.major', which could change what is unpacked"),
        (member("a", stated="1" * 30), f"'a' has size '{'1' * 30}'; expected a number"),
        (member("a", path="x" * 70_000), "an extended header has 70012 bytes; expected at most 65536"),
        (member("a", path="b").replace(b"9 path=b\n", b"9 path:b\n"),
         "an extended header is not a list of 'length key=value' records"),
        (member("l", tarfile.SYMTYPE, "x", size=5), "'l' is a link with 5 bytes of content"),
        (member(""), "a member has no name"),
        (member("f") [:512] + member("f"), "f: appears twice in the archive"),
        (member("f") [:512] + member("./f"), "f: appears twice in the archive"),
        (member("f") [:512] + member("f/g"), "f/g: is below 'f', which is not a folder"),
        (member("f") [:512] + member("F"), "'F' and 'f' are the same file on case-insensitive systems"),
        (member("f/g") [:512] + member("f"), "f: is both a file and a folder"),
        (member("f/g") [:512] + member("F"), "'F' and 'f' are the same file on case-insensitive systems"),
        (member("f/g") [:512] + member("F/h"), "'F' and 'f' are the same file on case-insensitive systems"),
        (member("a", path="d/" * 2500 + "f"),
         "d/" * 2500 + f"f: '{'d/' * 20}...' is 5001 long; expected a path of at most 4096"),
        (tar([Entry("f", b"")]) + b"more", "the archive has data after its end"),
        (tar([Entry("f", b"12345")])[:700], "the archive ends in the middle of a member"),
        (b"", "this is not a tar archive (expected ustar)"),
        (b"x" * 512, "this is not a tar archive (expected ustar)"),
        (b"x" + tar([Entry("f", b"")])[1:], "an archive header is corrupt (checksum mismatch)"),
    ],
)  # fmt: skip
def test_read_hostile_archives_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(FormatError) as error:
        listed(data, limit=1000)
    assert str(error.value) == message


def test_read_links_inside_are_given_with_their_target_from_the_root() -> None:
    data = member("bin/python3", tarfile.SYMTYPE, "python3.12")
    (found,) = read_tar(io.BytesIO(data), limit=0, links=True)
    assert (found.kind, found.target) == ("link", "bin/python3.12")


def test_read_link_in_place_of_a_folder_is_refused() -> None:
    data = member("d/x")[:512] + member("d", tarfile.SYMTYPE, "e")
    with pytest.raises(FormatError, match=r"^d: is both a file and a folder$"):
        list(read_tar(io.BytesIO(data), limit=0, links=True))


def test_read_file_below_a_link_is_refused() -> None:
    data = member("d", tarfile.SYMTYPE, "e")[:512] + member("d/x")
    with pytest.raises(FormatError, match=r"^d/x: is below 'd', which is not a folder$"):
        list(read_tar(io.BytesIO(data), limit=0, links=True))


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_read_accepts_what_other_writers_make(kind: int) -> None:
    def make(archive: tarfile.TarFile) -> None:
        for path, body in (("./a", b"1"), ("./" + "d" * 90 + "/" + "n" * 99, b"22")):
            info = tarfile.TarInfo(path)
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))

    assert [(path, body) for path, _, _, body in listed(hostile(make, kind))] == [
        ("a", b"1"),
        ("d" * 90 + "/" + "n" * 99, b"22"),
    ]


@given(
    st.dictionaries(
        st.text("abcé-_.", min_size=1, max_size=200).filter(lambda t: t.strip(".")), st.binary(max_size=600)
    )
)
def test_write_then_read_is_the_identity(files: dict[str, bytes]) -> None:
    data = tar([Entry(path, body) for path, body in files.items()])
    if files:
        assert {path: body for path, _, _, body in listed(data)} == files
    else:
        assert data == END
