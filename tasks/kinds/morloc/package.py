"""morloc packages: which files belong to each.

A package is a member of the workspace, read through its watch, or one that was fetched, held in memory.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from packyard.formats.archive.entry import Entry
from packyard.formats.errors import FormatError, Problem
from packyard.formats.morloc.ignore import IGNORE_FILE, read_ignore
from packyard.formats.morloc.manifest import MorlocManifest, read_foreign_morloc
from packyard.formats.text import gitignore
from packyard.tasks.errors import PlanError

MANIFEST = "package.yaml"


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


def read_entries(entries: Iterable[Entry], place: str, name: str = "") -> Package:
    """The package that consists of `entries` (paths from its own top folder)."""
    found = {entry.path: entry for entry in entries}
    if MANIFEST not in found:
        raise PlanError(Problem(f"has no {MANIFEST}; expected a morloc package", place=place))
    content = InMemory(found)
    return foreign_package(content.text(MANIFEST), frozenset(found), content, place, name)


def foreign_package(text: str, files: frozenset[str], content: Content, place: str, name: str) -> Package:
    """A package that is not a member, by the `text` of its manifest; `place` and `name` as for `read_folder`."""
    manifest, warnings = read_foreign_morloc(text, f"{place}/{MANIFEST}")
    if name and manifest.name != name:
        other = Problem(f"{manifest.name!r} is not the name of the package, {name!r}", "name", f"{place}/{MANIFEST}")
        warnings = (*warnings, other)
    ignored = ignored_files(content, files, git=False)
    return Package(
        name=name or manifest.name, folder=place, manifest=manifest, files=files - ignored, ignored=ignored,
        content=content, member=False, warnings=warnings,
    )  # fmt: skip


def ignored_files(content: Content, files: frozenset[str], *, git: bool) -> frozenset[str]:
    """What stays out of the package by .morlocignore, and if so wanted by .gitignore."""
    ignored = set(filter(read_ignore(content.text(IGNORE_FILE) if IGNORE_FILE in files else ""), files))
    return frozenset(ignored | (gitignored(content, files) if git else set()))


def gitignored(content: Content, files: Iterable[str]) -> set[str]:
    """The files that a .gitignore among them leaves out."""
    texts = {
        posixpath.dirname(file): content.text(file) for file in files if posixpath.basename(file) == gitignore.NAME
    }
    return set(filter(gitignore.read_gitignores(texts), files)) if texts else set()
