"""morloc packages in folders that a watch sees: the members of the workspace, and others that are named by hand."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from packyard.formats.archive.entry import Entry
from packyard.formats.errors import FormatError, Problem
from packyard.formats.morloc.manifest import MorlocManifest
from packyard.tasks.errors import PlanError
from packyard.tasks.kinds.morloc.package import MANIFEST, Package, foreign_package, ignored_files
from packyard.tasks.workspace.watch import Watch
from packyard.tasks.workspace.workspace import Member, Workspace

_ARTIFACTS = ("dist/", "site/")  # of a workspace that is itself a member


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


def read_packages(workspace: Workspace) -> dict[str, Package]:
    """The morloc members by name."""
    folders = frozenset(f"{member.folder}/" for member in workspace.members)
    return {
        member.name: _member(workspace, member, member.morloc, folders)
        for member in workspace.members
        if member.morloc is not None
    }


def read_folder(watch: Watch, folder: str, place: str, name: str = "") -> Package:
    """The package in a folder that is not a member; `place` is what messages call the folder, `name` what the package
    should be called (its manifest says so when that is '')."""
    prefix = f"{folder}/" if folder else ""
    if not watch.is_file(prefix + MANIFEST):
        raise PlanError(Problem(f"has no {MANIFEST}; expected a morloc package", place=place))
    files = frozenset(path.removeprefix(prefix) for path in watch.files(folder))
    return foreign_package(watch.text(prefix + MANIFEST), files, InFolder(watch, folder), place, name)


def _member(workspace: Workspace, member: Member, manifest: MorlocManifest, folders: Collection[str]) -> Package:
    content = InFolder(workspace.watch, member.folder)
    prefix = f"{member.folder}/" if member.folder else ""
    files = frozenset(path.removeprefix(prefix) for path in _files(workspace, member.folder, folders))
    ignored = ignored_files(content, files, git=workspace.manifest.morloc.gitignore)
    return Package(
        name=manifest.name, folder=member.folder, manifest=manifest, files=files - ignored, ignored=ignored,
        content=content,
    )  # fmt: skip


def _files(workspace: Workspace, folder: str, others: Collection[str]) -> Iterator[str]:
    """The files below a member's folder, without those of members inside it."""
    artifacts = _ARTIFACTS if not folder else ()
    return workspace.watch.files(folder, lambda path: path in others or path in artifacts)
