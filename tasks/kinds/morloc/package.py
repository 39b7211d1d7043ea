"""morloc packages: which files belong to each, and which modules can be reached.

A package is a member of the workspace, read through its watch, or one that was fetched, held in memory.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import PurePosixPath
from typing import Protocol

from packyard.formats.archive.entry import Entry
from packyard.formats.errors import FormatError, Problem, inside
from packyard.formats.morloc.ignore import IGNORE_FILE, glob_expression, read_ignore
from packyard.formats.morloc.manifest import MorlocManifest, read_foreign_morloc
from packyard.formats.morloc.source import Import, MorlocSource, scan_morloc
from packyard.formats.text import gitignore
from packyard.tasks.errors import PlanError
from packyard.tasks.workspace.watch import Watch
from packyard.tasks.workspace.workspace import Member, Workspace

MANIFEST = "package.yaml"
_ARTIFACTS = ("dist/", "site/")  # of a workspace that is itself a member


class Content(Protocol):
    """Where the bytes of a package's files are."""

    def text(self, file: str) -> str:
        """A file as UTF-8; FormatError when it is none."""

    def entry(self, file: str) -> Entry:
        """A file as an archive carries it."""

    def link(self, file: str) -> str:
        """What the file is a link to, '' when it is none."""

    def folder_links(self, folders: Iterable[str]) -> list[str]:
        """The links to folders in these folders, sorted: they are not followed."""


@dataclass(frozen=True)
class InFolder:
    """Files below a folder that a watch sees."""

    watch: Watch
    folder: str

    def text(self, file: str) -> str:
        """A file as UTF-8."""
        return self.watch.text(self._path(file))

    def entry(self, file: str) -> Entry:
        """A file, to be read when it is written."""
        path = self.watch.root / self._path(file)
        try:
            return Entry(file, path, bool(path.stat().st_mode & stat.S_IXUSR))
        except OSError as error:
            raise FormatError(Problem(f"cannot be read: {error.strerror}", place=self._path(file))) from None

    def link(self, file: str) -> str:
        """What the file is a link to."""
        try:
            return os.readlink(os.path.join(self.watch.root, self._path(file)))
        except OSError:
            return ""

    def folder_links(self, folders: Iterable[str]) -> list[str]:
        """The links to folders in these folders."""
        found = []
        for folder in folders:
            with os.scandir(self.watch.root / self._path(folder)) as entries:
                found += [posixpath.join(folder, e.name) for e in entries if e.is_symlink() and e.is_dir()]
        return sorted(found)

    def _path(self, file: str) -> str:
        return f"{self.folder}/{file}" if self.folder else file


@dataclass(frozen=True)
class InMemory:
    """Files that were taken out of an archive or a repository."""

    entries: Mapping[str, Entry]

    def text(self, file: str) -> str:
        """A file as UTF-8."""
        content = self.entries[file].content
        try:
            return content.decode("utf-8") if isinstance(content, bytes) else content.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise FormatError(Problem(f"is not UTF-8 (byte {error.start})", place=file)) from None

    def entry(self, file: str) -> Entry:
        """A file."""
        return self.entries[file]

    def link(self, file: str) -> str:
        """Nothing: links were resolved when the files were taken out."""
        return ""

    def folder_links(self, folders: Iterable[str]) -> list[str]:
        """Nothing, likewise."""
        return []


@dataclass(frozen=True, kw_only=True)
class Package:
    """A morloc package. `files` belong to it, `ignored` lie in its folder but stay out; paths are below the folder.

    `member` tells that it is one of the workspace, to be held to strict rules; `warnings` were met when its
    manifest was read.
    """

    name: str
    folder: str
    manifest: MorlocManifest
    files: frozenset[str]
    ignored: frozenset[str]
    content: Content
    member: bool = True
    warnings: tuple[Problem, ...] = ()

    @cached_property
    def entry(self) -> str:
        """The file that `import NAME` loads, '' when there is none."""
        return next((file for file in ("main.loc", f"{self.name}.loc") if file in self.files), "")

    def path(self, file: str) -> str:
        """A file of the package, relative to the workspace."""
        return f"{self.folder}/{file}" if self.folder else file

    def module(self, levels: str) -> str:
        """The file of the module 'a.b' below the package, '' when there is none."""
        stem = levels.replace(".", "/")
        return next((file for file in (f"{stem}.loc", f"{stem}/main.loc") if file in self.files), "")

    def entries(self) -> list[Entry]:
        """The files as an archive carries them."""
        return [self.content.entry(file) for file in sorted(self.files, key=os.fsencode)]


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


