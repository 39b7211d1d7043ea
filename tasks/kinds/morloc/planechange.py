"""Changing a morloc plane on disk in one step.

A change is assembled beside the plane, which is then exchanged whole. Records and exposed files, which the
compiler keeps elsewhere in the home, follow; whoever is killed in between leaves a note, and the next command that
changes the home ends the work.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packyard.formats.archive.entry import Entry
from packyard.formats.errors import FormatError
from packyard.formats.morloc.home import Installed, PlanePaths, exposed_folders, home_files, plane_listing
from packyard.formats.morloc.lock import content_listing
from packyard.formats.morloc.manifest import read_package_name
from packyard.formats.relpath import read_relpath
from packyard.formats.text.json import read_json
from packyard.formats.text.table import reading
from packyard.formats.workspace.lock import WorkspaceLock, write_lock
from packyard.tasks.errors import ActionError
from packyard.tasks.host.atomic import exchange
from packyard.tasks.host.filelock import try_exclusive
from packyard.tasks.kinds.morloc.planefolder import Plane
from packyard.tasks.kinds.morloc.setup import write_entries
from packyard.tasks.kinds.morloc.unpacked import READ_ONLY, stored

_NOTE = "note.json"


@dataclass(frozen=True, kw_only=True)
class Change:
    """Packages to put into a plane (those of the same name are replaced), and names to take out. `exposed` are the
    homes in which setup scripts left files for a package to expose; `cache` is where unpacked packages are kept, so
    that another plane only needs links to them."""

    add: Sequence[Installed] = ()
    remove: Collection[str] = ()
    exposed: Mapping[str, Path] = field(default_factory=dict)
    cache: Path | None = None


@contextmanager
def changing(home: Path) -> Iterator[None]:
    """Hold a home alone; ActionError at once when another command changes it. Ends what a killed one left."""
    try:
        (home / "packyard").mkdir(parents=True, exist_ok=True)
        lock = try_exclusive(home / "packyard" / "lock")
    except OSError as error:
        raise _unwritable(home, error) from None
    if lock is None:
        raise ActionError(f"{home}: another command is changing it", hint="try again when it is done")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            (home / "packyard" / "lock").unlink()
        os.close(lock)


def change(plane: Plane, what: Change, *, epoch: int) -> None:
    """Carry out a change, all of it or nothing; the home must be held."""
    try:
        finish(plane)
        _assemble(plane, what, epoch=epoch)
        _swap(plane)
        finish(plane)
    except OSError as error:
        raise _unwritable(plane.home, error) from None


def finish(plane: Plane) -> None:
    """End or undo what a killed command left: when the exchange had happened, the records follow; else the old plane
    stays and the rest is thrown away."""
    note = _read_note(plane.aside)
    if note is not None and not plane.folder.exists() and (plane.aside / "old").exists():
        os.rename(plane.aside / "plane", plane.folder)  # killed between two renames
    if note is not None and plane.folder.exists() and os.stat(plane.folder).st_ino == note["inode"]:
        _follow(plane, note)
    if plane.aside.exists():
        shutil.rmtree(plane.aside)


def is_unfinished(plane: Plane) -> bool:
    """Whether a killed command left work."""
    return plane.aside.exists()


def _assemble(plane: Plane, what: Change, *, epoch: int) -> None:
    """Write the new plane and everything else of the home into the folder aside, its note last."""
    aside, paths = plane.aside, plane.paths
    gone = {*what.remove, *(package.locked.name for package in what.add)}
    (aside / "plane").mkdir(parents=True)
    for name in plane.names():
        if name not in gone:
            _link_tree(plane.folder / name, aside / "plane" / name)
    if plane.folder.exists():
        for entry in os.scandir(plane.folder):
            if not entry.is_dir():
                _link(entry.path, f"{aside}/plane/{entry.name}")
    for package in what.add:
        name = package.locked.name
        inner = f"{paths.package(name)}/"
        write_entries(
            aside / "new", (e for e in home_files(paths, package, epoch=epoch) if not e.path.startswith(inner))
        )
        if what.cache is None:
            write_entries(aside / "plane" / name, package.entries, mask=READ_ONLY)
        else:
            _link_tree(stored(what.cache, package.entries), aside / "plane" / name)
    for name, folder in what.exposed.items():
        for path in exposed_folders(name).values():
            if (folder / path).is_dir():
                shutil.rmtree(aside / "new" / path, ignore_errors=True)
                shutil.copytree(folder / path, aside / "new" / path)
    kept = {name: locked for name, locked in plane.locked.items() if name not in gone}
    kept.update((package.locked.name, package.locked) for package in what.add)
    listings = {name: text for name, text in plane.listings.items() if name in kept}
    listings.update((package.locked.name, content_listing(package.entries)) for package in what.add)
    ours = {paths.lock: write_lock(WorkspaceLock(morloc=tuple(kept.values()))), paths.listing: plane_listing(listings)}
    write_entries(aside / "new", (Entry(path, text.encode("utf-8", "surrogateescape")) for path, text in ours.items()))
    note = {
        "inode": os.stat(aside / "plane").st_ino,
        "gone": sorted(gone),
        "new": sorted(path for name in gone for path in _beside(paths, name) if (aside / "new" / path).exists()),
    }
    (aside / f"{_NOTE}.part").write_text(json.dumps(note), encoding="utf-8")
    os.rename(aside / f"{_NOTE}.part", aside / _NOTE)


def _swap(plane: Plane) -> None:
    """Put the new plane in the place of the old one."""
    new = plane.aside / "plane"
    if not plane.folder.exists():
        os.rename(new, plane.folder)
    elif not exchange(new, plane.folder):
        os.rename(plane.folder, plane.aside / "old")
        os.rename(new, plane.folder)


def _follow(plane: Plane, note: Mapping[str, Any]) -> None:
    """Make records, listings and exposed files those of the new plane. May be done again."""
    home, new = plane.home, plane.aside / "new"
    for path in (path for name in note["gone"] for path in _beside(plane.paths, name)):
        if path in note["new"] and not (new / path).exists():
            continue  # it was put in place before
        _remove(home / path)
        if path in note["new"]:
            _move(new / path, home / path)
    for path in (plane.paths.listing, plane.paths.lock):
        if (new / path).exists():
            _move(new / path, home / path)


def _beside(paths: PlanePaths, name: str) -> tuple[str, ...]:
    """What belongs to a package but lies outside the plane."""
    return (*exposed_folders(name).values(), paths.record(name))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        aside = target.with_name(f".{target.name}.packyard")  # the plane is a link to another file system
        _remove(aside)
        shutil.copytree(source, aside) if source.is_dir() else shutil.copy2(source, aside)
        os.replace(aside, target)


def _read_note(aside: Path) -> dict[str, Any] | None:
    """What a killed command had to do yet; None when there is no note, or none of ours: what it names is removed from
    the home, and a home may come from somebody else."""
    try:
        place = os.fspath(aside / _NOTE)
        with reading(read_json((aside / _NOTE).read_text(encoding="utf-8"), place), place) as note:
            return {
                "inode": note.integer("inode"),
                "gone": note.parses("gone", read_package_name),
                "new": note.parses("new", read_relpath),
            }
    except (OSError, UnicodeDecodeError, FormatError):
        return None


def _link_tree(source: Path, target: Path) -> None:
    top = os.fspath(source)
    for root, folders, files in os.walk(top):
        below = f"{target}{root[len(top) :]}"
        os.mkdir(below)
        for name in [*files, *(folder for folder in folders if os.path.islink(f"{root}/{folder}"))]:
            _link(f"{root}/{name}", f"{below}/{name}")


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # this file system has no hard links
        shutil.copy2(source, target, follow_symlinks=False)


def _unwritable(home: Path, error: OSError) -> ActionError:
    return ActionError(f"{error.filename or home}: cannot be written: {error.strerror}")
