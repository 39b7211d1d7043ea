"""The kind `morloc`: packages that are checked more strictly than their compiler does, and archived."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import COMPRESSOR, LEVELS, compressing
from packyard.formats.archive.tarball import write_tar
from packyard.formats.errors import FormatError
from packyard.formats.morloc.lock import DEFAULT, FOLDER, LockedPackage, content_digest
from packyard.formats.morloc.reference import GitRef, archive_file, over_ssh, read_install
from packyard.tasks.errors import ActionError, PlanError
from packyard.tasks.host import gitfetch
from packyard.tasks.kinds.morloc.lint import find_errors
from packyard.tasks.kinds.morloc.lock import known_packages, workspace_lock
from packyard.tasks.kinds.morloc.members import read_folder, read_packages
from packyard.tasks.kinds.morloc.modules import select
from packyard.tasks.kinds.morloc.package import MANIFEST, Package, read_entries
from packyard.tasks.kinds.morloc.scan import scan
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Json, Output, Source, Target
from packyard.tasks.workspace.workspace import LOCK, Workspace


def targets(workspace: Workspace) -> Iterator[Target]:
    """One target for each morloc member; PlanError with everything that is wrong with any of them."""
    packages = read_packages(workspace)
    spec = workspace.manifest.morloc
    locked = workspace_lock(workspace.watch)
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


def make_archive(room: Room[Any]) -> None:
    """Write the staged package as one archive."""
    files = (path for path in room.inputs.rglob("*") if path.is_file())
    entries = [
        Entry(path.relative_to(room.inputs).as_posix(), path, bool(path.stat().st_mode & stat.S_IXUSR))
        for path in files
    ]
    _write(room, entries)


def fetch_archive(room: Room[Any]) -> None:
    """Fetch a package at its locked commit, compare it with the lock, and write it as one archive."""
    name, url, commit = (room.params[key] for key in ("package", "url", "commit"))
    try:
        entries = read_entries(gitfetch.files_of(url, commit, room.scratch / "git"), name, name).entries()
    except FormatError as error:
        raise ActionError(f"{name}: {error}") from None
    content = content_digest(entries)
    if str(content) != room.params["content"]:
        raise ActionError(f"{name}: its content at {commit[:12]} is {content}, but {room.params['content']} is locked")
    _write(room, [replace(entry, path=f"{name}/{entry.path}") for entry in entries])


def _write(room: Room[Any], entries: Iterable[Entry]) -> None:
    with (room.outputs / room.params["name"]).open("wb") as out, compressing(out, level=room.params["level"]) as packed:
        write_tar(entries, packed, epoch=room.params["epoch"])


def _locked_target(workspace: Workspace, locked: LockedPackage) -> Iterator[Target]:
    """A package that is no member but locked: its archive is kept in the store, for planes."""
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
            run="packyard.tasks.kinds.morloc.morloc:fetch_archive",
            params={
                "name": file,
                "package": locked.name,
                "url": over_ssh(url) if spec.ssh else url,
                "commit": locked.commit,
                "content": str(locked.content),
                **_packing(workspace),
            },
            outputs=(Output(at=file),),
            network=True,
            resource="io",
        )


def _packing(workspace: Workspace) -> dict[str, Json]:
    return {"epoch": workspace.epoch, "compressor": COMPRESSOR, "level": LEVELS["small"]}


def _target(workspace: Workspace, package: Package, *, final: bool) -> Target:
    file = archive_file(package.name, package.manifest.version)
    return Target(
        name=f"morloc:{package.name}",
        doc=f"the morloc package {package.name} {package.manifest.version}",
        place=package.path(MANIFEST),
        run="packyard.tasks.kinds.morloc.morloc:make_archive",
        params={"name": file, **_packing(workspace)},
        sources=tuple(
            Source(path=package.path(name), at=f"{package.name}/{name}")
            for name in sorted(package.files, key=os.fsencode)
        ),
        outputs=(Output(at=file, artifact=f"dist/{file}" if final else None),),
        final=final,
    )
