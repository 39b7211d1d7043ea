"""What a Python member needs: other members of the workspace, and distributions from the package index."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packyard.formats.errors import Problem
from packyard.formats.python.machine import Machine
from packyard.formats.python.pyproject import ProjectManifest
from packyard.tasks.errors import PlanError
from packyard.tasks.index.uvsources import check_local
from packyard.tasks.kinds.interpreter import choice
from packyard.tasks.kinds.interpreter.platforms import platforms_of
from packyard.tasks.kinds.python.version import version
from packyard.tasks.workspace.workspace import Member, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """`members` are the names of workspace members whose wheels are needed, directly or not, sorted;
    `requirements` are the PEP 508 texts that the index must answer, sorted."""

    members: tuple[str, ...]
    requirements: tuple[str, ...]


def dependencies(member: Member, workspace: Workspace, platform: str = "") -> Dependencies:
    """Everything that a member needs to run, on one platform or on all that its bundles are for; PlanError when a
    member's version does not fit what is asked."""
    machines = _machines(member, workspace, platform)
    known = {canonicalize_name(other.name): other for other in workspace.members if other.project}
    folders = {other.folder: other for other in known.values()}
    local: dict[str, Member] = {}
    outside: dict[str, None] = {}
    problems: list[Problem] = []
    waiting: list[tuple[Member, frozenset[str]]] = [(member, frozenset())]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        one, extras = waiting.pop()
        if (one.name, extras) in seen:
            continue
        seen.add((one.name, extras))
        for key, text in _texts(one, extras):
            if key.startswith("tool.flavor.build.dependencies"):
                other = known.get(canonicalize_name(text)) or folders.get(posixpath.normpath(one.path(text)))
                if other is None:
                    problems.append(
                        Problem(f"{text!r} is not a member of the workspace", key, one.path("pyproject.toml"),
                                "list its folder in workspace.members")
                    )  # fmt: skip
                    continue
                wanted: frozenset[str] = frozenset()
            else:
                requirement = Requirement(text)
                other = None if requirement.url else known.get(canonicalize_name(requirement.name))
                if other is None:
                    outside[text] = None
                    continue
                if requirement.marker and not any(requirement.marker.evaluate(_values(one)) for one in machines):
                    continue
                problems.extend(check_local(canonicalize_name(requirement.name), one, other, workspace))
                problems.extend(_misfit(requirement, other, workspace, key, one.path("pyproject.toml")))
                wanted = frozenset(canonicalize_name(extra) for extra in requirement.extras)
            if other is not member:
                local[other.name] = other
            waiting.append((other, wanted))
    if problems:
        raise PlanError(*problems)
    return Dependencies(members=tuple(sorted(local)), requirements=tuple(sorted(outside)))


def members_beside(found: Dependencies, workspace: Workspace) -> list[Member]:
    """The members whose requirements are among those of one."""
    names = set(found.members)
    return [member for member in workspace.members if member.name in names] if names else []


def _texts(member: Member, extras: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Each dependency of a member as written, with its key."""
    project = member.project
    assert project is not None
    yield from ((f"project.dependencies[{n}]", text) for n, text in enumerate(project.dependencies))
    yield from _optional(project, extras)
    if project.flavor:
        build = project.flavor.build
        yield from ((f"tool.flavor.build.extra_packages[{n}]", text) for n, text in enumerate(build.extra_packages))
        yield from ((f"tool.flavor.build.dependencies[{n}]", text) for n, text in enumerate(build.dependencies))
        if build.pip:
            yield "tool.flavor.build.pip", "pip"


def _optional(project: ProjectManifest, extras: frozenset[str]) -> Iterator[tuple[str, str]]:
    for extra, texts in project.optional_dependencies.items():
        if canonicalize_name(extra) in extras:
            yield from ((f"project.optional-dependencies.{extra}[{n}]", text) for n, text in enumerate(texts))


def _machines(member: Member, workspace: Workspace, platform: str) -> list[Machine]:
    """What markers are asked about."""
    flavor = member.project.flavor if member.project else None
    every = platforms_of(flavor, workspace) if flavor else (workspace.platform,)
    python = choice.version(member, workspace)
    return [Machine(python=python, platform=one) for one in ([platform] if platform else every)]


def _values(machine: Machine) -> dict[str, str]:
    """The values of markers; no extra is asked for where a member names another."""
    return {**{key: str(value) for key, value in machine.environment().items()}, "extra": ""}


def _misfit(requirement: Requirement, other: Member, workspace: Workspace, key: str, place: str) -> Iterator[Problem]:
    found = version(other, workspace)
    if not requirement.specifier.contains(found, prereleases=True):
        yield Problem(
            f"{str(requirement)!r} does not fit {other.name!r} {found}, a member of this workspace",
            key,
            place,
            f"its version is in {other.path('pyproject.toml')}",
        )
