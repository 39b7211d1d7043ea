"""The morloc part of packyard.lock: made from the workspace, and compared with it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path

from packyard.formats.errors import Problem
from packyard.formats.morloc.lock import ARCHIVE, DEFAULT, FOLDER, MEMBER, LockedPackage
from packyard.formats.morloc.reference import LocalRef, read_install
from packyard.formats.morloc.resolution import order
from packyard.formats.workspace.lock import WorkspaceLock, read_lock, write_lock
from packyard.formats.workspace.manifest import MorlocSpec, WorkspaceManifest
from packyard.tasks.errors import PlanError
from packyard.tasks.host.cachefolder import cache_folder
from packyard.tasks.kinds.morloc.archivefile import vendored
from packyard.tasks.kinds.morloc.members import read_packages
from packyard.tasks.kinds.morloc.modules import needs_of
from packyard.tasks.kinds.morloc.scan import Scan, scan
from packyard.tasks.kinds.morloc.sources import Sources, naming_problems
from packyard.tasks.workspace import answers
from packyard.tasks.workspace.watch import Watch
from packyard.tasks.workspace.workspace import LOCK, Workspace, read_workspace


def lock_morloc(
    workspace: Workspace,
    earlier: str = "",
    *,
    upgrade: Collection[str] | None = (),
    offline: bool = False,
    notify: Callable[[str], None] = lambda line: None,
) -> str:
    """The text of packyard.lock with its morloc part made anew; the rest of the `earlier` text stays as it is.

    Commits of the earlier lock are kept but for the packages in `upgrade` (None: all). FormatError with everything
    that is missing, contradictory or damaged. Without morloc members the text stays as it is.
    """
    spec = workspace.manifest.morloc  # tags may move, and the watch does not see what lies elsewhere
    asks = upgrade is None or bool(upgrade) or bool(spec.sources) or bool(spec.vendor)
    if not asks and answers.recall(workspace.root, "lock", f"{workspace.root}\0{earlier}") is not None:
        return earlier
    old = read_lock(earlier, LOCK)
    packages = _locked_anew(workspace, old, upgrade=upgrade, offline=offline, notify=notify)
    text = write_lock(replace(old, morloc=packages), earlier)
    alone = not workspace.manifest.toolchain.mojo and not any(m.project or m.mojo for m in workspace.members)
    answer = len(packages) if alone and not asks else 0
    answers.keep(workspace.root, "lock", f"{workspace.root}\0{text}", _seen(workspace), answer)
    return text


def is_settled(root: Path) -> int:
    """How many packages the packyard.lock of a workspace names that has morloc members alone, when it is known, without
    reading them, that it would be the same again; else 0."""
    return int(answers.recall(root, "lock", f"{root}\0{_lock_text(root)}") or 0)


def _locked_anew(
    workspace: Workspace,
    earlier: WorkspaceLock,
    *,
    upgrade: Collection[str] | None,
    offline: bool,
    notify: Callable[[str], None],
) -> tuple[LockedPackage, ...]:
    members = scan(read_packages(workspace))
    if not members.packages and not earlier.morloc:
        return ()
    sources = workspace_sources(
        workspace.manifest, workspace.watch, lambda: members, earlier.packages,
        upgrade=upgrade, offline=offline, notify=notify,
    )  # fmt: skip
    problems = naming_problems(members, {*sources.known(), *sources.locked}, workspace.root.name)
    if problems:
        raise PlanError(*problems)
    return tuple(provided.locked for provided in sources.resolve(members.packages))


def drift_of_morloc(workspace: Workspace, text: str) -> list[str]:
    """What of the workspace a packyard.lock does not say any more, in words; [] when it fits. Nothing is fetched."""
    question = f"{workspace.root}\0{text}"
    kept = answers.recall(workspace.root, "drift", question)
    if kept is not None:
        return list(map(str, kept))
    members = scan(read_packages(workspace))
    locked = read_lock(text, LOCK).packages
    found = [*_member_drift(members, locked), *_source_drift(workspace, locked), *_open_ends(members, locked)]
    answers.keep(workspace.root, "drift", question, _seen(workspace), found)
    return found


def _seen(workspace: Workspace) -> dict[str, bytes]:
    """What an answer was found by, beside the lock, whose text is in the question and which is to be written."""
    return {path: look for path, look in workspace.watch.seen.items() if path != LOCK}


def refuse_drift(root: Path) -> None:
    """Refuse a workspace whose packyard.lock names morloc packages, but not as they are now; PlanError."""
    if "[[morloc]]" in _lock_text(root):
        check_morloc(read_workspace(root), _lock_text(root))


def _lock_text(root: Path) -> str:
    try:
        return (root / LOCK).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def known_packages(workspace: Workspace) -> set[str]:
    """The packages that are not members but can be had: locked, with a source of their own, or vendored."""
    manifest = workspace.manifest
    return {*workspace.lock.packages, *manifest.morloc.sources, *_vendored(manifest, workspace.watch)}


def _vendored(manifest: WorkspaceManifest, watch: Watch) -> dict[str, Path]:
    return vendored(watch.root, [file for pattern in manifest.morloc.vendor for file in watch.matching_files(pattern)])


def in_order(packages: Mapping[str, LockedPackage]) -> list[LockedPackage]:
    """The packages with their dependencies first, ties by name."""
    return [packages[name] for name in order({name: p.dependencies for name, p in packages.items()})]


def locked_source(spec: MorlocSpec, package: LockedPackage) -> str:
    """What the lock would say of where a package comes from if it were made now."""
    text = spec.sources.get(package.name)
    if text is None:
        return package.source if package.source in (ARCHIVE, DEFAULT) else DEFAULT
    reference = read_install(text)
    return (ARCHIVE if reference.is_archive else FOLDER) if isinstance(reference, LocalRef) else text


def workspace_sources(
    manifest: WorkspaceManifest,
    watch: Watch,
    scan_members: Callable[[], Scan],
    locked: Mapping[str, LockedPackage],
    *,
    upgrade: Collection[str] | None = (),
    offline: bool = False,
    notify: Callable[[str], None] = lambda line: None,
) -> Sources:
    """The places that a workspace's packages come from; `scan_members` is called when one may be a member."""
    return Sources(
        spec=manifest.morloc,
        root=watch.root,
        cache=cache_folder(watch.root, manifest.cache.directory),
        scan_members=scan_members,
        archives=_vendored(manifest, watch),
        locked=locked,
        upgrade=upgrade,
        offline=offline,
        notify=notify,
    )


