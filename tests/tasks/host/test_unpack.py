"""Archives of ours and of others, unpacked into a folder."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import compressing
from packyard.formats.archive.tarball import write_tar
from packyard.formats.archive.zipball import write_zip
from packyard.formats.errors import FormatError
from packyard.tasks.host.unpack import unpack

ENTRIES = [Entry("README.md", b"# a\n"), Entry("bin/run", b"#!/bin/sh\n", True), Entry("deep/er/ä", b"")]


def found(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), stat.S_IMODE(path.stat().st_mode))
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_files_and_modes_are_those_of_either_archive(tmp_path: Path) -> None:
    with (tmp_path / "a.tar.gz").open("wb") as out, compressing(out) as packed:
        write_tar(ENTRIES, packed)
    with (tmp_path / "a.zip").open("wb") as out:
        write_zip(ENTRIES, out)
    for name in ("a.tar.gz", "a.zip"):
        unpack(tmp_path / name, tmp_path / f"{name}.d")
        assert found(tmp_path / f"{name}.d") == {
            "README.md": (b"# a\n", 0o644),
            "bin/run": (b"#!/bin/sh\n", 0o755),
            "deep/er/ä": (b"", 0o644),
        }


def tar_of(path: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo(path))
    return out.getvalue()


def zip_of(path: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(path, b"")
    return out.getvalue()


@pytest.mark.parametrize("make", [tar_of, zip_of])
@pytest.mark.parametrize("path", ["../out", "/out", "a/../../out"])
def test_file_that_would_lie_elsewhere_is_refused(tmp_path: Path, make, path: str) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "in").mkdir()
    (tmp_path / "archive").write_bytes(make(path))
    with pytest.raises(FormatError):
        unpack(tmp_path / "archive", tmp_path / "in/side")
    assert not (tmp_path / "out").exists()
    assert found(tmp_path / "in") == {}


@pytest.mark.parametrize("data", [b"", b"PK", b"neither", tar_of("a")[:-9], zip_of("a")[:-1]])
def test_damaged_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "archive").write_bytes(data)
    with pytest.raises(FormatError):
        unpack(tmp_path / "archive", tmp_path / "folder")
