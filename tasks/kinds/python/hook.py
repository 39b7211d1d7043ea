"""The kind `hook`: commands of a member that run before its wheel and slots are made, and after its bundle is.

`hook:APP/pre_build` runs in a copy of the member's files; its artifact is the tree of the declared outputs, which
enter wheel and slots. `hook:APP/post_build` gets the bundle's file in PACKYARD_BUNDLE and leaves nothing; while it
fails, so does the build. Tools come from the application's environment and from `hook_requires`.
"""

from __future__ import annotations

from collections.abc import Iterator

from packyard.formats.errors import FormatError, Problem
from packyard.tasks.errors import PlanError, gather
from packyard.tasks.kinds.interpreter import choice
from packyard.tasks.kinds.interpreter.platforms import at, platforms_of
from packyard.tasks.kinds.python.backend import hookenv_of
from packyard.tasks.kinds.python.hooknames import hook_of
from packyard.tasks.kinds.python.make_hook import HookParams, make_post_build, make_pre_build
from packyard.tasks.kinds.python.wheelsources import member_files
from packyard.tasks.target.params import call
from packyard.tasks.target.target import Output, Source, Target, Use
from packyard.tasks.workspace.belonging import belongs_to, find_files
from packyard.tasks.workspace.workspace import Member, Workspace

POST_BUILD = "post_build"


def targets(workspace: Workspace) -> Iterator[Target]:
    """The hooks of each member with [tool.flavor]; FormatError with every pattern of inputs that finds nothing."""
    problems: list[FormatError] = []
    for member in workspace.members:
        if not (member.project and member.project.flavor):
            continue
        build = member.project.flavor.build
        try:
            if build.pre_build:
                yield _pre_build(member, workspace)
            if build.post_build:
                for platform in platforms_of(member.project.flavor, workspace):
                    yield _post_build(member, workspace, platform)
        except FormatError as error:
            problems.append(error)
    gather(problems)


def _pre_build(member: Member, workspace: Workspace) -> Target:
    assert member.project is not None and member.project.flavor is not None
    build = member.project.flavor.build
    return Target(
        name=hook_of(member),
        doc=f"what {member.name} runs before it is built",
        place=member.path("pyproject.toml"),
        **call(make_pre_build, _params(member, workspace, build.pre_build, build.hook_outputs)),
        sources=tuple(_sources(member, workspace)),
        uses=_uses(member, workspace),
        outputs=(Output(at="outputs", tree=True, keys=_allowed_keys(member, workspace)),),
    )


def _allowed_keys(member: Member, workspace: Workspace) -> tuple[str, ...]:
    """The private keys that hooks of a member may write, by their paths in it."""
    allowed = workspace.manifest.allow_keys
    return tuple(path.removeprefix(member.path("")) for path in allowed if path.startswith(member.path("")))


def _post_build(member: Member, workspace: Workspace, platform: str) -> Target:
    assert member.project is not None and member.project.flavor is not None
    suffix = at(platform, workspace)
    return Target(
        name=f"hook:{member.name}/{POST_BUILD}{suffix}",
        doc=f"what {member.name} runs on its finished bundle",
        place=member.path("pyproject.toml"),
        **call(make_post_build, _params(member, workspace, member.project.flavor.build.post_build)),
        sources=tuple(_sources(member, workspace)),
        uses=(*_uses(member, workspace), Use(target=f"bundle:{member.name}{suffix}", at="bundle/")),
        outputs=(Output(at="passed"),),
        final=True,
    )


def _params(
    member: Member, workspace: Workspace, commands: tuple[tuple[str, ...], ...], outputs: tuple[str, ...] = ()
) -> HookParams:
    python, _ = choice.python_for(choice.find(choice.version(member, workspace), workspace))
    return HookParams(
        commands=commands,
        outputs=outputs,
        tools=hookenv_of(member, workspace),
        python=python,
        platform=workspace.platform,
        epoch=workspace.epoch,
    )


def _uses(member: Member, workspace: Workspace) -> tuple[Use, ...]:
    _, uses = choice.python_for(choice.find(choice.version(member, workspace), workspace))
    tools = hookenv_of(member, workspace)
    return (Use(target=f"env:{member.name}", at="env.tar.gz"), *((Use(target=tools),) if tools else ()), *uses)


def _sources(member: Member, workspace: Workspace) -> Iterator[Source]:
    """The declared inputs, else all the member's files but what the hooks write."""
    assert member.project is not None and member.project.flavor is not None
    build = member.project.flavor.build
    found = dict.fromkeys(member_files(member, workspace))
    if build.hook_inputs:
        found = {}
        problems: list[Problem] = []
        for position, pattern in enumerate(build.hook_inputs):
            path = member.path(pattern.removeprefix("./").rstrip("/"))
            named = find_files(workspace, path, belongs_to(member, workspace))
            if not named.files:
                key = f"tool.flavor.build.hook_inputs[{position}]"
                place = member.path("pyproject.toml")
                problems.append(Problem(f"{pattern!r} matches no file", key, place, named.hint))
            found.update(dict.fromkeys(named.files))
        if problems:
            raise PlanError(*problems)
    for path in found:
        yield Source(path=path, at=f"project/{path.removeprefix(f'{member.folder}/') if member.folder else path}")
