"""The kind `hook`: commands of a member that run before its wheel and slots are made, and after its bundle is.

`hook:APP/pre_build` runs in a copy of the member's files; its artifact is the tree of the declared outputs, which
enter wheel and slots. `hook:APP/post_build` gets the bundle's file in PACKYARD_BUNDLE and leaves nothing; while it
fails, so does the build. Tools come from the application's environment and from `hook_requires`.
"""

from __future__ import annotations

import configparser
import os
import shlex
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from packyard.formats.archive.gzipped import Reader
from packyard.formats.archive.tarball import read_tar
from packyard.formats.errors import FormatError, Problem
from packyard.tasks.errors import ActionError, PlanError, gather
from packyard.tasks.kinds.bundle.slotsource import hook_of
from packyard.tasks.kinds.interpreter import choice
from packyard.tasks.kinds.interpreter.prefix import at, platforms_of, prefix_of
from packyard.tasks.kinds.python.backend import hookenv_of
from packyard.tasks.kinds.python.wheelsources import member_files
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Json, Output, Source, Target, Use
from packyard.tasks.workspace.workspace import Member, Workspace

POST_BUILD = "post_build"
_LARGEST = 1 << 34  # bytes of an unpacked environment
_CHUNK = 1 << 20
# As an installer's script for a console entry point does it, but for the current folder on the path.
_START = "import sys; del sys.path[0]; sys.argv[0] = {name!r}; from {module} import {top}; sys.exit({call}())"


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


def make_pre_build(room: Room) -> None:
    """Run the commands in order, then take what they were to write."""
    project = _run(room, {})
    taken = room.outputs / "outputs"
    taken.mkdir()
    for output in room.params["outputs"]:
        source, place = project / output, taken / output
        if not (source.is_dir() if output.endswith("/") else source.is_file()):
            kind = "folder" if output.endswith("/") else "file"
            raise ActionError(f"pre_build ended well but left no {kind} {output!r}")
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
        else:
            shutil.copy(source, place)


def make_post_build(room: Room) -> None:
    """Run the commands in order, the bundle's path in their environment."""
    (bundle,) = (room.inputs / "bundle").iterdir()
    _run(room, {"PACKYARD_BUNDLE": os.fspath(bundle), "FLAVOR_LOG_LEVEL": "error"})
    (room.outputs / "passed").write_text("passed\n", encoding="utf-8")


def _pre_build(member: Member, workspace: Workspace) -> Target:
    assert member.project is not None and member.project.flavor is not None
    build = member.project.flavor.build
    return Target(
        name=hook_of(member),
        doc=f"what {member.name} runs before it is built",
        place=member.path("pyproject.toml"),
        run="packyard.tasks.kinds.python.hook:make_pre_build",
        params={**_params(member, workspace, build.pre_build), "outputs": list(build.hook_outputs)},
        sources=tuple(_sources(member, workspace)),
        uses=_uses(member, workspace),
        outputs=(Output(at="outputs", tree=True),),
    )


def _post_build(member: Member, workspace: Workspace, platform: str) -> Target:
    assert member.project is not None and member.project.flavor is not None
    suffix = at(platform, workspace)
    return Target(
        name=f"hook:{member.name}/{POST_BUILD}{suffix}",
        doc=f"what {member.name} runs on its finished bundle",
        place=member.path("pyproject.toml"),
        run="packyard.tasks.kinds.python.hook:make_post_build",
        params=_params(member, workspace, member.project.flavor.build.post_build),
        sources=tuple(_sources(member, workspace)),
        uses=(*_uses(member, workspace), Use(target=f"bundle:{member.name}{suffix}", at="bundle/")),
        outputs=(Output(at="passed"),),
        final=True,
    )


def _params(member: Member, workspace: Workspace, commands: Sequence[Sequence[str]]) -> dict[str, Json]:
    assert member.project is not None and member.project.flavor is not None
    python = choice.version(member, workspace)
    one = choice.find(python, workspace)
    program, _ = choice.build_program(one)
    return {
        "commands": [list(argv) for argv in commands],
        "tools": hookenv_of(member, workspace),
        "python": program,
        "runtime": one.target,
        "version": python,
        "platform": workspace.platform,
        "epoch": workspace.epoch,
    }


