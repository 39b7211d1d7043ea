"""A morloc home: where the files of a plane are, for the compiler and for us.

    src/morloc/plane/PLANE/NAME/...      the files of a package
    fdb/NAME.module                      its record, one line of JSON
    include/NAME/  lib/python/NAME_/  lib/R/NAME/    what it exposes ('-' is '_' for Python)
    packyard/PLANE/packyard.lock         what the plane is made of, in the format of `morloclock`
    packyard/PLANE/files                 the listings of the packages' files, each path below its package's name

Nothing in it names the location of the home, so it can be moved, unpacked anywhere and used read-only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from packyard.formats.archive.entry import Entry
from packyard.formats.errors import FormatError, Problem
from packyard.formats.morloc.ignore import glob_expression
from packyard.formats.morloc.lock import LockedPackage
from packyard.formats.morloc.manifest import MorlocManifest
from packyard.formats.text.json import read_json

RECORDS = "fdb"
_EXPOSED = {"cpp": "include", "py": "lib/python", "r": "lib/R"}


@dataclass(frozen=True, slots=True)
class PlanePaths:
    """The paths of one plane, below its home."""

    plane: str

    @property
    def packages(self) -> str:
        """The folder of all packages."""
        return f"src/morloc/plane/{self.plane}"

    @property
    def ours(self) -> str:
        """The folder of what we know about the plane."""
        return f"packyard/{self.plane}"

    @property
    def lock(self) -> str:
        """What the plane is made of."""
        return f"{self.ours}/packyard.lock"

    @property
    def listing(self) -> str:
        """The listing of all packages' files."""
        return f"{self.ours}/files"

    def package(self, name: str) -> str:
        """The folder of a package."""
        return f"{self.packages}/{name}"

    def record(self, name: str) -> str:
        """The record of a package."""
        return f"{RECORDS}/{name}.module"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """One package of a plane: its lock, manifest and files, and why it is there ('explicit' or 'auto')."""

    locked: LockedPackage
    manifest: MorlocManifest
    entries: tuple[Entry, ...]
    reason: str = "auto"


def home_files(paths: PlanePaths, package: Installed, *, epoch: int) -> Iterator[Entry]:
    """The files of a home that belong to one package."""
    name = package.locked.name
    for entry in package.entries:
        yield replace(entry, path=f"{paths.package(name)}/{entry.path}")
    yield from exposed_files(package.manifest, name, package.entries)
    yield Entry(paths.record(name), record_of(package, epoch=epoch).encode())


def plane_listing(listings: Mapping[str, str]) -> str:
    """The listing of a plane, from those of its packages by name."""
    lines = {}
    for name, text in listings.items():
        for line in filter(None, text.split("\n")):
            digest, mode, path = line.split(" ", 2)
            lines[f"{name}/{path}"] = f"{digest} {mode} {name}/{path}\n"
    return "".join(lines[path] for path in sorted(lines, key=lambda path: path.encode("utf-8", "surrogateescape")))


def read_plane_listing(text: str) -> dict[str, str]:
    """The listings of the packages of a plane, by name; a malformed line is left out, which shows in the digest."""
    found: dict[str, list[str]] = {}
    for line in text.split("\n"):
        fields = line.split(" ", 2)
        if len(fields) == 3:
            name, _, path = fields[2].partition("/")
            found.setdefault(name, []).append(f"{fields[0]} {fields[1]} {path}\n")
    return {name: "".join(lines) for name, lines in found.items()}


def exposed_folders(name: str) -> dict[str, str]:
    """Language -> the folder of what a package exposes to it."""
    return {
        language: f"{root}/{name.replace('-', '_') if language == 'py' else name}"
        for language, root in _EXPOSED.items()
    }


def exposed_files(manifest: MorlocManifest, name: str, entries: Iterable[Entry]) -> Iterator[Entry]:
    """The files that a package exposes, where they are copied to; FormatError if a named one is missing."""
    files = {entry.path: entry for entry in entries}
    for to, path in exposed_paths(manifest, name, files).items():
        yield replace(files[path], path=to)


def exposed_paths(manifest: MorlocManifest, name: str, files: Iterable[str]) -> dict[str, str]:
    """Where the files that a package exposes are copied to -> their paths in it; FormatError if a named one is
    missing."""
    wanted = {"cpp": manifest.expose.cpp, "py": manifest.expose.py, "r": manifest.expose.r}
    exposed: dict[str, str] = {}
    for language, folder in exposed_folders(name).items():
        found: set[str] = set()
        for pattern in wanted[language]:
            expression = re.compile(rf"{glob_expression(pattern)}(?:/.*)?", re.DOTALL)
            matching = [path for path in files if expression.fullmatch(path)]
            if not matching:
                raise FormatError(Problem(f"{pattern!r} is not a file of the package", f"expose.{language}", name))
            found.update(matching)
        exposed.update((f"{folder}/{path}", path) for path in sorted(found))
    return exposed


def record_of(package: Installed, *, epoch: int) -> str:
    """The record of an installed package, as the compiler's `list` and `uninstall` read it.

    Without `install_path`, which would tie the home to its location, and without exports, which need the compiler.
    """
    manifest, locked = package.manifest, package.locked
    values = {
        "kind": "module",
        "name": locked.name,
        "version": locked.version,
        "synopsis": manifest.synopsis,
        "author": manifest.author,
        "license": manifest.license,
        "homepage": manifest.homepage,
        "c_dependencies": [name for name in manifest.dependencies if name not in locked.dependencies],
        "morloc_dependencies": [{"name": name} for name in locked.dependencies],
        "installed_hash": locked.commit or None,
        "exports": [],
        "install_source": locked.source,
        "install_reason": package.reason,
        "install_time": epoch,
    }
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False) + "\n"


def read_record(text: str) -> dict[str, Any]:
    """A record; FormatError if it is not one. The compiler's own records have more fields."""
    values = read_json(text, "")
    if not isinstance(values.get("name"), str):
        raise FormatError("is not a record; expected an object with a name")
    return values


def needed_by(name: str, packages: Iterable[LockedPackage], without: Collection[str] = ()) -> list[str]:
    """The packages that directly need a given one, sorted, without those in `without`."""
    return sorted(p.name for p in packages if name in p.dependencies and p.name not in without)
