"""Installing morloc packages into a home, and taking them out: what to do is decided first, then done in one step."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from packyard.formats.errors import FormatError, Problem
from packyard.formats.morloc.home import Installed, needed_by
from packyard.formats.morloc.lock import LockedPackage, content_digest
from packyard.formats.versionrange import read_range
from packyard.tasks.host import process
from packyard.tasks.kinds.morloc.package import read_entries
from packyard.tasks.kinds.morloc.planechange import Change, change, finish, is_unfinished
from packyard.tasks.kinds.morloc.planefolder import Plane
from packyard.tasks.kinds.morloc.setup import Run, set_up
from packyard.tasks.kinds.morloc.sources import Provided, Sources
from packyard.tasks.kinds.morloc.unpacked import entries_of
from packyard.tasks.kinds.morloc.wish import Wish

How = Literal["install", "replace", "repair", "keep"]
_IN_PLANE = re.compile(r"src/morloc/plane/(?P<plane>[^/]+)/(?P<name>[^/]+)/(?P<path>.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What happens to one package: `before` is the version that was there, '' for none."""

    provided: Provided
    how: How
    explicit: bool
    before: str = ""


def decide(wish: Wish, sources: Sources, plane: Plane, *, upgrade: bool = False) -> list[Step]:
    """What an installation would do, dependencies first; FormatError with everything that stands in its way.

    A package that is there whole is kept unless it is `upgrade`d, or given by hand with other files; one that was
    left half-made is repaired.
    """
    there = {name: found for name in plane.names() if (found := _present(plane, name))}
    again = set(wish.roots) if upgrade else set()
    sources.given = wish.given
    sources.preset = wish.preset
    sources.present = {name: found for name, found in there.items() if name not in again}
    provided = sources.resolve(wish.roots)
    steps = [_step(found, plane, there.get(found.name), wish) for found in provided]
    _check_dependants(steps, there)
    _check_names([*plane.names(), *(step.provided.name for step in steps)])
    return steps


def carry_out(
    steps: Sequence[Step],
    plane: Plane,
    *,
    epoch: int,
    allow_setup: Collection[str] = (),
    run: Run | None = None,
    cache: Path | None = None,
) -> list[str]:
    """Install what `steps` say, all of it or nothing; the names of the packages whose setup script was not run.

    The home must be held (`changing`)."""
    packages: list[Installed] = []
    exposed: dict[str, Path] = {}
    skipped: list[str] = []
    with tempfile.TemporaryDirectory(prefix="packyard-setup-") as scratch:
        for step in steps:
            explicit = step.explicit or (step.before != "" and plane.reason(step.provided.name) == "explicit")
            reason = "explicit" if explicit else "auto"
            if step.how == "keep" and plane.reason(step.provided.name) == reason:
                continue
            package = _installed(step, reason)
            if step.how == "keep" and package.locked.name not in plane.locked:
                continue  # not put there by us: its record is not ours to rewrite
            if package.manifest.setup and step.how != "keep" and package.locked.installed is None:
                name = package.locked.name
                if name in allow_setup and run is not None:
                    home = Path(scratch, name)
                    entries = set_up(home, plane.paths, package, run, epoch=epoch)
                    locked = replace(package.locked, installed=content_digest(entries))
                    package = replace(package, entries=entries, locked=locked)
                    exposed[name] = home
                else:
                    skipped.append(name)
            packages.append(package)
        if packages:
            change(plane, Change(add=packages, exposed=exposed, cache=cache), epoch=epoch)
        elif is_unfinished(plane):
            finish(plane)
    return skipped


def dependants(names: Collection[str], plane: Plane) -> dict[str, list[str]]:
    """The packages that stay and need one of `names`, by the one they need."""
    found = {name: needed_by(name, plane.locked.values(), without=names) for name in sorted(names)}
    return {name: others for name, others in found.items() if others}


def orphans(names: Collection[str], plane: Plane) -> list[str]:
    """The packages that were installed for others only, and that nothing needs once `names` are gone."""
    gone = set(names)
    while True:
        more = {
            name
            for name in plane.locked
            if name not in gone and plane.reason(name) == "auto" and not needed_by(name, plane.locked.values(), gone)
        }
        if not more:
            return sorted(gone - set(names))
        gone |= more


def remove(names: Collection[str], plane: Plane) -> None:
    """Take packages out, all of them or none; the home must be held."""
    change(plane, Change(remove=names), epoch=0)


def _present(plane: Plane, name: str) -> Provided | None:
    """A package of the plane, None when it is not whole and so does not count."""
    if not plane.is_whole(name):
        return None
    try:
        package = read_entries(entries_of(plane.folder / name), os.fspath(plane.folder / name), name)
    except FormatError:
        return None
    locked = plane.locked.get(name)
    if locked is None:
        record = plane.record(name) or {}
        needs = [
            need.get("name", "") if isinstance(need, dict) else need for need in record.get("morloc_dependencies", [])
        ]
        locked = LockedPackage(
            name=name,
            version=package.manifest.version,
            source="morloc",
            commit=str(record.get("installed_hash") or ""),
            content=content_digest(package.entries()),
            dependencies=tuple(sorted(filter(None, map(str, needs)))),
        )
    return Provided(package=package, locked=locked)


def _step(found: Provided, plane: Plane, there: Provided | None, wish: Wish) -> Step:
    name = found.name
    explicit = name in wish.roots and name not in wish.auto
    if there is None:
        how: How = "repair" if (plane.folder / name).is_dir() or plane.record(name) else "install"
        return Step(provided=found, how=how, explicit=explicit)
    same = found is there or _content(found) == there.locked.content
    same = same and found.locked.commit in ("", there.locked.commit)
    how = "keep" if same else "replace"
    return Step(provided=there if same else found, how=how, explicit=explicit, before=there.locked.version)


def _content(found: Provided) -> object:
    return found.locked.content or content_digest(found.package.entries())


def _check_dependants(steps: Sequence[Step], there: Mapping[str, Provided]) -> None:
    """Refuse versions that packages which stay in the plane cannot use."""
    new = {step.provided.name: step.provided.locked.version for step in steps}
    problems = [
        Problem(f"would be {new[need]}, but {name}, which is installed, requires {text!r}", place=need)
        for name, found in sorted(there.items())
        if name not in new
        for need, text in sorted(found.package.manifest.requires.items())
        if need in new and not read_range(text).admits(new[need])
    ]
    if problems:
        raise FormatError(*problems)


def _check_names(names: Iterable[str]) -> None:
    """Refuse packages whose folders would be one where case is ignored."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            raise FormatError(Problem(f"would be in the folder of {other!r} on case-insensitive systems", place=name))


def _installed(step: Step, reason: str) -> Installed:
    entries = tuple(step.provided.package.entries())
    locked = step.provided.locked
    if locked.content is None:
        locked = replace(locked, content=content_digest(entries))
    return Installed(locked=locked, manifest=step.provided.package.manifest, entries=entries, reason=reason)


def default_home() -> Path:
    """The user's morloc home: MORLOC_HOME, else where the compiler looks."""
    given = os.environ.get("MORLOC_HOME")
    return Path(given) if given else Path.home() / ".local" / "share" / "morloc"


def plain_run(words: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
    """Run a setup script with a short, constant environment and the variables given."""
    with tempfile.TemporaryDirectory(prefix="packyard-run-") as scratch:
        constant = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": scratch,
            "TMPDIR": scratch,
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        }
        process.run(words, cwd=cwd, env={**constant, **env}, log=Path(scratch, "log"))
