"""Make an archive of files and other targets' artifacts."""

from __future__ import annotations

import posixpath
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import compressing
from packyard.formats.archive.tarball import write_tar
from packyard.formats.archive.zipball import write_zip
from packyard.formats.mojo.packagemanifest import SUFFIX, read_package_manifest
from packyard.formats.mojo.source import move_imports
from packyard.tasks.target.room import Room
from packyard.tasks.texts.distribution import CONTENTS, INSTALL, contents_text, install_text


def make_archive(room: Room) -> None:
    """Write the staged inputs as one archive."""
    prefix = room.params["prefix"]
    entries = []
    for at, path in _staged(room):
        content = _moved(path, room.params.get("moved", {}).get(at))
        entries.append(Entry(f"{prefix}/{at}" if prefix else at, content, bool(path.stat().st_mode & stat.S_IXUSR)))
    if "layout" in room.params:
        entries += [Entry(f"{prefix}/{at}", text.encode()) for at, text in _written(room)]
    with (room.outputs / room.params["name"]).open("wb") as out:
        if room.params["format"] == "zip":
            write_zip(entries, out, epoch=room.params["epoch"])
        else:
            with compressing(out, level=room.params["level"]) as packed:
                write_tar(entries, packed, epoch=room.params["epoch"])


def _staged(room: Room) -> Iterator[tuple[str, Path]]:
    """Every file and where it stands in the archive: what was staged, and what lies in a used tree."""
    for base, at in ((room.inputs, ""), *((room.trees[name], at) for name, at in room.params.get("trees", {}).items())):
        for path in base.rglob("*"):
            if path.is_file():
                yield posixpath.join(at, path.relative_to(base).as_posix()), path


def _moved(path: Path, how: Mapping[str, Any] | None) -> Path | bytes:
    """The content of a file; of an example for a meta-package, with its imports moved."""
    if how is None:
        return path
    return move_imports(path.read_text(encoding="utf-8"), how["names"], how["below"]).encode()


def _written(room: Room) -> Iterator[tuple[str, str]]:
    """The papers of a distribution that the workspace did not bring itself."""
    title = room.params["layout"]
    manifests = [
        read_package_manifest(path.read_text(encoding="utf-8"), path.name)
        for path in sorted((room.inputs / "packages").glob(f"*{SUFFIX}"))
    ]
    if manifests and not (room.inputs / CONTENTS).exists():
        yield CONTENTS, contents_text(room.params["readme"], title, manifests)
    if not (room.inputs / INSTALL).exists():
        examples = sorted(path.relative_to(room.inputs).as_posix() for path in room.inputs.glob("examples/**/*.mojo"))
        yield INSTALL, install_text(room.params["install"], title, manifests, examples)
