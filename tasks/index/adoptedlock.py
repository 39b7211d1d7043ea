"""The lock of another tool that a member has, adopted as its own.

The first of these that exists decides: `pylock.toml` (Packyard's), `uv.lock` beside the manifest, `uv.lock` at the root
of the workspace when it lists the member, `requirements.txt` with hashes beside the manifest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packyard.formats.errors import FormatError, Problem
from packyard.formats.python.otherlocks import keep_hashed, read_hashed_requirements, read_uv_extras, read_uv_lock
from packyard.formats.python.pylock import Pylock, drift, read_pylock, with_packages
from packyard.tasks.errors import ActionError, PlanError
from packyard.tasks.index.pin import Pin
from packyard.tasks.index.resolver import Question, compiled, exported
from packyard.tasks.workspace.workspace import Member, Workspace

UV, REQUIREMENTS = "uv.lock", "requirements.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A lock of another tool: where it is, its SHA-256 in hexadecimal, what it pins, and with which extras, None if it
    does not say."""

    path: str
    sha256: str
    packages: tuple[tuple[str, str], ...]
    extras: Mapping[str, frozenset[str]] | None = None

    def lacks(self, requirements: Iterable[str]) -> tuple[str, ...]:
        """Those requirements for which it pins nothing."""
        known = {name for name, _ in self.packages}
        return tuple(text for text in requirements if canonicalize_name(Requirement(text).name) not in known)


def taken_lock(member: Member, workspace: Workspace) -> Taken | None:
    """The lock of another tool that a member has; FormatError if it cannot be read."""
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
        return Taken(path=path, sha256=digest(text), packages=packages, extras=extras)
    return None


def check_taken(taken: Taken, member: Member, requirements: Iterable[str], python: str) -> None:
    """PlanError if the other tool's lock does not fit what the member's manifest asks for."""
    own = set(taken.lacks(_of_bundle(member)))
    wanted = [text for text in requirements if text not in own]
    folders = {name for name, version in taken.packages if not version}
    problems = [
        Problem(f"{text!r} is a folder there", place=taken.path, hint="list it in workspace.members of packyard.toml")
        for text in wanted
        if canonicalize_name(Requirement(text).name) in folders
    ]
    if problems:
        raise PlanError(*problems)
    changes = [*drift(Pylock(packages=taken.packages), requirements=wanted, python=python), *_new_extras(taken, wanted)]
    if changes:
        message = f"no longer fits the dependencies of {member.name!r}: {', '.join(changes)}"
        hint = "run 'uv lock'" if taken.path.endswith(UV) else "export it again"
        raise PlanError(Problem(message, place=taken.path, hint=hint))


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
        if pin.taken.endswith(UV):
            found = exported(root / pin.project, pin.taken)
        else:
            lines = read_hashed_requirements(text, pin.taken)
            question = Question(
                place=pin.taken, requirements=tuple(line.text for line in lines), python=pin.python,
                project=root / pin.project, upgrade=None,
            )  # fmt: skip
            found = keep_hashed(compiled(question, "--no-deps"), lines, pin.taken)
        pinned = dict(read_pylock(found, pin.taken).packages)
        more = tuple(text for text in pin.requirements if canonicalize_name(Requirement(text).name) not in pinned)
        if not more:
            return found
        limits = tuple(f"{name}=={version}" for name, version in pinned.items() if version)
        question = Question(
            place=pin.path, requirements=more, python=pin.python, project=root / pin.project, upgrade=upgrade,
            pinned=limits,
        )  # fmt: skip
        return with_packages(found, compiled(question), pin.path)
    except FormatError as error:
        raise ActionError(f"the lock cannot be used: {error}") from None


def digest(text: str) -> str:
    """The SHA-256 of a lock's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _of_bundle(member: Member) -> tuple[str, ...]:
    """What a member's bundle contains besides what its project needs: no other tool knows about that."""
    build = member.project.flavor.build if member.project and member.project.flavor else None
    return (*build.extra_packages, *(["pip"] if build.pip else [])) if build else ()
