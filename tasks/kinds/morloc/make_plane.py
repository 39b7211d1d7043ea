"""Assemble a morloc plane: a home to unpack, of all packages and what they need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import compressing
from packyard.formats.archive.tarball import write_tar
from packyard.formats.errors import FormatError
from packyard.formats.morloc.home import Installed, PlanePaths, exposed_folders, home_files, plane_listing
from packyard.formats.morloc.lock import LockedPackage, content_digest, content_listing
from packyard.formats.workspace.lock import WorkspaceLock, write_lock
from packyard.tasks.errors import ActionError
from packyard.tasks.kinds.morloc.archivefile import place_of, read_archive
from packyard.tasks.kinds.morloc.setup import read_tree, set_up
from packyard.tasks.target.packing import PackingParams
from packyard.tasks.target.room import Room


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedPackage:
    """A package of a plane, as it is locked (a member without its content), and why it is there."""

    locked: LockedPackage
    reason: Literal["explicit", "auto"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneParams(PackingParams):
    """The parameters of a plane: the name of its file and its own, its packages, dependencies first, those whose setup
    scripts may run, and what the lock lacks, a line each."""

    file: str
    plane: str
    packages: tuple[PlacedPackage, ...]
    allow_setup: tuple[str, ...]
    missing: tuple[str, ...]


def make_plane(room: Room[PlaneParams]) -> None:
    """Assemble the home in memory and write it as one archive; ActionError when the lock does not say everything."""
    params = room.params
    if params.missing:
        raise ActionError(
            "the plane cannot be made from the lock",
            detail="\n".join(params.missing),
            hint="run 'packyard lock'",
        )
    packages = [_read(room, package) for package in params.packages]
    entries = list(_assembled(room, PlanePaths(params.plane), packages))
    packing = params.packing
    with (room.outputs / params.file).open("wb") as out, compressing(out, level=packing.level) as packed:
        write_tar(entries, packed, epoch=packing.epoch)


def _assembled(room: Room[PlaneParams], paths: PlanePaths, packages: Sequence[Installed]) -> Iterator[Entry]:
    """All files of the home: the packages, dependencies first, and the lock over them."""
    epoch = room.params.epoch
    home = room.scratch / "home"
    allowed = room.params.allow_setup
    scripted = {package.locked.name for package in packages if package.manifest.setup}
    locked: list[LockedPackage] = []
    listings: dict[str, str] = {}
    for package in packages:
        name = package.locked.name
        if name in scripted and name in allowed:
            room.say(f"{name}: running {package.manifest.setup}")
            changed = set_up(
                home, paths, package, lambda words, cwd, env: room.run(words, cwd=cwd, env=env), epoch=epoch
            )
            locked.append(replace(package.locked, installed=content_digest(changed)))
            listings[name] = content_listing(changed)
            kept = replace(package, locked=locked[-1], entries=changed)
            outside = tuple(f"{folder}/" for folder in exposed_folders(name).values())
            yield from (e for e in home_files(paths, kept, epoch=epoch) if not e.path.startswith(outside))
            for folder in exposed_folders(name).values():
                yield from (replace(e, path=f"{folder}/{e.path}") for e in read_tree(home / folder))
            continue
        if name in scripted:
            room.say(f"{name}: its setup script {package.manifest.setup} was not run: it is not in allow_setup")
        locked.append(package.locked)
        listings[name] = content_listing(package.entries)
        yield from home_files(paths, package, epoch=epoch)
    yield Entry(paths.lock, write_lock(WorkspaceLock(morloc=tuple(locked))).encode())
    yield Entry(paths.listing, plane_listing(listings).encode("utf-8", "surrogateescape"))


def _read(room: Room[PlaneParams], placed: PlacedPackage) -> Installed:
    """A package as its archive holds it, compared with the lock."""
    locked = placed.locked
    try:
        package = read_archive(room.inputs / place_of(locked.name), locked.name)
    except FormatError as error:
        raise ActionError(str(error)) from None
    entries = tuple(package.entries())
    content = content_digest(entries)
    if locked.content and content != locked.content:
        raise ActionError(f"{locked.name}: its content is {content}, but {locked.content} is locked")
    locked = replace(locked, content=content, installed=None)
    return Installed(locked=locked, manifest=package.manifest, entries=entries, reason=placed.reason)
