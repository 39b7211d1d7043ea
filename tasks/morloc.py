"""The kind `morloc`: packages that are checked more strictly than their compiler does, and archived."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from packyard.formats.entry import Entry
from packyard.formats.gzipped import COMPRESSOR, LEVELS, compressing
from packyard.formats.tarball import write_tar
from packyard.tasks.errors import PlanError
from packyard.tasks.morloclint import find_errors, scan
from packyard.tasks.morlocpackage import MANIFEST, Package, read_packages
from packyard.tasks.room import Room
from packyard.tasks.target import Output, Source, Target
from packyard.tasks.workspace import Workspace


def targets(workspace: Workspace) -> Iterator[Target]:
    """One target for each morloc member; PlanError with everything that is wrong with any of them."""
    packages = read_packages(workspace)
    problems = [found.problem for found in find_errors(scan(packages), root=workspace.root.name)]
    if problems:
        raise PlanError(*problems)
    for package in packages.values():
        yield _target(workspace, package)


def make_archive(room: Room) -> None:
    """Write the staged package as one archive."""
    files = (path for path in room.inputs.rglob("*") if path.is_file())
    entries = [
        Entry(path.relative_to(room.inputs).as_posix(), path, bool(path.stat().st_mode & stat.S_IXUSR))
        for path in files
    ]
    with (room.outputs / room.params["name"]).open("wb") as out, compressing(out, level=room.params["level"]) as packed:
        write_tar(entries, packed, epoch=room.params["epoch"])


def _target(workspace: Workspace, package: Package) -> Target:
    file = f"{package.name}-{package.manifest.version}.morloc.tar.gz"
    return Target(
        name=f"morloc:{package.name}",
        doc=f"the morloc package {package.name} {package.manifest.version}",
        place=package.path(MANIFEST),
        run="packyard.tasks.morloc:make_archive",
        params={"name": file, "epoch": workspace.epoch, "compressor": COMPRESSOR, "level": LEVELS["small"]},
        sources=tuple(
            Source(path=package.path(name), at=f"{package.name}/{name}")
            for name in sorted(package.files, key=os.fsencode)
        ),
        outputs=(Output(at=file, artifact=f"dist/{file}"),),
        final=True,
    )
