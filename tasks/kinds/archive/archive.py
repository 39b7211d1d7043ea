"""The kind `archive`: a tar.gz or zip of files and of what other targets make, the same bytes on every machine."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import COMPRESSOR, LEVELS, compressing
from packyard.formats.archive.tarball import write_tar
from packyard.formats.archive.zipball import write_zip
from packyard.formats.errors import FormatError, Problem
from packyard.formats.mojo.packagemanifest import SUFFIX, read_package_manifest
from packyard.formats.mojo.source import move_imports
from packyard.formats.reference import TargetRef, read_reference
from packyard.formats.workspace.manifest import ArchiveSpec
from packyard.tasks.errors import gather
from packyard.tasks.kinds.archive.distribution import (
    CONTENTS,
    INSTALL,
    contents_text,
    folder_name,
    install_text,
    lay_out,
    missing,
    templates,
)
from packyard.tasks.kinds.docs.site import is_site, site_folder
from packyard.tasks.kinds.mojo.plan import sound_packages
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Json, Output, Source, Target, Use
from packyard.tasks.workspace.workspace import MANIFEST, Workspace

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


def _target(workspace: Workspace, spec: ArchiveSpec, key: str) -> Target:
    sources: dict[str, Source] = {}
    uses: dict[Use, None] = {}
    trees: dict[str, str] = {}
    problems: list[Problem] = []
    for number, text in enumerate(spec.include):
        reference = read_reference(text)
        if isinstance(reference, TargetRef):
            folder = "packages/" if reference.target.startswith("mojo:") else ""
            if is_site(reference):
                trees[reference.target] = site_folder(reference.target.partition(":")[2], workspace.manifest)
            uses[Use(target=reference.target, part=reference.part, at=folder)] = None
            continue
        found = workspace.watch.matching_files(reference, lambda path: _left_out(path, spec))
        if not found:
            problems.append(Problem(f"'{text}' matches no file", key=f"{key}.include[{number}]", place=MANIFEST))
        sources.update((path, Source(path=path, at=path)) for path in found)
    top, stem = spec.prefix, f"{spec.name}-{spec.version}"
    params: dict[str, Json] = {"trees": trees} if trees else {}
    if spec.layout:
        top = stem = folder_name(spec)
        layout = lay_out(sources, (use.target for use in uses), sound_packages(workspace), workspace.watch)
        sources, uses = layout.sources | sources, uses | layout.uses
        params |= {"layout": f"{spec.name} {spec.version}", "moved": layout.moved, **templates(workspace.watch)}
        problems += missing(sources.values(), key)
    if problems:
        raise FormatError(*problems)
    file = f"{stem}.{spec.format}"
    return Target(
        name=f"archive:{spec.name}",
        doc=f"the archive {file}",
        place=MANIFEST,
        run="packyard.tasks.kinds.archive.archive:make_archive",
        params={
            "name": file,
            "format": spec.format,
            "prefix": top,
            "epoch": workspace.epoch,
            "compressor": COMPRESSOR,
            "level": LEVELS["small"],
            **params,
        },
        sources=tuple(sources[path] for path in sorted(sources, key=os.fsencode)),
        uses=tuple(uses),
        outputs=(Output(at=file, artifact=f"dist/{file}"),),
        final=True,
    )


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


def _left_out(path: str, spec: ArchiveSpec) -> bool:
    return path.startswith(_OWN) or any(
        fnmatchcase(path.rstrip("/"), pattern) or path.startswith(pattern.rstrip("/") + "/") for pattern in spec.exclude
    )
