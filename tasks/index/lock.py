"""Locks: resolving requirements with uv into a hashed pylock.toml, and noticing that a lock has drifted.

An app's lock stands beside its manifest and is committed; `packyard lock` writes it and no build changes it.
Where there is none, the lock of another tool is taken (adoptedlock.py), or a build resolves once; either is kept in
`.packyard/locks/`, under a name that the question decides: another question is another file.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from packyard.formats.errors import FormatError, Problem
from packyard.formats.python.machine import Machine
from packyard.formats.python.pinned import misfits, pinned_files, unusable
from packyard.formats.python.pylock import NAME, Build, Pylock, drift, read_pylock, stamp_pylock
from packyard.tasks.errors import ActionError, PlanError
from packyard.tasks.host.atomic import rewrite
from packyard.tasks.index.adoptedlock import check_taken, digest, own_folders, signing, taken_lock, taken_text
from packyard.tasks.index.filecache import fetched
from packyard.tasks.index.pin import Pin
from packyard.tasks.index.projectindexes import indexes_of
from packyard.tasks.index.resolver import Question, compiled, upgrades
from packyard.tasks.index.sdist import build_system
from packyard.tasks.index.uvsources import as_tables, manifests_of, settings_of
from packyard.tasks.workspace.workspace import Member, Workspace

FOLDER = ".packyard/locks"


def pin_of(
    member: Member,
    workspace: Workspace,
    *,
    requirements: Iterable[str],
    python: str,
    name: str = NAME,
    shared: bool = False,
    platforms: Iterable[str] = (),
    beside: Iterable[Member] = (),
) -> Pin:
    """The lock that answers for a member's requirements on some platforms: the committed one beside its manifest, else
    our own (with `shared`, one for all members that ask the same). `beside` are members whose requirements are among
    them.

    PlanError if the committed one is for other requirements, with the command that fixes it.
    """
    wanted = tuple(sorted(set(requirements)))
    path = member.path(name)
    pin = Pin(
        path=path, requirements=wanted, python=python, platform=workspace.platform, project=member.folder,
        indexes=tuple(indexes_of(member, workspace)), platforms=tuple(platforms),
        manifests=manifests_of(member, workspace, beside),
    )  # fmt: skip
    lock = read_pylock(workspace.watch.text(path), path) if workspace.watch.is_file(path) else None
    if lock and (lock.ours or name != NAME):
        return _committed(pin, lock, member, workspace, beside)
    taken = taken_lock(member, workspace) if name == NAME else None
    if not taken:
        pin = with_settings(pin, member, workspace, beside)
        own = own_path("build" if shared else member.name, wanted, python, settings=pin.settings)
        return replace(pin, path=own, project="" if shared and not pin.settings else member.folder, absent=path)
    check_taken(taken, member, workspace, wanted, machines_of(pin))
    lacking, inside = taken.lacks(wanted), own_folders(taken, workspace)
    if lock and not lacking and not inside:
        return pin
    settings = settings_of(member, workspace, lacking, beside)
    own = own_path(member.name, wanted, python, taken.sha256, settings)
    return replace(
        pin, path=own, taken=taken.path, absent=path if lacking else "", settings=settings,
        members=tuple(sorted(inside)),
    )  # fmt: skip


def _committed(pin: Pin, lock: Pylock, member: Member, workspace: Workspace, beside: Iterable[Member]) -> Pin:
    """The committed lock of a member; PlanError if it is for another question."""
    if not lock.taken:
        pin = with_settings(pin, member, workspace, beside)
    changes = [
        *drift(lock, requirements=pin.requirements, python=pin.python, settings=pin.settings),
        *taken_drift(lock, workspace),
    ]
    if changes:
        message = f"no longer fits the dependencies of {member.name!r}: {', '.join(changes)}"
        raise PlanError(Problem(message, place=pin.path, hint=f"run 'packyard lock {member.name}'"))
    return pin


def with_settings(pin: Pin, member: Member, workspace: Workspace, beside: Iterable[Member] = ()) -> Pin:
    """The lock, to be resolved as [tool.uv] of the members says; PlanError for what they say that is not followed."""
    members = (member, *beside)
    problems = [
        Problem("is not followed; expected a lock by the tool that it is for", key, one.path("pyproject.toml"),
                "export one with hashes: pylock.toml or requirements.txt, beside the manifest")
        for one in members if one.project for key in one.project.other_sources
    ]  # fmt: skip
    if problems:
        raise PlanError(*problems)
    return replace(pin, settings=settings_of(member, workspace, pin.requirements, beside))


def machines_of(pin: Pin) -> list[Machine]:
    """The machines that a lock has to answer for."""
    return [Machine(python=pin.python, platform=platform) for platform in pin.platforms or (pin.platform,)]


def taken_drift(lock: Pylock, workspace: Workspace) -> Iterator[str]:
    """In words, that the other tool's lock which this one repeats has changed since."""
    there = lock.taken and workspace.watch.is_file(lock.taken)
    if there and digest(workspace.watch.text(lock.taken)) != lock.taken_sha256:
        yield f"{lock.taken} has changed"