def read_packages(workspace: Workspace) -> dict[str, Package]:
    """The morloc members by name."""
    folders = frozenset(f"{member.folder}/" for member in workspace.members)
    return {
        member.name: _member(workspace, member, member.morloc, folders)
        for member in workspace.members
        if member.morloc is not None
    }


def read_folder(watch: Watch, folder: str, place: str, name: str = "") -> Package:
    """The package in a folder that is no member; `place` is what messages call the folder, `name` what the package
    should be called (its manifest says so when that is '')."""
    prefix = f"{folder}/" if folder else ""
    if not watch.is_file(prefix + MANIFEST):
        raise PlanError(Problem(f"has no {MANIFEST}, a morloc package was expected", place=place))
    files = frozenset(path.removeprefix(prefix) for path in watch.files(folder))
    return _foreign(watch.text(prefix + MANIFEST), files, InFolder(watch, folder), place, name)


def read_entries(entries: Iterable[Entry], place: str, name: str = "") -> Package:
    """The package that consists of `entries` (paths from its own top folder)."""
    found = {entry.path: entry for entry in entries}
    if MANIFEST not in found:
        raise PlanError(Problem(f"has no {MANIFEST}, a morloc package was expected", place=place))
    content = InMemory(found)
    return _foreign(content.text(MANIFEST), frozenset(found), content, place, name)


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

    An undeclared import counts, and of a package that is no member an entry of `dependencies` that is neither
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


_CPP_SUFFIXES = (".c", ".cc", ".cpp", ".cxx", ".h", ".hh", ".hpp", ".hxx")
_HEADER = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"\n]+)"', re.MULTILINE)
_PAPERS = re.compile(r"(?i)(?:licen[cs]e|copying|notice|readme)(?:$|[._-])")


def _quoted_headers(text: str, folder: str) -> list[str]:
    return [posixpath.normpath(posixpath.join(folder, path)) for path in _HEADER.findall(text)]


def _member(workspace: Workspace, member: Member, manifest: MorlocManifest, folders: Collection[str]) -> Package:
    content = InFolder(workspace.watch, member.folder)
    prefix = f"{member.folder}/" if member.folder else ""
    files = frozenset(path.removeprefix(prefix) for path in _files(workspace, member.folder, folders))
    ignored = _ignored(content, files, git=workspace.manifest.morloc.gitignore)
    return Package(
        name=manifest.name, folder=member.folder, manifest=manifest, files=files - ignored, ignored=ignored,
        content=content,
    )  # fmt: skip


def _foreign(text: str, files: frozenset[str], content: Content, place: str, name: str) -> Package:
    manifest, warnings = read_foreign_morloc(text, f"{place}/{MANIFEST}")
    if name and manifest.name != name:
        other = Problem(f"{manifest.name!r} is not what the package is called, {name!r}", "name", f"{place}/{MANIFEST}")
        warnings = (*warnings, other)
    ignored = _ignored(content, files, git=False)
    return Package(
        name=name or manifest.name, folder=place, manifest=manifest, files=files - ignored, ignored=ignored,
        content=content, member=False, warnings=warnings,
    )  # fmt: skip


def _ignored(content: Content, files: frozenset[str], *, git: bool) -> frozenset[str]:
    """What stays out of the package by .morlocignore, and if so wanted by .gitignore."""
    ignored = set(filter(read_ignore(content.text(IGNORE_FILE) if IGNORE_FILE in files else ""), files))
    return frozenset(ignored | (gitignored(content, files) if git else set()))


def gitignored(content: Content, files: Iterable[str]) -> set[str]:
    """The files that a .gitignore among them leaves out."""
    texts = {
        posixpath.dirname(file): content.text(file) for file in files if posixpath.basename(file) == gitignore.NAME
    }
    return set(filter(gitignore.read_gitignores(texts), files)) if texts else set()


def _files(workspace: Workspace, folder: str, others: Collection[str]) -> Iterator[str]:
    """The files below a member's folder, without those of members inside it."""
    artifacts = _ARTIFACTS if not folder else ()
    return workspace.watch.files(folder, lambda path: path in others or path in artifacts)
