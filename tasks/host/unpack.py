"""Unpacking an archive, ours or another's, into a new folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from packyard.formats.archive import gzipped, zipball
from packyard.formats.archive.tarball import read_tar
from packyard.formats.relpath import read_relpath

_LARGEST = 1 << 34  # bytes that an archive may unpack to


def unpack(file: Path, folder: Path) -> None:
    """Write every file of a tar.gz or zip below the new `folder`; FormatError if it is corrupt or not safe."""
    folder.mkdir()
    with file.open("rb") as stream:
        zipped = stream.read(2) == b"PK"
        stream.seek(0)
        for path, content, executable in _zip(stream) if zipped else _tar(stream):
            place = folder / read_relpath(path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
            place.chmod(0o755 if executable else 0o644)


def _tar(stream: BinaryIO) -> Iterator[tuple[str, bytes, bool]]:
    for member in read_tar(gzipped.Reader(stream, limit=_LARGEST), limit=_LARGEST):
        if member.kind == "file":
            yield member.path, member.body.read(), member.executable


def _zip(stream: BinaryIO) -> Iterator[tuple[str, bytes, bool]]:
    for member in zipball.read_zip(stream, limit=_LARGEST):
        yield member.path, zipball.contents(stream, member), member.executable
