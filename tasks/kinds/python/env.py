"""The kind `env`: everything a bundle's program needs from the package index, as one piece of a tarball.

Joined from a piece for each distribution, without compressing anything again. With a committed lock these are
targets of their own (`dist`), so that another version of one costs one piece, and applications share them; else
the lock that the build resolves lists them, and they are made here.

Artifacts: '' the piece (`lib/pythonX.Y/site-packages/...`, data files at `share/...`, programs at `bin/...`), and
`files` its listing; `facts` is JSON. The environment for another platform is `env:APP@PLATFORM`.
"""

from __future__ import annotations

from collections.abc import Iterator

from packyard.formats.errors import FormatError
from packyard.formats.python import pylock
from packyard.tasks.errors import gather
from packyard.tasks.kinds.interpreter.platforms import at, env_platforms
from packyard.tasks.kinds.python.envneeds import needs
from packyard.tasks.kinds.python.lockedenv import lock_of, locked
from packyard.tasks.kinds.python.make_env import EnvParams, JoinParams, join_env, make_env
from packyard.tasks.target.params import call
from packyard.tasks.target.target import Output, Source, Target, Use
from packyard.tasks.workspace.workspace import Member, Workspace


def targets(workspace: Workspace) -> Iterator[Target]:
    """The environment of each member with [tool.flavor]; PlanError for a lock that has drifted."""
    problems: list[FormatError] = []
    for member in workspace.members:
        if member.project and member.project.flavor:
            try:
                for platform in env_platforms(member.project.flavor, workspace):
                    yield _target(member, workspace, platform)
            except FormatError as error:
                problems.append(error)
    gather(problems)


def _target(member: Member, workspace: Workspace, platform: str) -> Target:
    pin = lock_of(member, workspace)
    need = needs(member, workspace, platform)
    making = call(make_env, EnvParams(install=need.install, packing=need.packing))
    local, uses = need.local, need.uses
    if found := locked(member, workspace, platform):
        making = call(join_env, JoinParams(distributions=tuple(one.name for one in found), packing=need.packing))
        local = {}
        uses = tuple(
            Use(target=one.target, part=part, at=f"{folder}/{one.name}")
            for one in found
            for part, folder in (("", "pieces"), ("files", "files"), ("facts", "facts"))
        )
    return Target(
        name=f"env:{member.name}{at(platform, workspace)}",
        doc=f"the {len(pin.requirements)} dependencies of {member.name} and theirs",
        place=member.path("pyproject.toml"),
        **making,
        local=local,
        sources=(Source(path=pin.path, at=pylock.NAME),),
        uses=uses,
        outputs=(Output(at="env.tar.gz"), Output(part="files", at="files"), Output(part="facts", at="facts.json")),
        prepares=(pin.prepare,),
        network=not found,
        resource="io",
    )
