"""The locks that a repository commits: which exist, and whether they still fit.

A lock answers what the manifests ask; `packyard.lock` (formats/workspace/lock.py) names those of the compilers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from packyard.formats.errors import FormatError, Problem
from packyard.formats.python.pylock import BUILD_NAME, HOOK_NAME, NAME, drift, read_pylock
from packyard.formats.workspace.lock import ToolchainPin
from packyard.tasks.errors import gather
from packyard.tasks.index.adoptedlock import Taken, check_taken, taken_lock
from packyard.tasks.index.lock import machines_of, taken_drift, with_settings
from packyard.tasks.index.pin import Pin
from packyard.tasks.index.projectindexes import indexes_of
from packyard.tasks.index.uvsources import manifests_of, settings_of
from packyard.tasks.kinds.docs.site import LOCK as DOCS_NAME
from packyard.tasks.kinds.docs.site import docs_python, docs_requirements
from packyard.tasks.kinds.interpreter import choice
from packyard.tasks.kinds.interpreter.platforms import env_platforms
from packyard.tasks.kinds.mojo import toolchain
from packyard.tasks.kinds.mojo.make_toolchain import ToolchainParams
from packyard.tasks.kinds.python.backend import build_requirements
from packyard.tasks.kinds.python.dependencies import dependencies, members_beside
from packyard.tasks.target.params import read_params
from packyard.tasks.workspace.workspace import Member, Workspace

MOJO_NAME = "pylock.mojo.toml"  # of the workspace's compiler


@dataclass(frozen=True, slots=True)
class CommittedLock:
    """A lock to be committed: whose it is, the question that it answers, and whether it is a member's."""

    owner: str
    pin: Pin
    of_member: bool = True

    @property
    def command(self) -> str:
        """The command that makes it again."""
        return f"packyard lock {self.owner}" if self.of_member else "packyard lock"


def member_locks(members: Sequence[Member], workspace: Workspace) -> Iterator[CommittedLock]:
    """What applications need to run, and what builds the wheel of each member. FormatError with every member whose lock
    cannot be asked for."""
    problems: list[FormatError] = []
    for member in members:
        if member.project is None:
            continue
        try:
            python = choice.version(member, workspace)
            if member.project.flavor:
                found = dependencies(member, workspace)
                wanted, beside = found.requirements, members_beside(found, workspace)
                pin = _pin(member.path(NAME), wanted, python, workspace, member, beside)
                pin = replace(pin, platforms=env_platforms(member.project.flavor, workspace))
                if taken := _taken(member, workspace):
                    check_taken(taken, member, workspace, wanted, machines_of(pin))
                    settings = settings_of(member, workspace, taken.lacks(wanted), beside)
                    pin = replace(pin, taken=taken.path, settings=settings)
                else:
                    pin = with_settings(pin, member, workspace, beside)
                yield CommittedLock(member.name, pin)
            if member.project.build_backend:
                wanted = build_requirements(member)
                pin = _pin(member.path(BUILD_NAME), wanted, python, workspace, member)
                yield CommittedLock(member.name, with_settings(pin, member, workspace))
            if member.project.flavor and (requires := member.project.flavor.build.hook_requires):
                pin = _pin(member.path(HOOK_NAME), requires, python, workspace, member)
                yield CommittedLock(member.name, with_settings(pin, member, workspace))
        except FormatError as error:
            problems.append(error)
    gather(problems)


def compiler_locks(workspace: Workspace) -> dict[str, CommittedLock]:
    """The lock of each compiler by its version; those that are on the machine already have none."""
    found: dict[str, CommittedLock] = {}
    for target in toolchain.targets(workspace):
        for prepare in target.prepares:
            pin = read_params(Pin, prepare.params)
            version = read_params(ToolchainParams, target.params).version
            own = version == workspace.manifest.toolchain.mojo
            path = MOJO_NAME if own else MOJO_NAME.replace(".toml", f"-{version}.toml")
            found[version] = CommittedLock(target.name, replace(pin, path=path), of_member=False)
    return found


def site_locks(workspace: Workspace) -> Iterator[CommittedLock]:
    """The lock of what makes the workspace's sites."""
    if requirements := docs_requirements(workspace):
        pin = _pin(DOCS_NAME, requirements, docs_python(workspace), workspace)
        yield CommittedLock("[[docs]]", pin, of_member=False)


def toolchain_pins(compilers: Mapping[str, CommittedLock]) -> tuple[ToolchainPin, ...]:
    """What packyard.lock says about the locks of `compiler_locks`."""
    return tuple(ToolchainPin(mojo=version, lock=lock.pin.path) for version, lock in compilers.items())


def held_names(locks: Iterable[CommittedLock], workspace: Workspace) -> set[str] | None:
    """The distributions and morloc packages in the locks as they are now; None if a lock must be made again."""
    held = {*workspace.lock.packages, *(member.name for member in workspace.members if member.morloc)}
    for lock in locks:
        path = workspace.root / lock.pin.path
        try:
            pylock = read_pylock(path.read_text(encoding="utf-8"), lock.pin.path)
        except (OSError, FormatError):
            return None
        inner = (read_pylock(build.lock, lock.pin.path) for build in pylock.builds)
        held |= {name for one in (pylock, *inner) for name, _ in one.packages}
    return held


def misfits(lock: CommittedLock, workspace: Workspace) -> Iterator[Problem]:
    """Why a lock does not fit the manifests as they are; nothing is resolved."""
    pin = lock.pin
    hint = f"run '{lock.command}'"
    if pin.taken == pin.path:
        return  # another tool's: it fits, else its member would have been refused
    if not workspace.watch.is_file(pin.path):
        if pin.taken:
            return
        yield Problem("is missing", place=pin.path, hint=hint)
        return
    found = read_pylock(workspace.watch.text(pin.path), pin.path)
    changes = [
        *drift(found, requirements=pin.requirements, python=pin.python, settings=pin.settings),
        *taken_drift(found, workspace),
    ]
    if changes:
        yield Problem(f"no longer fits {lock.owner!r}: {', '.join(changes)}", place=pin.path, hint=hint)


def _taken(member: Member, workspace: Workspace) -> Taken | None:
    """The lock of another tool that a member has; none in the place of a pylock.toml that is about to be replaced."""
    path = member.path(NAME)
    try:
        if workspace.watch.is_file(path):
            read_pylock(workspace.watch.text(path), path)
    except FormatError:
        return None
    return taken_lock(member, workspace)


def _pin(
    path: str,
    requirements: Sequence[str],
    python: str,
    workspace: Workspace,
    member: Member | None = None,
    beside: Sequence[Member] = (),
) -> Pin:
    return Pin(
        path=path,
        requirements=tuple(sorted(set(requirements))),
        python=python,
        platform=workspace.platform,
        project=member.folder if member else "",
        indexes=tuple(indexes_of(member, workspace)) if member else (),
        manifests=manifests_of(member, workspace, beside) if member else (),
    )