def own_path(name: str, requirements: Iterable[str], python: str, taken: str = "", settings: Iterable[str] = ()) -> str:
    """Where an uncommitted lock is kept: its name encodes the question, so a stale one is never read."""
    question = json.dumps(
        [sorted(requirements), python, *([taken] if taken else []), *([[*settings]] if settings else [])]
    )
    return f"{FOLDER}/{name}/pylock.{hashlib.sha256(question.encode()).hexdigest()[:12]}.toml"


def resolve(pin: Pin, root: Path, *, downloads: Path, upgrade: Iterable[str] | None = ()) -> None:
    """Resolve the requirements of `pin` for every platform and write its lock, completely or not at all. Sources whose
    build requirements are read are kept in `downloads`.

    Versions in the existing lock (or in an earlier one of the same name) are kept while they fit, except for the
    distributions named in `upgrade`, None meaning all. ActionError, with uv's own words, if there is no answer.
    """
    final = root / pin.path
    if pin.taken:
        taken = digest((root / pin.taken).read_text(encoding="utf-8"))
        found = taken_text(pin, root, upgrades(upgrade))
        known, chosen = _earlier(final), upgrades(upgrade)
        text = _stamped(pin, root, found, known, chosen, downloads=downloads, taken=(pin.taken, taken))
    else:
        text = resolved_text(pin, root, _earlier(final), downloads=downloads, upgrade=upgrade)
    try:
        rewrite(final, text)
    except OSError as error:
        raise ActionError(f"{pin.path}: cannot be written: {error.strerror}") from None


def resolved_text(
    pin: Pin, root: Path, earlier: str = "", *, downloads: Path, upgrade: Iterable[str] | None = ()
) -> str:
    """The text of the lock that answers `pin` in the workspace at `root`, keeping the versions of the `earlier` text
    where they fit."""
    chosen = upgrades(upgrade)
    question = Question(
        place=pin.path, requirements=pin.requirements, python=pin.python, project=root / pin.project,
        earlier=earlier, upgrade=chosen, uv=as_tables(pin.settings, root, root / pin.project),
        signing=signing(pin, root),
    )  # fmt: skip
    return _stamped(pin, root, compiled(question), earlier, chosen, downloads=downloads)


def _stamped(
    pin: Pin,
    root: Path,
    text: str,
    earlier: str,
    upgrade: tuple[str, ...] | None,
    *,
    downloads: Path,
    taken: tuple[str, str] = ("", ""),
) -> str:
    """A lock with its question, and with what builds its sources."""
    try:
        known = read_pylock(earlier, pin.path).builds if earlier else ()
        builds = tuple(_builds(pin, root, text, known, upgrade, downloads))
        text = stamp_pylock(
            text, requirements=pin.requirements, python=pin.python, builds=builds, taken=taken, settings=pin.settings
        )
        read_pylock(text, pin.path)
        problems = [problem for machine in machines_of(pin) for problem in _unanswered(pin, text, machine)]
    except FormatError as error:
        raise ActionError(f"the lock that uv wrote cannot be used: {error}") from None
    if problems:
        raise ActionError("\n".join(map(str, dict.fromkeys(problems))))
    return text


def _unanswered(pin: Pin, text: str, machine: Machine) -> list[Problem]:
    """What a build on a machine would miss in a lock, or could not use."""
    lacking = ", ".join(misfits(text, pin.path, machine, pin.requirements))
    return [*unusable(text, pin.path, machine), *([Problem(lacking, place=pin.path)] if lacking else [])]


def _builds(
    pin: Pin, root: Path, text: str, known: Iterable[Build], upgrade: tuple[str, ...] | None, downloads: Path
) -> Iterator[Build]:
    """What builds the distributions that have no wheel for the machine of `pin`."""
    earlier = {build.name: build for build in known}
    machine = Machine(python=pin.python, platform=pin.platform)
    try:
        sources = [file for file in pinned_files(text, pin.path, machine) if not file.is_wheel]
    except FormatError:
        return  # it is for other machines: what this one lacks is reported where it is needed
    for pinned, file in zip(sources, fetched(sources, downloads, (*pin.indexes, *signing(pin, root)))):
        with tempfile.TemporaryDirectory(prefix="packyard-source-") as folder:
            requires = build_system(pinned, file, Path(folder, "source")).requires
        kept = earlier[pinned.name].lock if pinned.name in earlier else ""
        question = Question(
            place=f"{pin.path}: what builds {pinned.name}", requirements=tuple(sorted(requires)), python=pin.python,
            project=root / pin.project, earlier=kept, upgrade=upgrade,
            signing=signing(pin, root),
        )  # fmt: skip
        yield Build(name=pinned.name, requires=requires, lock=compiled(question, "--only-binary", ":all:"))


def _earlier(final: Path) -> str:
    """The text of the lock at `final`, otherwise of the newest one beside it."""
    candidates = [final] if final.exists() else sorted(final.parent.glob("pylock.*.toml"), key=_time, reverse=True)
    return candidates[0].read_text(encoding="utf-8") if candidates else ""


def _time(path: Path) -> int:
    return path.stat().st_mtime_ns
