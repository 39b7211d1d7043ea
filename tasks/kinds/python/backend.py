"""PEP 517 backends: what a member's backend needs, the lock of that, and the build environment that holds it."""

from __future__ import annotations

import hashlib
import json

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packyard.formats.python import pylock
from packyard.tasks.index import lock
from packyard.tasks.index.pin import Pin
from packyard.tasks.kinds.interpreter import choice
from packyard.tasks.workspace.workspace import Member, Workspace


def buildenv_of(member: Member, workspace: Workspace) -> str:
    """The target that makes a member's build environment: named by what is in it, so that members which need the
    same share one."""
    assert member.project is not None
    pin = build_pin(member, workspace)
    backend = member.project.build_backend.partition(":")[0].partition(".")[0]
    return buildenv_name(backend, pin, committed=member.path(pylock.BUILD_NAME))


def buildenv_name(what: str, pin: Pin, *, committed: str) -> str:
    """The target that makes the environment of a lock: named by what is in it, and by the lock's own path when that is
    the one to be `committed`."""
    question = json.dumps([
        pin.requirements, pin.python, pin.path if pin.path == committed else "",
        *([pin.settings] if pin.settings else []),
    ])  # fmt: skip
    return f"buildenv:{what}-py{pin.python}-{hashlib.sha256(question.encode()).hexdigest()[:8]}"


def build_pin(member: Member, workspace: Workspace) -> Pin:
    """The lock of a member's build requirements: `pylock.build.toml` beside its manifest, else our own."""
    python = choice.version(member, workspace)
    return lock.pin_of(
        member, workspace, requirements=build_requirements(member), python=python, name=pylock.BUILD_NAME, shared=True
    )


def hookenv_of(member: Member, workspace: Workspace) -> str:
    """The target that makes the environment of a member's hooks; '' when they need nothing more than the member."""
    pin = hook_pin(member, workspace)
    if pin is None:
        return ""
    return buildenv_name("hooks", pin, committed=member.path(pylock.HOOK_NAME))


def hook_pin(member: Member, workspace: Workspace) -> Pin | None:
    """The lock of what a member's hooks require: `pylock.hooks.toml` beside its manifest, else our own."""
    build = member.project.flavor.build if member.project and member.project.flavor else None
    if build is None or not build.hook_requires or not (build.pre_build or build.post_build):
        return None
    python = choice.version(member, workspace)
    return lock.pin_of(
        member, workspace, requirements=build.hook_requires, python=python, name=pylock.HOOK_NAME, shared=True
    )


def build_requirements(member: Member) -> tuple[str, ...]:
    """What a member's [build-system] requires; setuptools before 70.1 needs `wheel` too and says so only when run."""
    assert member.project is not None
    texts = member.project.build_requires
    names = {canonicalize_name(Requirement(text).name) for text in texts}
    return (*texts, "wheel") if "setuptools" in names and "wheel" not in names else texts
