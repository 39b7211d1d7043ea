"""The distributions of an application that its committed lock lists, and the targets that pack them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from packyard.formats.python import pylock
from packyard.formats.python.pylock import divide_pylock
from packyard.tasks.index import lock
from packyard.tasks.index.pin import Pin
from packyard.tasks.kinds.interpreter import choice
from packyard.tasks.kinds.interpreter.platforms import at, env_platforms
from packyard.tasks.kinds.python.dependencies import dependencies, members_beside
from packyard.tasks.kinds.python.envneeds import needs
from packyard.tasks.target.params import as_json
from packyard.tasks.workspace.workspace import Member, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """One distribution, the lock that lists it alone, and the name of the target that packs it."""

    name: str
    version: str
    text: str
    target: str


def lock_of(member: Member, workspace: Workspace) -> Pin:
    """The lock of a member's dependencies, committed or not; PlanError when it has drifted."""
    assert member.project is not None and member.project.flavor is not None
    wanted = dependencies(member, workspace)
    return lock.pin_of(
        member,
        workspace,
        requirements=wanted.requirements,
        python=choice.version(member, workspace),
        platforms=env_platforms(member.project.flavor, workspace),
        beside=members_beside(wanted, workspace),
    )


def locked(member: Member, workspace: Workspace, platform: str) -> tuple[Locked, ...]:
    """The distributions that the committed lock of a member lists, by name; none when there is no such lock, or
    when it is written so that it cannot be divided."""
    pin = lock_of(member, workspace)
    if pin.path != member.path(pylock.NAME):
        return ()
    need = needs(member, workspace, platform)
    found = []
    for (name, version), text in sorted(divide_pylock(workspace.watch.text(pin.path), pin.path).items()):
        question = json.dumps(as_json([text, need.install, need.packing]), sort_keys=True)
        digest = hashlib.sha256(question.encode()).hexdigest()[:8]
        target = f"dist:{name}-{version or 'source'}-py{need.install.machine.python}{at(platform, workspace)}-{digest}"
        found.append(Locked(name=name, version=version, text=text, target=target))
    return tuple(found)
