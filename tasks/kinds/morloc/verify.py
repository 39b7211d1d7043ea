"""Comparing a morloc plane with its lock, file by file: what an installation that went wrong would leave unsaid."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from packyard.formats.archive.entry import Entry
from packyard.formats.errors import FormatError, Problem
from packyard.formats.morloc.home import exposed_files, exposed_folders
from packyard.formats.morloc.lock import LockedPackage
from packyard.tasks.errors import ActionError
from packyard.tasks.host import process
from packyard.tasks.kinds.morloc.package import Package, read_entries
from packyard.tasks.kinds.morloc.planechange import is_unfinished
from packyard.tasks.kinds.morloc.planefolder import Plane
from packyard.tasks.kinds.morloc.unpacked import differences, entries_of

_NESTED = "morloclib"  # the compiler looks here first, but its installer never does


def verify_plane(plane: Plane, lock: Mapping[str, LockedPackage] | None = None) -> list[Problem]:
    """Everything in which a plane is not what its lock says, and with `lock` in which that differs from another."""
    found = [*_folders(plane)]
    for name, locked in sorted(plane.locked.items()):
        folder = plane.folder / name
        if not folder.is_dir():
            found.append(Problem("is locked but missing", place=name))
            continue
        found += _files(plane, name)
        found += _record(plane, locked)
        found += _exposed(plane, locked)
        for need in locked.dependencies:
            if not (plane.folder / need).is_dir():
                found.append(Problem(f"needs {need!r}, which is missing", place=name, hint=f"install {need}"))
    if lock is not None:
        found += _differing(plane.locked, lock)
    return found


def typecheck(plane: Plane, morloc: str) -> list[Problem]:
    """What the compiler says against the entry file of each package; its own installer swallows that."""
    found = []
    with tempfile.TemporaryDirectory(prefix="packyard-") as scratch:
        config = Path(scratch, "config")
        config.write_text(
            f"home: {plane.home}\nsource: {plane.home}/src/morloc/plane\nplane: {plane.paths.plane}\n", encoding="utf-8"
        )
        for name in sorted(plane.locked):
            entry = _package(plane, name).entry
            words = [morloc, "typecheck", "--config", os.fspath(config), entry]
            environment = {**os.environ, "MORLOC_HOME": os.fspath(plane.home)}
            try:
                process.capture(words, cwd=plane.folder / name, env=environment)
            except ActionError as error:
                said = error.detail.strip().splitlines()[:3] or [error.message]
                found.append(Problem(f"does not typecheck: {' '.join(said)}", entry, name))
    return found


def morloc_program() -> str:
    """The compiler on PATH, '' when there is none."""
    return shutil.which("morloc") or ""


def _folders(plane: Plane) -> Iterator[Problem]:
    """What lies in the plane besides the packages that are locked."""
    if is_unfinished(plane):
        hint = "the next 'packyard install' or 'uninstall' finishes it"
        yield Problem("a change to this plane was interrupted", place=plane.paths.plane, hint=hint)
    for name in plane.names():
        if name in plane.locked:
            continue
        if name == _NESTED:
            for inner in sorted(os.listdir(plane.folder / name)):
                if (plane.folder / inner).is_dir():
                    yield Problem(f"is installed twice; the one in {_NESTED}/ is found first", place=inner)
            yield Problem("is a folder of packages that no installer looks at", place=name)
        elif plane.record(name) is None:
            hint = "install it again, or remove it"
            yield Problem("is half installed: it has a folder but no record", place=name, hint=hint)
        else:
            yield Problem("is not in the lock: it was not installed by Packyard", place=name)
    for name in _records(plane):
        if name not in plane.locked and not (plane.folder / name).is_dir() and not _elsewhere(plane, name):
            yield Problem("is half installed: it has a record but no folder", place=name)


def _records(plane: Plane) -> list[str]:
    try:
        files = os.listdir(plane.home / "fdb")
    except FileNotFoundError:
        return []
    return sorted(file.removesuffix(".module") for file in files if file.endswith(".module"))


def _elsewhere(plane: Plane, name: str) -> bool:
    """Whether another plane of the home has a package of this name: records do not tell which one they are of."""
    return any(entry.is_dir() and Path(entry, name).is_dir() for entry in os.scandir(plane.folder.parent))


def _files(plane: Plane, name: str) -> Iterator[Problem]:
    listing = plane.listing(name)
    if listing is None:
        message = f"the listing of {name!r} is missing or was changed"
        yield Problem(message, place=plane.paths.listing, hint="install it again")
        return
    for path, what in differences(plane.folder / name, listing):
        yield Problem(what, place=f"{name}/{path}")


def _record(plane: Plane, locked: LockedPackage) -> Iterator[Problem]:
    record = plane.record(locked.name)
    place = plane.paths.record(locked.name)
    if record is None:
        yield Problem("is half installed: it has a folder but no record", place=locked.name)
        return
    for key, wanted in (("name", locked.name), ("version", locked.version), ("installed_hash", locked.commit or None)):
        if record.get(key) != wanted:
            yield Problem(f"is {record.get(key)!r}, {wanted!r} is locked", key, place)


def _exposed(plane: Plane, locked: LockedPackage) -> Iterator[Problem]:
    """Exposed files that differ from the package's own, are missing, or are left from an earlier version."""
    try:
        package = _package(plane, locked.name)
        wanted = {entry.path: entry for entry in exposed_files(package.manifest, locked.name, package.entries())}
    except FormatError as error:
        yield from error.problems
        return
    for folder in exposed_folders(locked.name).values():
        for root, _, files in os.walk(plane.home / folder):
            for file in files:
                path = Path(root, file).relative_to(plane.home).as_posix()
                entry = wanted.pop(path, None)
                if entry is None and locked.installed is None:
                    yield Problem("is stale: the package does not expose it", place=path)
                elif entry is not None and _bytes(entry) != Path(root, file).read_bytes():
                    yield Problem("is stale: the package's own file differs", place=path)
    yield from (Problem("is exposed, but missing", place=path) for path in sorted(wanted))


def _bytes(entry: Entry) -> bytes:
    with entry.open() as (_, stream):
        return stream.read()


def _package(plane: Plane, name: str) -> Package:
    return read_entries(entries_of(plane.folder / name), name, name)


def _differing(mine: Mapping[str, LockedPackage], other: Mapping[str, LockedPackage]) -> Iterator[Problem]:
    for name in sorted({*mine, *other}):
        if name not in mine:
            yield Problem("is in the lock, but not in the plane", place=name)
        elif name not in other:
            yield Problem("is in the plane, but not in the lock", place=name)
        else:
            one, two = mine[name], other[name]
            if one.version != two.version:
                yield Problem(f"is {one.version} in the plane, {two.version} in the lock", place=name)
            elif two.content is not None and one.content != two.content:
                yield Problem(f"has the content {one.content} in the plane, {two.content} in the lock", place=name)