def _member_drift(members: Scan, locked: Mapping[str, LockedPackage]) -> list[str]:
    found = []
    for name, package in members.packages.items():
        version, needs = package.manifest.version, needs_of(package, members.modules[name])
        old = locked.get(name)
        if old is None:
            found.append(f"{name} is not in it")
        elif old.source != MEMBER:
            found.append(f"{name} is now a member, but was locked as '{old.source}'")
        elif old.version != version:
            found.append(f"{name} is {version}, but was locked at {old.version}")
        elif old.dependencies != needs:
            new, gone = sorted({*needs} - {*old.dependencies}), sorted({*old.dependencies} - {*needs})
            said = [f"now needs {', '.join(new)}"] * bool(new) + [f"no longer needs {', '.join(gone)}"] * bool(gone)
            found.append(f"{name} {' and '.join(said)}")
    gone = [name for name, old in locked.items() if old.source == MEMBER and name not in members.packages]
    return [*found, *(f"{name} is no longer a member" for name in gone)]


def _source_drift(workspace: Workspace, locked: Mapping[str, LockedPackage]) -> list[str]:
    spec = workspace.manifest.morloc
    return [
        f"{package.name} now comes from '{wanted}', but was locked as '{package.source}'"
        for package in locked.values()
        if package.source != MEMBER and (wanted := locked_source(spec, package)) != package.source
    ]


def _open_ends(members: Scan, locked: Mapping[str, LockedPackage]) -> list[str]:
    found = [
        f"{need}, which {package.name} needs, is not in it"
        for package in locked.values()
        for need in package.dependencies
        if need not in locked
    ]
    needs = {name: package.dependencies for name, package in locked.items()}
    needs.update({name: needs_of(package, members.modules[name]) for name, package in members.packages.items()})
    used = set(members.packages)
    waiting = list(used)
    while waiting:
        new = {*needs.get(waiting.pop(), ())} - used
        used |= new
        waiting.extend(new)
    unused = sorted({name for name, p in locked.items() if p.source != MEMBER} - used)
    return [*found, *(f"nothing needs {name} now" for name in unused)]


def check_morloc(workspace: Workspace, text: str) -> None:
    """Refuse a packyard.lock that does not fit the workspace; PlanError with every difference."""
    differences = drift_of_morloc(workspace, text)
    if differences:
        problems = [Problem(f"does not fit the workspace: {line}", place=LOCK) for line in differences]
        raise PlanError(*(replace(p, hint="run 'packyard lock'") if p is problems[-1] else p for p in problems))
