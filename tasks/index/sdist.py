"""A source distribution: what builds it, and its wheel, made by its declared backend in a folder of its own.

Everything involved is pinned: the lock of an application also locks, with hashes, what builds its sources.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from packyard.formats.errors import FormatError
from packyard.formats.python.machine import Machine
from packyard.formats.python.pinned import Pinned, pinned_files
from packyard.formats.python.pylock import Build
from packyard.formats.python.wheel import write_wheel
from packyard.formats.relpath import read_relpath
from packyard.formats.text.table import reading
from packyard.formats.text.toml import read_toml
from packyard.tasks.errors import ActionError
from packyard.tasks.host.unpack import unpack
from packyard.tasks.index.filecache import fetched_in
from packyard.tasks.index.pep517 import build_wheel, usable_wheel
from packyard.tasks.index.unpackwheel import unpack_wheel
from packyard.tasks.target.room import Room

# PEP 517, "Source trees": what builds a project that does not say.
_LEGACY = ("setuptools>=40.8", "wheel")
_LEGACY_BACKEND = "setuptools.build_meta:__legacy__"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSystem:
    """The table [build-system] of a project."""

    requires: tuple[str, ...]
    backend: str
    path: tuple[str, ...] = ()


def build_system(pinned: Pinned, file: Path, folder: Path) -> BuildSystem:
    """Unpack a source distribution into the new `folder`, and read what builds it; ActionError if it is not one."""
    try:
        unpack(file, folder)
        pyproject = _project(folder) / "pyproject.toml"
        text = pyproject.read_text(encoding="utf-8") if pyproject.is_file() else ""
        with reading(read_toml(text, "pyproject.toml"), "pyproject.toml") as top:
            top.ignore_rest()
            table = top.table("build-system")
            table.ignore_rest()
            requires = table.texts("requires") or _LEGACY
            return BuildSystem(
                requires=requires,
                backend=table.text("build-backend") or _LEGACY_BACKEND,
                path=table.parses("backend-path", read_relpath),
            )
    except FormatError as error:
        raise ActionError(f"the source {pinned.file!r} cannot be used: {error}") from None


def build_sdist(
    room: Room[object],
    pinned: Pinned,
    file: Path,
    build: Build | None,
    *,
    python: Path,
    machine: Machine,
) -> Path:
    """The wheel of a source distribution. ActionError if the lock does not say what builds it, or the build fails."""
    name = pinned.name
    if build is None:
        raise ActionError(
            f"{name!r} {pinned.version} has no wheel for Python {machine.python} on {machine.platform}, and the lock "
            f"does not say what builds {pinned.file!r}",
            hint="run 'packyard lock' on this platform, or choose a version that has a wheel",
        )
    place = room.scratch / "sdists" / name
    place.mkdir(parents=True)
    system = build_system(pinned, file, place / "source")
    tree = place / "site"
    tree.mkdir()
    try:
        parts = pinned_files(build.lock, f"the build lock of {name!r}", machine)
        for part, wheel in zip(parts, fetched_in(room, parts)):
            unpack_wheel(wheel, tree, name=part.name)
    except FormatError as error:
        raise ActionError(f"the build dependencies of {name!r} cannot be installed: {error}") from None
    room.say(f"building {pinned.file} with {system.backend}")
    try:
        file = build_wheel(
            room, python, project=_project(place / "source"), tree=tree, backend=system.backend, path=system.path,
            out=place / "built",
        )  # fmt: skip
        built = usable_wheel(file, system.backend, room.scratch.parent)
        with file.open("wb") as out:
            write_wheel(built, out)
        return file
    except ActionError as error:
        raise ActionError(
            f"{pinned.file!r} cannot be built: {error.message}", detail=error.detail,
            hint=error.hint or f"choose a version of {name} that has a wheel, or install what its build needs",
        ) from None  # fmt: skip
    finally:
        shutil.rmtree(place / "source", ignore_errors=True)


def _project(folder: Path) -> Path:
    """The one folder in a source distribution (its NAME-VERSION)."""
    found = [path for path in folder.iterdir() if path.is_dir()]
    if len(found) != 1:
        raise FormatError("expected one folder NAME-VERSION in it")
    return found[0]
