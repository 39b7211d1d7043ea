"""The kind `archive`: a tar.gz or zip of files and of what other targets make, the same bytes on every machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase

from packyard.formats.errors import FormatError, Problem
from packyard.formats.reference import TargetRef, read_reference
from packyard.formats.workspace.manifest import ArchiveSpec
from packyard.tasks.errors import gather
from packyard.tasks.kinds.archive.distribution import distribution_params, folder_name, lay_out, missing
from packyard.tasks.kinds.archive.make_archive import ArchiveParams, make_archive
from packyard.tasks.kinds.docs.site import is_site, site_folder
from packyard.tasks.kinds.mojo.plan import sound_packages
from packyard.tasks.target.packing import Packing
from packyard.tasks.target.params import call
from packyard.tasks.target.target import Output, Source, Target, Use
from packyard.tasks.workspace.belonging import belongs, find_files
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
        named = find_files(workspace, reference, belongs(workspace), lambda path: _left_out(path, spec))
        if not named.files:
            message = f"'{text}' matches no file"
            problems.append(Problem(message, f"{key}.include[{number}]", MANIFEST, named.hint))
        sources.update((path, Source(path=path, at=path)) for path in named.files)
    top, stem = spec.prefix, f"{spec.name}-{spec.version}"
    distribution = None
    if spec.layout:
        top = stem = folder_name(spec)
        layout = lay_out(sources, (use.target for use in uses), sound_packages(workspace), workspace.watch)
        sources, uses = layout.sources | sources, uses | layout.uses
        distribution = distribution_params(spec, layout, workspace.watch)
        problems += missing(sources.values(), key)
    if problems:
        raise FormatError(*problems)
    file = f"{stem}.{spec.format}"
    return Target(
        name=f"archive:{spec.name}",
        doc=f"the archive {file}",
        place=MANIFEST,
        **call(
            make_archive,
            ArchiveParams(
                name=file,
                format=spec.format,
                prefix=top,
                packing=Packing.of("small", epoch=workspace.epoch),
                trees=trees,
                distribution=distribution,
            ),
        ),
        sources=tuple(sources[path] for path in sorted(sources, key=os.fsencode)),
        uses=tuple(uses),
        outputs=(Output(at=file, artifact=f"dist/{file}"),),
        final=True,
    )


def _left_out(path: str, spec: ArchiveSpec) -> bool:
    return path.startswith(_OWN) or any(
        fnmatchcase(path.rstrip("/"), pattern) or path.startswith(pattern.rstrip("/") + "/") for pattern in spec.exclude
    )
