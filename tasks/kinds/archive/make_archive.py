"""Make an archive of files and other targets' artifacts."""

from __future__ import annotations

import posixpath
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import compressing
from packyard.formats.archive.tarball import write_tar
from packyard.formats.archive.zipball import write_zip
from packyard.formats.mojo.packagemanifest import SUFFIX, read_package_manifest
from packyard.formats.mojo.source import move_imports
from packyard.tasks.target.packing import PackingParams
from packyard.tasks.target.room import Room
from packyard.tasks.texts.distribution import CONTENTS, INSTALL, contents_text, install_text


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedImports:
    """How the imports of an example change for a meta-package: those of `names` move below the package `below`."""

    names: tuple[str, ...]
    below: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionParams:
    """What makes an archive a distribution: its title ('odyssey 0.1.0'), the templates of README and INSTALL, and the
    examples (by their place) whose imports move."""

    title: str
    readme: str
    install: str
    moved: Mapping[str, MovedImports]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveParams(PackingParams):
    """The parameters of an archive: its file name, the folder in it that everything stands below ('' is none), and
    where the tree of each used target stands."""

    name: str
    format: str  # 'tar.gz' or 'zip'
    prefix: str
    trees: Mapping[str, str] = field(default_factory=dict)
    distribution: DistributionParams | None = None


def make_archive(room: Room[ArchiveParams]) -> None:
    """Write the staged inputs as one archive."""
    params, packing = room.params, room.params.packing
    below = f"{params.prefix}/" if params.prefix else ""
    moved = params.distribution.moved if params.distribution else {}
    entries = [
        Entry(f"{below}{at}", _moved(path, moved.get(at)), bool(path.stat().st_mode & stat.S_IXUSR))
        for at, path in _staged(room)
    ]
    if params.distribution:
        entries += [Entry(f"{below}{at}", text.encode()) for at, text in _written(room, params.distribution)]
    with (room.outputs / params.name).open("wb") as out:
        if params.format == "zip":
            write_zip(entries, out, epoch=packing.epoch)
        else:
            with compressing(out, level=packing.level) as packed:
                write_tar(entries, packed, epoch=packing.epoch)


def _staged(room: Room[ArchiveParams]) -> Iterator[tuple[str, Path]]:
    """Every file and where it stands in the archive: what was staged, and what lies in a used tree."""
    for base, at in ((room.inputs, ""), *((room.trees[name], at) for name, at in room.params.trees.items())):
        for path in base.rglob("*"):
            if path.is_file():
                yield posixpath.join(at, path.relative_to(base).as_posix()), path


def _moved(path: Path, how: MovedImports | None) -> Path | bytes:
    """The content of a file; of an example for a meta-package, with its imports moved."""
    if how is None:
        return path
    return move_imports(path.read_text(encoding="utf-8"), how.names, how.below).encode()


def _written(room: Room[ArchiveParams], params: DistributionParams) -> Iterator[tuple[str, str]]:
    """The papers of a distribution that the workspace did not bring itself."""
    manifests = [
        read_package_manifest(path.read_text(encoding="utf-8"), path.name)
        for path in sorted((room.inputs / "packages").glob(f"*{SUFFIX}"))
    ]
    if manifests and not (room.inputs / CONTENTS).exists():
        yield CONTENTS, contents_text(params.readme, params.title, manifests)
    if not (room.inputs / INSTALL).exists():
        examples = sorted(path.relative_to(room.inputs).as_posix() for path in room.inputs.glob("examples/**/*.mojo"))
        yield INSTALL, install_text(params.install, params.title, manifests, examples)
