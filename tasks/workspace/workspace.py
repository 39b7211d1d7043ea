"""The workspace: the root's manifest and the members its globs find, with their names checked."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from packaging.utils import canonicalize_name
from packyard.formats.errors import FormatError, Problem
from packyard.formats.mojo.manifest import MojoManifest, read_mojo
from packyard.formats.morloc.manifest import MorlocManifest, read_morloc
from packyard.formats.python.flavor import read_buildconfig
from packyard.formats.python.pyproject import ProjectManifest, read_project
from packyard.formats.workspace.lock import WorkspaceLock, read_lock
from packyard.formats.workspace.manifest import WorkspaceManifest
from packyard.formats.workspace.manifest import read_workspace as read_manifest
from packyard.tasks.errors import PlanError, gather
from packyard.tasks.host.machine import host_platform
from packyard.tasks.workspace.dynamic import with_dynamic_files
from packyard.tasks.workspace.watch import Watch

MANIFEST = "packyard.toml"
LOCK = "packyard.lock"
PRIVATE_NAME, PUBLIC_NAME = "flavor-private.key", "flavor-public.key"  # of keys, as FlavorPack names them
_LATEST = 4354819198  # 2107-12-31 23:59:58
_BUILDCONFIG = "buildconfig.toml"  # beside a pyproject.toml: more of [tool.flavor.build]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A package folder: at least one manifest, all agreeing on its name. `folder` is relative, '' for the root."""

    name: str
    folder: str
    mojo: MojoManifest | None = None
    project: ProjectManifest | None = None
    morloc: MorlocManifest | None = None

    def path(self, name: str) -> str:
        """A path inside the member, relative to the workspace."""
        return f"{self.folder}/{name}" if self.folder else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Everything the graph is made from. `epoch` is SOURCE_DATE_EPOCH or 0, in seconds."""

    root: Path
    watch: Watch
    manifest: WorkspaceManifest
    members: tuple[Member, ...]
    platform: str  # 'linux_amd64'
    epoch: int = 0
    dist: str = "dist"  # where artifacts are kept; '' keeps them only in the store
    lock: WorkspaceLock = field(default_factory=WorkspaceLock)


def read_workspace(root: Path) -> Workspace:
    """Read the workspace at `root` and all its members; PlanError with every problem of every manifest."""
    watch = Watch(root)
    manifest = read_manifest(watch.text(MANIFEST), MANIFEST)
    members: list[Member] = []
    problems: list[FormatError] = []
    lock = _read_lock(watch, problems)
    for folder in _member_folders(watch, manifest, problems):
        try:
            members.append(_read_member(watch, folder))
        except FormatError as error:
            problems.append(error)
    members.extend(_local_members(watch, members, problems))
    problems.extend(_same_names(members))
    gather(problems)
    return Workspace(
        root=root,
        watch=watch,
        manifest=manifest,
        members=tuple(sorted(members, key=lambda member: member.name)),
        platform=host_platform(),
        epoch=source_epoch(),
        lock=lock,
    )


def read_standalone(
    root: Path, change: Callable[[ProjectManifest], ProjectManifest], *, compression: str = "fast"
) -> Workspace:
    """The folder of one application as a workspace of its own, without a packyard.toml; `change` may adjust its
    manifest. PlanError with every problem."""
    watch = Watch(root)
    member = _read_member(watch, "")
    if member.project is None or member.project.flavor is None:
        problem = Problem("has no [tool.flavor]", place="pyproject.toml", hint='[tool.flavor] entry_point = "app:main"')
        raise PlanError(problem)
    members = [replace(member, project=change(member.project))]
    problems: list[FormatError] = []
    lock = _read_lock(watch, problems)
    members.extend(_local_members(watch, members, problems))
    problems.extend(_same_names(members))
    gather(problems)
    return Workspace(
        root=root,
        watch=watch,
        manifest=WorkspaceManifest(name=member.name, compression=compression),
        members=tuple(sorted(members, key=lambda member: member.name)),
        platform=host_platform(),
        epoch=source_epoch(),
        dist="",
        lock=lock,
    )


def workspace_lock(watch: Watch) -> WorkspaceLock:
    """What the packyard.lock of a workspace says, nothing when there is none; FormatError with all its problems."""
    return read_lock(watch.text(LOCK), LOCK) if watch.is_file(LOCK) else WorkspaceLock()


def _read_lock(watch: Watch, problems: list[FormatError]) -> WorkspaceLock:
    try:
        return workspace_lock(watch)
    except FormatError as error:
        problems.append(error)
        return WorkspaceLock()


def _member_folders(watch: Watch, manifest: WorkspaceManifest, problems: list[FormatError]) -> Iterator[str]:
    seen: set[str] = set()
    for position, pattern in enumerate(manifest.members):
        folders = watch.matching_folders(pattern)
        if not folders:
            key = f"workspace.members[{position}]"
            problems.append(FormatError(Problem(f"'{pattern}' matches no folder", key=key, place=MANIFEST)))
        yield from (folder for folder in folders if folder not in seen)
        seen.update(folders)


def _read_member(watch: Watch, folder: str) -> Member:
    """The member in a folder; FormatError with the problems of all its manifests."""
    readers: dict[str, tuple[str, Callable[[str, str], MojoManifest | ProjectManifest | MorlocManifest]]] = {
        "mojo": ("mojo.toml", read_mojo),
        "project": ("pyproject.toml", lambda text, path: _read_project(watch, folder, text, path)),
        "morloc": ("package.yaml", read_morloc),
    }
    found: dict[str, MojoManifest | ProjectManifest | MorlocManifest] = {}
    problems: list[FormatError] = []
    names: dict[str, str] = {}
    for kind, (file, read) in readers.items():
        path = f"{folder}/{file}" if folder else file
        if not watch.is_file(path):
            continue
        try:
            found[kind] = read(watch.text(path), path)
            names[path] = found[kind].name
        except FormatError as error:
            problems.append(error)
    if not found and not problems:
        known = ", ".join(file for file, _ in readers.values())
        message = f"is a member without a manifest; expected one of {known}"
        hint = f"add one, or remove the folder from workspace.members in {MANIFEST}"
        raise PlanError(Problem(message, place=folder or ".", hint=hint))
    if len(set(names.values())) > 1:
        spelled = ", ".join(f"{name!r} in {path}" for path, name in names.items())
        problems.append(
            FormatError(
                Problem(f"one folder is one member, but its manifests disagree: {spelled}", place=folder or ".")
            )
        )
    gather(problems)
    return Member(name=next(iter(names.values())), folder=folder, **found)  # type: ignore[arg-type]


def _read_project(watch: Watch, folder: str, text: str, path: str) -> ProjectManifest:
    """A pyproject.toml, and the buildconfig.toml beside it."""
    project = with_dynamic_files(read_project(text, path), watch, folder, path)
    other = f"{folder}/{_BUILDCONFIG}" if folder else _BUILDCONFIG
    if not watch.is_file(other):
        return project
    return replace(project, flavor=read_buildconfig(watch.text(other), other, project.flavor))


def _local_members(watch: Watch, members: list[Member], problems: list[FormatError]) -> list[Member]:
    """The folders that applications name in [tool.flavor.build] dependencies and that are not members: libraries."""
    found: list[Member] = []
    folders = {member.folder for member in members}
    names = {canonicalize_name(member.name) for member in members}
    waiting = list(members)
    while waiting:
        member = waiting.pop(0)
        flavor = member.project.flavor if member.project else None
        for text in flavor.build.dependencies if flavor else ():
            folder = posixpath.normpath(member.path(text))
            if folder in folders or canonicalize_name(text) in names or not watch.is_file(f"{folder}/pyproject.toml"):
                continue
            folders.add(folder)
            try:
                local = _read_member(watch, folder)
            except FormatError as error:
                problems.append(error)
                continue
            waiting.append(local)
            assert local.project is not None
            found.append(replace(local, project=replace(local.project, flavor=None)))
    return found


def _same_names(members: list[Member]) -> Iterator[FormatError]:
    seen: dict[str, Member] = {}
    for member in members:
        other = seen.setdefault(member.name, member)
        if other is not member:
            message = f"{member.name!r} is the name of two members; the other is '{other.folder or '.'}'"
            yield FormatError(Problem(message, place=member.folder or "."))


def source_epoch() -> int:
    """SOURCE_DATE_EPOCH in whole seconds, 0 when it is not set; PlanError if it is not a number."""
    text = os.environ.get("SOURCE_DATE_EPOCH", "0")
    if not (text.isascii() and text.isdecimal()):
        raise PlanError(Problem(f"{text!r} is not a time in whole seconds since 1970", place="SOURCE_DATE_EPOCH"))
    if len(text) > len(str(_LATEST)) or int(text) > _LATEST:
        message = f"{text!r} is after 2107, the last year that a zip can hold; expected seconds since 1970"
        raise PlanError(Problem(message, place="SOURCE_DATE_EPOCH"))
    return int(text)
