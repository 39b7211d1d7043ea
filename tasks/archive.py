"""The kind `archive`: a tar.gz or zip of files and of what other targets make, the same bytes on every machine."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from fnmatch import fnmatchcase

from packyard.formats.entry import Entry
from packyard.formats.errors import FormatError, Problem
from packyard.formats.gzipped import COMPRESSOR, LEVELS, compressing
from packyard.formats.reference import TargetRef, read_reference
from packyard.formats.tarball import write_tar
from packyard.formats.workspace import ArchiveSpec
from packyard.formats.zipball import write_zip
from packyard.tasks.errors import gather
from packyard.tasks.room import Room
from packyard.tasks.target import Output, Source, Target, Use
from packyard.tasks.workspace import MANIFEST, Workspace

_OWN = ("dist/", "site/")  # artifacts are named as targets, never found by a pattern


def targets(workspace: Workspace) -> Iterator[Target]:
    """One target for each `[[archive]]` of the workspace; FormatError with every pattern that finds nothing."""
    problems: list[FormatError] = []
    for position, spec in enumerate(workspace.manifest.archives):
        try:
            yield _target(workspace, spec, f"archive[{position}]")
        except FormatError as error:
            problems.append(error)
    gather(problems)


def make_archive(room: Room) -> None:
    """Write the staged inputs as one archive."""
    prefix = room.params["prefix"]
    entries = []
    for path in room.inputs.rglob("*"):
        if path.is_file():
            at = path.relative_to(room.inputs).as_posix()
            entries.append(Entry(f"{prefix}/{at}" if prefix else at, path, bool(path.stat().st_mode & stat.S_IXUSR)))
    with (room.outputs / room.params["name"]).open("wb") as out:
        if room.params["format"] == "zip":
            write_zip(entries, out, epoch=room.params["epoch"])
        else:
            with compressing(out, level=room.params["level"]) as packed:
                write_tar(entries, packed, epoch=room.params["epoch"])


def _target(workspace: Workspace, spec: ArchiveSpec, key: str) -> Target:
    sources: dict[str, Source] = {}
    uses: dict[Use, None] = {}
    problems: list[Problem] = []
    for number, text in enumerate(spec.include):
        reference = read_reference(text)
        if isinstance(reference, TargetRef):
            folder = "packages/" if reference.target.startswith("mojo:") else ""
            uses[Use(target=reference.target, part=reference.part, at=folder)] = None
            continue
        found = workspace.watch.matching_files(reference, lambda path: _left_out(path, spec))
        if not found:
            problems.append(Problem(f"'{text}' matches no file", key=f"{key}.include[{number}]", place=MANIFEST))
        sources.update((path, Source(path=path, at=path)) for path in found)
    if problems:
        raise FormatError(*problems)
    file = f"{spec.name}-{spec.version}.{spec.format}"
    return Target(
        name=f"archive:{spec.name}",
        doc=f"the archive {file}",
        place=MANIFEST,
        run="packyard.tasks.archive:make_archive",
        params={
            "name": file,
            "format": spec.format,
            "prefix": spec.prefix,
            "epoch": workspace.epoch,
            "compressor": COMPRESSOR,
            "level": LEVELS["small"],
        },
        sources=tuple(sources[path] for path in sorted(sources, key=os.fsencode)),
        uses=tuple(uses),
        outputs=(Output(at=file, artifact=f"dist/{file}"),),
        final=True,
    )


def _left_out(path: str, spec: ArchiveSpec) -> bool:
    return path.startswith(_OWN) or any(
        fnmatchcase(path.rstrip("/"), pattern) or path.startswith(pattern.rstrip("/") + "/") for pattern in spec.exclude
    )