def _uses(member: Member, workspace: Workspace) -> tuple[Use, ...]:
    _, uses = choice.build_program(choice.find(choice.version(member, workspace), workspace))
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
            files = workspace.watch.matching_files(member.path(pattern.removeprefix("./").rstrip("/")))
            if not files:
                key = f"tool.flavor.build.hook_inputs[{position}]"
                problems.append(Problem(f"{pattern!r} finds no file", key, member.path("pyproject.toml")))
            found.update(dict.fromkeys(files))
        if problems:
            raise PlanError(*problems)
    for path in found:
        yield Source(path=path, at=f"project/{path.removeprefix(f'{member.folder}/') if member.folder else path}")


# running -------------------------------------------------------------------------------------------------------


def _run(room: Room, env: dict[str, str]) -> Path:
    """Run the commands in a copy of the project, which is returned."""
    project, prefix, programs = (room.scratch / name for name in ("project", "prefix", "bin"))
    project.mkdir()
    if (room.inputs / "project").is_dir():
        shutil.copytree(room.inputs / "project", project, dirs_exist_ok=True)
    _unpack(room.inputs / "env.tar.gz", prefix)
    python = choice.program_in(room, room.params["runtime"], room.params["version"])
    tools = room.params["tools"]
    sites = [prefix / prefix_of(room.params["version"], room.params["platform"]).site]
    sites += [room.trees[tools]] if tools else []
    programs.mkdir()
    _write_programs(programs, python, sites)
    path = os.pathsep.join(map(str, (project / "src", project, *sites)))
    for command in room.params["commands"]:
        if command[0].endswith(".py") and not (project / command[0]).is_file():
            message = f"the hook {shlex.join(command)!r} failed: there is no file {command[0]!r}"
            raise ActionError(message, hint="a hook sees the application's files, or those that hook_inputs names")
        argv = [os.fspath(python), *command] if command[0].endswith(".py") else command
        try:
            room.run(
                argv,
                cwd=project,
                env={
                    "PATH": f"{programs}{os.pathsep}{room.environment()['PATH']}",
                    "PYTHONPATH": path,
                    "PYTHONNOUSERSITE": "1",
                    **env,
                },
            )
        except ActionError as error:
            hint = error.hint
            if "cannot be started" in str(error):
                hint = "tools come from the dependencies and from tool.flavor.build.hook_requires"
            raise ActionError(f"the hook {shlex.join(command)!r} failed: {error}", hint=hint) from None
    return project


def _unpack(piece: Path, prefix: Path) -> None:
    with piece.open("rb") as stream:
        for member in read_tar(Reader(stream, limit=_LARGEST), limit=_LARGEST):
            if member.kind == "file":
                place = prefix / member.path
                place.parent.mkdir(parents=True, exist_ok=True)
                with place.open("xb") as out:
                    while chunk := member.body.read(_CHUNK):
                        out.write(chunk)


def _write_programs(folder: Path, python: Path, sites: Sequence[Path]) -> None:
    """The commands of the distributions in `sites`, which are packed without their scripts; and `python`."""
    starts = {"python": [os.fspath(python)]}
    for site in sites:
        for path in sorted(site.glob("*.dist-info/entry_points.txt")):
            declared = configparser.ConfigParser(delimiters=("=",), interpolation=None)
            declared.optionxform = str  # type: ignore[method-assign,assignment]  # names keep their case
            declared.read_string(path.read_text(encoding="utf-8"))
            for name, text in declared["console_scripts"].items() if "console_scripts" in declared else ():
                module, _, function = text.partition("[")[0].strip().partition(":")
                start = _START.format(name=name, module=module, top=function.partition(".")[0], call=function)
                starts[name] = [os.fspath(python), "-c", start]
    for name, argv in starts.items():
        (folder / name).write_text(f'#!/bin/sh\nexec {shlex.join(argv)} "$@"\n', encoding="utf-8")
        (folder / name).chmod(0o755)
