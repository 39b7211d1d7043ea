"""The kind `morloc`: packages that are checked more strictly than their compiler does, and archived."""

from __future__ import annotations

import os
from collections.abc import Iterator

from packyard.formats.morloc.lock import DEFAULT, FOLDER, LockedPackage
from packyard.formats.morloc.reference import GitRef, archive_file, over_ssh, read_install
from packyard.tasks.errors import PlanError
from packyard.tasks.kinds.morloc.lint import find_errors
from packyard.tasks.kinds.morloc.lock import known_packages
from packyard.tasks.kinds.morloc.make_morloc import FetchedParams, MorlocParams, fetch_morloc, make_morloc
from packyard.tasks.kinds.morloc.members import read_folder, read_packages
from packyard.tasks.kinds.morloc.modules import select
from packyard.tasks.kinds.morloc.package import MANIFEST, Package
from packyard.tasks.kinds.morloc.scan import scan
from packyard.tasks.target.packing import Packing
from packyard.tasks.target.params import call
from packyard.tasks.target.target import Output, Source, Target
from packyard.tasks.workspace.workspace import LOCK, Workspace


def targets(workspace: Workspace) -> Iterator[Target]:
    """One target for each morloc member; PlanError with everything that is wrong with any of them."""
    packages = read_packages(workspace)
    spec = workspace.manifest.morloc
    locked = workspace.lock.packages
    scanned = scan(packages)
    found = find_errors(scanned, known_packages(workspace), root=workspace.root.name)
    problems = [finding.problem for finding in found]
    if problems:
        raise PlanError(*problems)
    for package in packages.values():
        yield _target(workspace, select(package, scanned.modules[package.name], spec.content), final=True)
    for other in locked.values():
        if other.name not in packages:
            yield from _locked_target(workspace, other)


def _locked_target(workspace: Workspace, locked: LockedPackage) -> Iterator[Target]:
    """A package that is not a member but locked: its archive is kept in the store, for planes."""
    spec = workspace.manifest.morloc
    source = spec.sources.get(locked.name, "")
    if locked.source == FOLDER and source:
        folder = os.path.normpath(source)
        folder = os.path.abspath(workspace.root / folder) if folder.startswith("..") else folder
        yield _target(workspace, read_folder(workspace.watch, folder, folder, locked.name), final=False)
    elif locked.commit and locked.content:
        reference = None if locked.source == DEFAULT else read_install(locked.source)
        url = reference.url if isinstance(reference, GitRef) else ""
        url = url or spec.default_repository.replace("{name}", locked.name)
        file = archive_file(locked.name, locked.version)
        yield Target(
            name=f"morloc:{locked.name}",
            doc=f"the morloc package {locked.name} {locked.version}, as it is locked",
            place=LOCK,
            **call(
                fetch_morloc,
                FetchedParams(
                    file=file,
                    package=locked.name,
                    url=over_ssh(url) if spec.ssh else url,
                    commit=locked.commit,
                    content=locked.content,
                    packing=Packing.of("small", epoch=workspace.epoch),
                ),
            ),
            outputs=(Output(at=file),),
            network=True,
            resource="io",
        )


def _target(workspace: Workspace, package: Package, *, final: bool) -> Target:
    file = archive_file(package.name, package.manifest.version)
    return Target(
        name=f"morloc:{package.name}",
        doc=f"the morloc package {package.name} {package.manifest.version}",
        place=package.path(MANIFEST),
        **call(make_morloc, MorlocParams(file=file, packing=Packing.of("small", epoch=workspace.epoch))),
        sources=tuple(
            Source(path=package.path(name), at=f"{package.name}/{name}")
            for name in sorted(package.files, key=os.fsencode)
        ),
        outputs=(Output(at=file, artifact=f"dist/{file}" if final else None),),
        final=final,
    )
