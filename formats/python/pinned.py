"""What a pylock.toml (PEP 751) pins for one machine: the packages that it needs, and which file of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from packaging.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageWheel,
    Pylock,
    PylockSelectError,
    PylockValidationError,
)  # fmt: skip
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packyard.formats.digest import Digest
from packyard.formats.errors import FormatError, Problem
from packyard.formats.python.machine import Machine
from packyard.formats.python.requirement import without_password
from packyard.formats.relpath import FileName, read_file_name
from packyard.formats.text.toml import read_toml

_FORESEEN = 24  # the minor version of a Python that will not exist for many years


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """One file: the wheel, or the source distribution, of a distribution. `sha256` is in hexadecimal."""

    name: FileName
    version: str
    file: FileName
    url: str
    sha256: str

    @property
    def is_wheel(self) -> bool:
        """Whether it can be unpacked as it is; otherwise it must be built."""
        return self.file.endswith(".whl")


def pinned_files(text: str, place: str, machine: Machine) -> list[Pinned]:
    """The files that a machine needs from a lock, by distribution name.

    FormatError for every package that has no file for it, or none identified by a digest.
    """
    lock = _lock(text, place)
    if lock is None:
        return []
    _check_head(lock, place, machine)
    found: list[Pinned] = []
    problems: list[Problem] = []
    try:
        for package, source in lock.select(environment=machine.environment(), tags=machine.tags()):
            if not isinstance(source, (PackageWheel, PackageSdist, PackageArchive)):
                problems.append(_no_file(package, place))
                continue
            found.append(_pinned(package, source, place))
    except PylockSelectError as error:
        raise FormatError(_misfit(lock, str(error), place, machine)) from None
    except FormatError as error:
        problems.extend(error.problems)
    if problems:
        raise FormatError(*problems)
    return sorted(found, key=lambda one: (one.name, one.file))


def selected(text: str, place: str, machine: Machine) -> dict[str, Package]:
    """The packages of a lock that are for a machine (PEP 751, "Installation"), by canonical name, whatever files they
    have; FormatError when the lock is not for it, or has two versions of one."""
    lock = _lock(text, place)
    if lock is None:
        return {}
    _check_head(lock, place, machine)
    nowhere = PackageDirectory(path=".")  # that there is no wheel for the machine is said where one is looked for
    bare = [
        replace(package, vcs=None, archive=None, sdist=None, wheels=None, directory=nowhere)
        for package in lock.packages
    ]
    known = {(package.name, package.version, str(package.marker)): package for package in lock.packages}
    try:
        chosen = replace(lock, packages=bare).select(environment=machine.environment(), tags=())
        return {one.name: known[one.name, one.version, str(one.marker)] for one, _ in chosen}
    except PylockSelectError as error:
        raise FormatError(Problem(f"does not fit {machine.platform}: {_lower(str(error))}", place=place)) from None


def misfits(text: str, place: str, machine: Machine, requirements: Iterable[str]) -> Iterator[str]:
    """In words, each requirement of a machine that a lock has no answer to there; FormatError as `selected`."""
    found = selected(text, place, machine)
    values = {**{key: str(value) for key, value in machine.environment().items()}, "extra": ""}
    for one in requirements:
        requirement = Requirement(one)
        if requirement.marker and not requirement.marker.evaluate(values):
            continue
        package = found.get(canonicalize_name(requirement.name))
        if package is None:
            yield f"{one!r} is not in it for {machine.platform}"
        elif package.version and not requirement.specifier.contains(package.version, prereleases=True):
            yield f"{one!r} does not fit the {package.version} that is locked for {machine.platform}"
        elif requirement.url and not _is_at(package, requirement.url):
            yield f"{one!r} is locked from another address"


def folders(text: str, place: str) -> frozenset[str]:
    """The packages of a lock that are folders, by canonical name."""
    lock = _lock(text, place)
    return frozenset(package.name for package in lock.packages if package.directory) if lock else frozenset()


def unusable(text: str, place: str, machine: Machine) -> list[Problem]:
    """The packages for a machine that no digest identifies; FormatError as `selected`."""
    return [
        _no_file(package, place)
        for package in selected(text, place, machine).values()
        if package.vcs or package.directory
    ]


def newest_python(text: str, place: str, machine: Machine) -> str:
    """The newest Python ('3.13') for which a machine needs the very files of a lock that it needs for its own Python;
    '' when every newer one does, as far as a lock can say about future Pythons."""
    files = pinned_files(text, place, machine)
    major, minor = (int(part) for part in machine.python.split("."))
    for newer in range(minor + 1, _FORESEEN + 1):
        try:
            same = pinned_files(text, place, replace(machine, python=f"{major}.{newer}", release="")) == files
        except FormatError:
            same = False
        if not same:
            return f"{major}.{newer - 1}"
    return ""


def _lock(text: str, place: str) -> Pylock | None:
    """A lock as PEP 751 reads it; None for one of nothing, as uv writes it."""
    table = read_toml(text, place)
    if "packages" not in table:
        return None
    try:
        return Pylock.from_dict(table)
    except PylockValidationError as error:
        raise FormatError(Problem(f"is not a lock: {_lower(str(error))}", place=place)) from None


def _check_head(lock: Pylock, place: str, machine: Machine) -> None:
    """FormatError when the whole lock is for other Pythons or for other machines."""
    values = machine.environment()
    if lock.requires_python and not lock.requires_python.contains(values["python_full_version"]):
        message = f"is for Python {str(lock.requires_python)!r}; expected {machine.python}"
        hint = "lock again for this Python, or take another (tool.flavor.python_version)"
        raise FormatError(Problem(message, "requires-python", place, hint))
    texts = {key: str(value) for key, value in values.items()}
    if lock.environments is not None and not any(marker.evaluate(texts) for marker in lock.environments):
        known = ", ".join(repr(str(marker)) for marker in lock.environments) or "none"
        message = f"is for other machines ({known}); expected {machine.platform} with Python {machine.python}"
        raise FormatError(Problem(message, "environments", place, "lock again for this machine too"))


def _is_at(package: Package, url: str) -> bool:
    """Whether a package comes from a URL."""
    sources = (package.vcs, package.archive, package.sdist, *(package.wheels or ()))
    found = {source.url.partition("#")[0] for source in sources if source and source.url}
    return package.directory is not None or without_password(url).partition("#")[0] in found or "+" in url


def _pinned(package: Package, source: PackageWheel | PackageSdist | PackageArchive, place: str) -> Pinned:
    url = source.url or source.path or ""
    file = url.partition("#")[0].partition("?")[0].rpartition("/")[2]
    if not isinstance(source, PackageArchive):
        file = source.filename
    sha256 = source.hashes.get("sha256", "")
    if not source.url or not sha256:
        what = "a SHA-256" if source.url else "a URL"
        raise FormatError(Problem(f"the file {file!r} does not have {what}", f"packages.{package.name}", place))
    try:
        digest = Digest.parse(sha256.lower())  # it becomes the name of a file
        name, file = read_file_name(package.name), read_file_name(file)
    except FormatError as error:
        raise FormatError(*(Problem(p.message, f"packages.{package.name}", place) for p in error.problems)) from None
    return Pinned(name=name, version=str(package.version or ""), file=file, url=source.url, sha256=digest.hex)


def _no_file(package: Package, place: str) -> Problem:
    what = "a repository" if package.vcs else "a folder"
    return Problem(
        f"is {what}; expected a file identified by a digest",
        f"packages.{package.name}",
        place,
        "list its folder in workspace.members, or depend on a version from the package index",
    )


def _misfit(lock: Pylock, message: str, place: str, machine: Machine) -> Problem:
    """Why a lock cannot be used on this machine, with the wheels that it has instead."""
    for package in lock.packages:
        if message.startswith("No wheel found") and f"package {package.name!r} at" in message:
            files = ", ".join(sorted(wheel.filename for wheel in package.wheels or ()))
            limit = f" with glibc {machine.glibc[0]}.{machine.glibc[1]}" if machine.strict else ""
            return Problem(
                f"no wheel fits Python {machine.python} on {machine.platform}{limit}, and there is no source to "
                f"build one from; found: {files}",
                f"packages.{package.name}",
                place,
                f"choose another version of {package.name}, or another Python (tool.flavor.python_version)",
            )
    return Problem(f"does not fit: {_lower(message)}", place=place)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
