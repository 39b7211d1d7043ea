"""Compiled Mojo packages as files that somebody has: what each is, by its own header and the manifest beside it."""

from __future__ import annotations

import os
import re
from pathlib import Path

from packyard.formats.digest import digest_file
from packyard.formats.errors import FormatError, Problem, inside
from packyard.formats.mojo.package import MojoPackage, is_package, read_package
from packyard.formats.mojo.packagemanifest import SUFFIX, PackageManifest, read_package_manifest, stamp_of
from packyard.formats.naming import read_import_name
from packyard.formats.relpath import read_file_name
from packyard.formats.semver import read_version

ENDS = (".mojopkg", ".mojoc")
_FILE = re.compile(r"(?P<name>.+?)(?:-(?P<version>\d+\.\d+\.\d+[^/]*))?\.(?:mojopkg|mojoc)")


def is_mojo_package(path: Path) -> bool:
    """Whether a file is a compiled Mojo package, by its first bytes or, if it may be damaged, by its name; what is no
    file is none."""
    try:
        with path.open("rb") as stream:
            return is_package(stream) or path.name.endswith(ENDS)
    except OSError:
        return False


def read_described(file: Path) -> tuple[PackageManifest, bool]:
    """What a package file is, by its own header and the manifest beside it, and whether there is one.

    FormatError when the file is damaged or is not the one that the manifest describes.
    """
    place = os.fspath(file)
    try:
        with inside(place), file.open("rb") as stream:
            header = read_package(stream)
        sha256 = digest_file(file).hex
        beside = file.with_name(file.name + SUFFIX)
        text = beside.read_text(encoding="utf-8") if beside.is_file() else None
    except OSError as error:
        raise FormatError(Problem(f"cannot be read: {error.strerror}", place=place)) from None
    if text is None:
        return _by_name(file, header, sha256), False
    manifest = read_package_manifest(text, os.fspath(beside))
    problems = []
    if manifest.sha256 != sha256:
        message = f"is not the file that {beside.name} describes: its SHA-256 is {sha256}, not {manifest.sha256}"
        problems.append(Problem(message, place=place, hint="take both from the same place, or rebuild them"))
    elif manifest.compiler != stamp_of(header):
        message = f"fits {header.accepted_by}, but {beside.name} says {manifest.compiler.accepted_by}"
        problems.append(Problem(message, place=place))
    if manifest.installed_as not in {manifest.name + end for end in ENDS}:
        message = f"{manifest.installed_as!r} is not a name that {manifest.name!r} can be imported by"
        problems.append(Problem(message, "installed_as", os.fspath(beside)))
    if problems:
        raise FormatError(*problems)
    return manifest, True


def _by_name(file: Path, header: MojoPackage, sha256: str) -> PackageManifest:
    """What the name of a file says of it, and its header; FormatError when no program could import it."""
    match = _FILE.fullmatch(file.name)
    if match is None:
        raise FormatError(Problem("is a Mojo package, but does not have the file name of one", place=os.fspath(file)))
    version = match["version"] or ""
    with inside(os.fspath(file)):
        name = read_import_name(match["name"].replace("-", "_"))
        if version:
            read_version(version)
    return PackageManifest(
        name=name,
        distribution=match["name"],
        version=version,
        file=read_file_name(file.name),
        installed_as=read_file_name(f"{name}{file.suffix}"),
        size=file.stat().st_size,
        sha256=sha256,
        compiler=stamp_of(header),
    )
