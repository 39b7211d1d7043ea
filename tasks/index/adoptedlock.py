"""The lock of another tool that a member has, adopted as its own.

The first of these that exists decides: `pylock.toml`, `uv.lock` beside the manifest, `uv.lock` at the root
of the workspace when it lists the member, `requirements.txt` with hashes beside the manifest.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packyard.formats.errors import FormatError, Problem
from packyard.formats.python.machine import Machine
from packyard.formats.python.otherlocks import (
    keep_hashed,
    read_hashed_requirements,
    read_uv_extras,
    read_uv_lock,
    read_uv_sources,
)
from packyard.formats.python.pinned import folders, misfits, unusable
from packyard.formats.python.pylock import NAME, Pylock, drift, read_pylock, with_packages, without_packages
from packyard.tasks.errors import ActionError, PlanError
from packyard.tasks.index.credentials import passwords_in
from packyard.tasks.index.pin import Pin
from packyard.tasks.index.resolver import Question, compiled, exported
from packyard.tasks.index.uvsources import as_tables, other_sources
from packyard.tasks.workspace.workspace import Member, Workspace

UV, REQUIREMENTS = "uv.lock", "requirements.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A lock of another tool: where it is, its text, what it pins, and with which extras, None if it does not say.
    `maker` is the tool that wrote a pylock.toml."""

    path: str
    text: str
    packages: tuple[tuple[str, str], ...]
    extras: Mapping[str, frozenset[str]] | None = None
    maker: str = ""

    @property
    def sha256(self) -> str:
        """What it was, in hexadecimal."""
        return digest(self.text)

    @property
    def hint(self) -> str:
        """What makes it anew."""
        if self.path.endswith(UV):
            return "run 'uv lock'"
        again = f"lock again with {self.maker!r}" if self.maker else "export it again"
        return f"{again}, or remove it and run 'packyard lock'" if self.path.endswith(NAME) else again

    def lacks(self, requirements: Iterable[str]) -> tuple[str, ...]:
        """Those requirements for which it pins nothing."""
        known = {name for name, _ in self.packages}
        return tuple(text for text in requirements if canonicalize_name(Requirement(text).name) not in known)


def taken_lock(member: Member, workspace: Workspace) -> Taken | None:
    """The lock of another tool that a member has; FormatError if it cannot be read."""
    path = member.path(NAME)
    if workspace.watch.is_file(path) and (text := workspace.watch.text(path)).strip():
        lock = read_pylock(text, path)
        if not lock.ours:
            return Taken(path=path, text=text, packages=lock.packages, maker=lock.maker or "another tool")
    for path in dict.fromkeys((member.path(UV), UV, member.path(REQUIREMENTS))):
        if not workspace.watch.is_file(path):
            continue
        text = workspace.watch.text(path)
        extras = read_uv_extras(text, path) if path.endswith(UV) else None
        if path.endswith(UV):
            packages = read_uv_lock(text, path)
            if path != member.path(UV) and (canonicalize_name(member.name), "") not in packages:
                continue
        else:
            packages = tuple((line.name, line.version) for line in read_hashed_requirements(text, path))
            if not packages:
                continue
        return Taken(path=path, text=text, packages=packages, extras=extras)
    return None


def check_taken(
    taken: Taken, member: Member, workspace: Workspace, requirements: Iterable[str], machines: Sequence[Machine]
) -> None:
    """PlanError if the other tool's lock does not fit what the member's manifest asks for on some machines."""
    own = set(taken.lacks(_of_bundle(member)))
    wanted = [text for text in requirements if text not in own]
    if taken.path.endswith(NAME):
        _check_pylock(taken, member, workspace, wanted, machines)
        return
    folders = {name for name, version in taken.packages if not version}
    problems = [
        Problem(f"{text!r} is a folder there", place=taken.path, hint="list it in workspace.members of packyard.toml")
        for text in wanted
        if canonicalize_name(Requirement(text).name) in folders
    ]
    if problems:
        raise PlanError(*problems)
    lock = Pylock(packages=taken.packages)
    changes = [*drift(lock, requirements=wanted, python=machines[0].python), *_new_extras(taken, wanted)]
    if taken.path.endswith(UV):
        locked = read_uv_sources(taken.text, taken.path)
        changes += other_sources(member, workspace, [text for text in wanted if Requirement(text).url is None], locked)
    if changes:
        raise PlanError(_drifted(taken, member, changes))


