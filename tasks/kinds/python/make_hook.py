"""Run the hooks of an application."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packyard.formats.archive.gzipped import Reader
from packyard.formats.archive.tarball import read_tar
from packyard.formats.errors import FormatError
from packyard.formats.python import entrypointsfile
from packyard.formats.python.entrypoint import EntryPoint
from packyard.formats.relpath import FileName, read_file_name, read_relpath
from packyard.tasks.errors import ActionError
from packyard.tasks.kinds.interpreter.prefix import prefix_of
from packyard.tasks.kinds.interpreter.program import PythonParams, program_in
from packyard.tasks.target.params import Params
from packyard.tasks.target.room import Room

_LARGEST = 1 << 34  # bytes of an unpacked environment
_CHUNK = 1 << 20
_PYTHON = read_file_name("python")
# As an installer's script for a console entry point does it, but for the current folder on the path.
_START = "import sys; del sys.path[0]; sys.argv[0] = {name!r}; from {module} import {top}; sys.exit({call}())"


@dataclass(frozen=True, slots=True, kw_only=True)
class HookParams(Params):
    """The parameters of hooks: their commands, what pre_build writes (folders end with '/'), the target of the
    environment of more `tools` ('' is none), the Python and the platform that they run on, and the time that tools take
    for now (in seconds)."""

    commands: tuple[tuple[str, ...], ...]
    outputs: tuple[str, ...] = ()
    tools: str
    python: PythonParams
    platform: str
    epoch: int


def make_pre_build(room: Room[HookParams]) -> None:
    """Run the commands in order, then take what they were to write."""
    project = _run(room, {})
    taken = room.outputs / "outputs"
    taken.mkdir()
    for output in room.params.outputs:
        source, place = project / output, taken / output
        if not (source.is_dir() if output.endswith("/") else source.is_file()):
            kind = "folder" if output.endswith("/") else "file"
            raise ActionError(f"pre_build succeeded but left no {kind} {output!r}")
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
        else:
            shutil.copy(source, place)


def make_post_build(room: Room[HookParams]) -> None:
    """Run the commands in order, the bundle's path in their environment."""
    (bundle,) = (room.inputs / "bundle").iterdir()
    _run(room, {"PACKYARD_BUNDLE": os.fspath(bundle), "FLAVOR_LOG_LEVEL": "error"})
    (room.outputs / "passed").write_text("passed\n", encoding="utf-8")


def _run(room: Room[HookParams], env: dict[str, str]) -> Path:
    """Run the commands in a copy of the project, which is returned."""
    params = room.params
    project, prefix, programs = (room.scratch / name for name in ("project", "prefix", "bin"))
    project.mkdir()
    if (room.inputs / "project").is_dir():
        shutil.copytree(room.inputs / "project", project, dirs_exist_ok=True)
    _unpack(room.inputs / "env.tar.gz", prefix)
    python = program_in(room, params.python)
    sites = [prefix / prefix_of(params.python.version, params.platform).site]
    sites += [room.trees[params.tools]] if params.tools else []
    programs.mkdir()
    _write_programs(room, programs, python, sites)
    path = os.pathsep.join(map(str, (project / "src", project, *sites)))
    for command in params.commands:
        if command[0].endswith(".py") and not (project / command[0]).is_file():
            message = f"the hook {shlex.join(command)!r} failed: there is no file {command[0]!r}"
            raise ActionError(message, hint="a hook sees only the application's files, or those that hook_inputs names")
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
                place = prefix / read_relpath(member.path)
                place.parent.mkdir(parents=True, exist_ok=True)
                with place.open("xb") as out:
                    while chunk := member.body.read(_CHUNK):
                        out.write(chunk)


def _write_programs(room: Room[object], folder: Path, python: Path, sites: Sequence[Path]) -> None:
    """The commands of the distributions in `sites`, which are packed without their scripts; and `python`."""
    starts: dict[FileName, list[str]] = {}
    for site in sites:
        for path in sorted(site.glob(f"*.dist-info/{entrypointsfile.NAME}")):
            place = f"{path.parent.name}/{path.name}"
            for name, entry in _commands(path, place).items():
                if name.casefold() == _PYTHON:  # also where file systems ignore case
                    room.say(f"{place}: its command {name!r} is left out: hooks run the Python of the application")
                    continue
                top = entry.function.partition(".")[0]
                start = _START.format(name=str(name), module=entry.module, top=top, call=entry.function)
                starts[name] = [os.fspath(python), "-c", start]
    starts[_PYTHON] = [os.fspath(python)]
    for name, argv in starts.items():
        (folder / name).write_text(f'#!/bin/sh\nexec {shlex.join(argv)} "$@"\n', encoding="utf-8")
        (folder / name).chmod(0o755)


def _commands(path: Path, place: str) -> dict[FileName, EntryPoint]:
    try:
        return entrypointsfile.read_commands(path.read_bytes(), place)
    except FormatError as error:
        hint = "choose another version of that distribution, and tell its authors"
        raise ActionError(f"the commands of a dependency cannot be used: {error}", hint=hint) from None
