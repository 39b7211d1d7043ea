"""What a morloc home of the workspace's packages is made of: members and all that they need by the lock, and which
targets and vendored files give their archives."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from packyard.formats.morloc.lock import ARCHIVE, MEMBER, LockedPackage
from packyard.formats.morloc.resolution import find_cycle
from packyard.tasks.kinds.morloc.archivefile import place_of, vendored
from packyard.tasks.kinds.morloc.lock import in_order, locked_source
from packyard.tasks.kinds.morloc.package import Package
from packyard.tasks.target.target import Source, Use
from packyard.tasks.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Archives:
    """`packages` are dependencies first; an action finds the archive of each as `packages/NAME.morloc.tar.gz`, from
    `uses` and `sources`. `missing` is what the lock lacks, in words."""

    packages: tuple[LockedPackage, ...]
    uses: tuple[Use, ...]
    sources: tuple[Source, ...]
    missing: tuple[str, ...]


def archives_of(roots: Collection[str], members: Mapping[str, Package], workspace: Workspace) -> Archives:
    """The archives of some members and of all that they need."""
    spec = workspace.manifest.morloc
    of_members = {
        name: LockedPackage(
            name=name,
            version=package.manifest.version,
            source=MEMBER,
            dependencies=tuple(sorted(package.manifest.declared)),
        )
        for name, package in members.items()
    }
    packages, missing = _closure(roots, of_members, workspace.lock.packages)
    files = [file for pattern in spec.vendor for file in workspace.watch.matching_files(pattern)]
    archives = vendored(Path(), files)
    uses, sources = [], []
    for package in packages:
        at = place_of(package.name)
        if package.source != ARCHIVE:
            uses.append(Use(target=f"morloc:{package.name}", at=at))
        elif package.name in archives:
            sources.append(Source(path=os.fspath(archives[package.name]), at=at))
        else:
            missing.append(f"{package.name} is locked as an archive, and [morloc] vendor names none")
    missing += [
        f"{package.name} now comes from '{wanted}', but was locked as '{package.source}'"
        for package in packages
        if package.source != MEMBER and (wanted := locked_source(spec, package)) != package.source
    ]
    return Archives(packages=tuple(packages), uses=tuple(uses), sources=tuple(sources), missing=tuple(sorted(missing)))


def members_needed(name: str, members: Mapping[str, Package]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A member and all members that it needs, sorted; and what they need of others."""
    found, others = [name], set()
    for one in found:  # grows while it is walked
        for need in members[one].manifest.declared:
            if need not in members:
                others.add(need)
            elif need not in found:
                found.append(need)
    return tuple(sorted(found)), tuple(sorted(others))


def _closure(
    roots: Collection[str], members: Mapping[str, LockedPackage], locked: Mapping[str, LockedPackage]
) -> tuple[list[LockedPackage], list[str]]:
    """Some members and all that they need, dependencies first; and what is not locked, in words."""
    found = {name: members[name] for name in roots}
    missing: list[str] = []
    waiting = sorted(roots)
    for name in waiting:  # grows while it is walked
        for need in found[name].dependencies:
            if need in found:
                continue
            if need in members:
                found[need] = members[need]
            elif need in locked and locked[need].source != MEMBER:
                found[need] = locked[need]
            else:
                missing.append(f"{need}, which {name} needs, is not in it")
                continue
            waiting.append(need)
    cyclic = find_cycle({name: package.dependencies for name, package in found.items()})
    if cyclic:
        missing.append(f"the packages depend on each other in a cycle: {' -> '.join(cyclic)}")
        return [found[name] for name in sorted(found)], missing
    return in_order(found), missing
