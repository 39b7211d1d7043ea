"""The modules of morloc packages: which can be reached, what they need, and which files they name."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from packyard.formats.errors import FormatError, inside
from packyard.formats.morloc.ignore import glob_expression
from packyard.formats.morloc.source import Import, MorlocSource, scan_morloc
from packyard.tasks.kinds.morloc.package import MANIFEST, Package

_CPP_SUFFIXES = (".c", ".cc", ".cpp", ".cxx", ".h", ".hh", ".hpp", ".hxx")
_HEADER = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"\n]+)"', re.MULTILINE)
_PAPERS = re.compile(r"(?i)(?:licen[cs]e|copying|notice|readme)(?:$|[._-])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A .loc file that can be reached from the entry of its package, or from an import of another one."""

    package: Package
    file: str
    source: MorlocSource

    @property
    def path(self) -> str:
        """The file, relative to the workspace."""
        return self.package.path(self.file)


def read_modules(packages: Mapping[str, Package], problems: list[tuple[str, FormatError]]) -> list[Module]:
    """Every module that can be reached, entries first; files that cannot be scanned become problems of
    their packages."""
    waiting = [(package, package.entry) for package in packages.values() if package.entry]
    seen = {(package.name, file) for package, file in waiting}
    modules = []
    for package, file in waiting:  # grows while it is walked
        path = package.path(file)
        try:
            with inside(path):
                module = Module(package=package, file=file, source=scan_morloc(package.content.text(file), path))
        except FormatError as error:
            problems.append((package.name, error))
            continue
        modules.append(module)
        for imported in module.source.imports:
            owner, target = resolve(packages, package, imported)
            if owner is not None and target and (owner.name, target) not in seen:
                seen.add((owner.name, target))
                waiting.append((owner, target))
    return modules


def resolve(packages: Mapping[str, Package], package: Package, imported: Import) -> tuple[Package | None, str]:
    """The package and its file that an import in `package` means; no package when it is not known."""
    if imported.local:
        return package, package.module(imported.name[1:])
    owner = packages.get(imported.package)
    levels = imported.name.partition(".")[2]
    if owner is None:
        return None, ""
    return owner, owner.module(levels) if levels else owner.entry


def select(package: Package, modules: Iterable[Module], content: str) -> Package:
    """The package with the files of its archive: all ("tree"), or those that its modules name ("closure")."""
    return package if content == "tree" else replace(package, files=closure_files(package, modules))


def needs_of(package: Package, modules: Iterable[Module], known: Iterable[str] = ()) -> tuple[str, ...]:
    """The packages that a package needs, sorted: what it declares and what its modules import.

    An undeclared import counts, and of a package that is not a member an entry of `dependencies` that is neither
    imported nor `known` is a library to link, as the compiler reads it.
    """
    imports = {i.package for module in modules for i in module.source.imports if not i.local} - {package.name}
    declared = set(package.manifest.declared)
    if not package.member:
        declared &= {*imports, *known, *package.manifest.requires}
    return tuple(sorted(imports | declared))


def closure_files(package: Package, modules: Iterable[Module]) -> frozenset[str]:
    """The files that the modules of a package name: themselves, what they source, quoted C++ headers in that, data
    files, the manifest with what it names (setup, expose, include), licence and readme, settings of the entry."""
    own = [module for module in modules if module.package is package]
    wanted = {MANIFEST, *(module.file for module in own), f"{posixpath.splitext(package.entry)[0]}.yaml"}
    manifest = package.manifest
    patterns = [*filter(None, [manifest.setup]), *manifest.expose.cpp, *manifest.expose.py, *manifest.expose.r]
    patterns += manifest.include or ()
    waiting = [
        posixpath.normpath(posixpath.join(posixpath.dirname(module.file), path))
        for module in own
        for path in [*(s.path for s in module.source.sources if s.path), *(d.path for d in module.source.datafiles)]
    ]
    folders = [f"{path}/" for path in waiting if path not in package.files]
    wanted.update(file for file in package.files if any(file.startswith(folder) for folder in folders))
    for path in waiting:  # grows while it is walked
        if path in package.files and path not in wanted:
            wanted.add(path)
            if PurePosixPath(path).suffix in _CPP_SUFFIXES:
                waiting.extend(_quoted_headers(package.content.text(path), posixpath.dirname(path)))
    matched = [re.compile(rf"{glob_expression(pattern)}(?:/.*)?", re.DOTALL) for pattern in patterns]
    wanted.update(file for file in package.files if any(pattern.fullmatch(file) for pattern in matched))
    wanted.update(file for file in package.files if "/" not in file and _PAPERS.match(file))
    return frozenset(wanted & package.files)


def _quoted_headers(text: str, folder: str) -> list[str]:
    return [posixpath.normpath(posixpath.join(folder, path)) for path in _HEADER.findall(text)]
