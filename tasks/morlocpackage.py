"""morloc packages as they lie in the workspace: which files belong to each, and which modules can be reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from packyard.formats.errors import FormatError
from packyard.formats.morloc import MorlocManifest
from packyard.formats.morlocignore import IGNORE_FILE, read_ignore
from packyard.formats.morlocsource import Import, MorlocSource, scan_morloc
from packyard.tasks.watch import Watch
from packyard.tasks.workspace import Workspace

MANIFEST = "package.yaml"
_ARTIFACTS = ("dist/", "site/")  # of a workspace that is itself a member


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A morloc member. `files` belong to it, `ignored` lie in its folder but stay out; paths are below the folder."""

    name: str
    folder: str
    manifest: MorlocManifest
    files: frozenset[str]
    ignored: frozenset[str]

    @property
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A .loc file that can be reached from the entry of its package, or from an import of another member."""

    package: Package
    file: str
    source: MorlocSource

    @property
    def path(self) -> str:
        """The file, relative to the workspace."""
        return self.package.path(self.file)


def read_packages(workspace: Workspace) -> dict[str, Package]:
    """The morloc members by name."""
    return {
        member.name: _package(workspace, member.folder, member.morloc)
        for member in workspace.members
        if member.morloc is not None
    }


def read_modules(watch: Watch, packages: Mapping[str, Package], problems: list[FormatError]) -> list[Module]:
    """Every module that can be reached, entries first; files that cannot be scanned become problems."""
    waiting = [(package, package.entry) for package in packages.values() if package.entry]
    seen = {(package.name, file) for package, file in waiting}
    modules = []
    for package, file in waiting:  # grows while it is walked
        path = package.path(file)
        try:
            module = Module(package=package, file=file, source=scan_morloc(watch.text(path), path))
        except FormatError as error:
            problems.append(error)
            continue
        modules.append(module)
        for imported in module.source.imports:
            owner, target = resolve(packages, package, imported)
            if owner is not None and target and (owner.name, target) not in seen:
                seen.add((owner.name, target))
                waiting.append((owner, target))
    return modules


def resolve(packages: Mapping[str, Package], package: Package, imported: Import) -> tuple[Package | None, str]:
    """The member and its file that an import in `package` means; no member when it is not in the workspace."""
    if imported.local:
        return package, package.module(imported.name[1:])
    owner = packages.get(imported.package)
    levels = imported.name.partition(".")[2]
    if owner is None:
        return None, ""
    return owner, owner.module(levels) if levels else owner.entry


def _package(workspace: Workspace, folder: str, manifest: MorlocManifest) -> Package:
    prefix = f"{folder}/" if folder else ""
    files = {path.removeprefix(prefix) for path in _files(workspace, folder)}
    text = workspace.watch.text(prefix + IGNORE_FILE) if IGNORE_FILE in files else ""
    ignored = frozenset(filter(read_ignore(text), files))
    return Package(
        name=manifest.name, folder=folder, manifest=manifest, files=frozenset(files - ignored), ignored=ignored
    )


def _files(workspace: Workspace, folder: str) -> Iterator[str]:
    """The files below a member's folder, without those of members inside it."""
    prefix = f"{folder}/" if folder else ""
    others = {f"{member.folder}/" for member in workspace.members if member.folder.startswith(prefix)} - {f"{folder}/"}
    if not folder:
        others.update(_ARTIFACTS)
    return workspace.watch.files(folder, lambda path: path in others)