def _check_pylock(
    taken: Taken, member: Member, workspace: Workspace, wanted: Sequence[str], machines: Sequence[Machine]
) -> None:
    text = without_packages(taken.text, own_folders(taken, workspace), taken.path)
    for machine in machines:
        try:
            problems = unusable(text, taken.path, machine)
            if changes := list(misfits(text, taken.path, machine, wanted)):
                problems.append(_drifted(taken, member, changes))
        except FormatError as error:
            problems = [replace(problem, hint=taken.hint) for problem in error.problems]
        if problems:
            raise PlanError(*problems)


def own_folders(taken: Taken, workspace: Workspace) -> frozenset[str]:
    """The folders in another tool's lock that are members: the application itself and its libraries."""
    members = {canonicalize_name(one.name) for one in workspace.members}
    return folders(taken.text, taken.path) & members if taken.path.endswith(NAME) else frozenset()


def _drifted(taken: Taken, member: Member, changes: Iterable[str]) -> Problem:
    message = f"no longer fits the dependencies of {member.name!r}: {', '.join(changes)}"
    return Problem(message, place=taken.path, hint=taken.hint)


def _new_extras(taken: Taken, wanted: Iterable[str]) -> Iterator[str]:
    """In words, the requirements with extras that the lock does not know."""
    if taken.extras is None:
        return
    for text in wanted:
        requirement = Requirement(text)
        name = canonicalize_name(requirement.name)
        missing = {canonicalize_name(extra) for extra in requirement.extras} - taken.extras.get(name, frozenset())
        if missing and not taken.lacks([text]):
            yield f"{text!r} is locked without {', '.join(map(repr, sorted(missing)))}"


def taken_text(pin: Pin, root: Path, upgrade: tuple[str, ...] | None) -> str:
    """What the other tool's lock pins, as a pylock.toml; what only the bundle asks for (pip) is resolved to match.

    ActionError if it is not available.
    """
    text = (root / pin.taken).read_text(encoding="utf-8")
    try:
        if pin.taken.endswith(NAME):
            found = without_packages(text, folders(text, pin.taken) & {*pin.members}, pin.taken)
        elif pin.taken.endswith(UV):
            found = exported(root / pin.project, pin.taken)
        else:
            lines = read_hashed_requirements(text, pin.taken)
            question = Question(
                place=pin.taken, requirements=tuple(line.text for line in lines), python=pin.python,
                project=root / pin.project, upgrade=None, signing=signing(pin, root),
            )  # fmt: skip
            found = keep_hashed(compiled(question, "--no-deps"), lines, pin.taken)
        packages = read_pylock(found, pin.taken).packages
        count = Counter(name for name, _ in packages)
        more = tuple(text for text in pin.requirements if canonicalize_name(Requirement(text).name) not in count)
        if not more:
            return found
        limits = tuple(f"{name}=={version}" for name, version in packages if version and count[name] == 1)
        question = Question(
            place=pin.path, requirements=more, python=pin.python, project=root / pin.project, upgrade=upgrade,
            pinned=limits, uv=as_tables(pin.settings, root, root / pin.project),
            signing=signing(pin, root),
        )  # fmt: skip
        return with_packages(found, compiled(question), pin.path)
    except FormatError as error:
        raise ActionError(f"the lock cannot be used: {error}") from None


def signing(pin: Pin, root: Path) -> tuple[str, ...]:
    """The URLs with passwords that the manifests of a lock have now."""
    return tuple(passwords_in(root / path for path in pin.manifests))


def digest(text: str) -> str:
    """The SHA-256 of a lock's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _of_bundle(member: Member) -> tuple[str, ...]:
    """What a member's bundle contains besides what its project needs: no other tool knows about that."""
    build = member.project.flavor.build if member.project and member.project.flavor else None
    return (*build.extra_packages, *(["pip"] if build.pip else [])) if build else ()
