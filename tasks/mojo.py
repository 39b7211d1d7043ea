"""The kind `mojo`: a member's package compiled by a Mojo toolchain, the same bytes wherever the workspace lies.

Sources are staged as `package/NAME/` and the packages they import as `deps/DEP.ext`: the compiler is called beside
the first with relative arguments only, because it writes the spelling of its argument, in 0.x even the absolute
path, into the package. The name of its output is part of the package too, so it is never compiled to another one.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from packyard.formats.errors import FormatError, Problem
from packyard.formats.mojopkg import read_package
from packyard.tasks import process
from packyard.tasks.compiler import Compiler, extension, records_paths, toolchain_of, verb
from packyard.tasks.errors import ActionError, PlanError
from packyard.tasks.mojodependency import dependencies
from packyard.tasks.mojopackage import Package, find_packages, sources
from packyard.tasks.room import Room
from packyard.tasks.target import Output, Source, Target, Use
from packyard.tasks.workspace import MANIFEST, Workspace

_SHOWN_LINES = 40
_NOISE = re.compile(r".*(failed to parse the provided Mojo source module|file extensions is deprecated).*\n?")


def targets(workspace: Workspace) -> Iterator[Target]:
    """One target for each Mojo package; FormatError with every dependency, range and import that is wrong."""
    packages = find_packages(workspace)
    if not packages:
        return
    version = workspace.manifest.toolchain.mojo
    if not version:
        message = f"is missing, the version of a Mojo compiler was expected: {packages[0].place} is a Mojo package"
        raise PlanError(Problem(message, key="toolchain.mojo", place=MANIFEST, hint='one is mojo = "1.0.0"'))
    files = {package.name: sources(package, workspace.watch, version) for package in packages}
    needed = dependencies(packages, files, workspace.watch, version)
    for package in packages:
        yield _target(package, files[package.name], needed[package.name], version)


def make_mojo(room: Room) -> None:
    """Compile the staged package, and check that what came out belongs to the compiler."""
    name, version = room.params["name"], room.params["compiler"]
    tree = room.scratch / "mojo"  # the compiler sees a path of the same length on every machine
    tree.symlink_to(room.trees[toolchain_of(version)])
    compiler = Compiler(version, tree)
    folder = room.inputs / "package"
    made = room.scratch / "made" / f"{name}.{extension(version)}"
    made.parent.mkdir()
    argv: list[str | Path] = [compiler.program, verb(version), name, "-I", "../deps", "-o", made]
    if records_paths(version):
        argv.append(f"-strip-file-prefix={os.path.realpath(folder)}/")
    if not process.fixes_layout():
        room.say("addresses stay random on this system: a large package may come out with other bytes next time")
    start = room.log.stat().st_size if room.log.exists() else 0
    try:
        room.run(argv, cwd=folder, env=compiler.environment(), fixed_layout=True)
    except ActionError as error:
        raise _failure(room, error.message, start) from None
    _check(made, compiler)
    shutil.move(made, room.outputs / made.name)


def _target(package: Package, files: Iterable[str], needed: Iterable[Package], version: str) -> Target:
    end = extension(version)
    artifact = f"dist/{package.name}-{package.manifest.version}.{end}"
    prefix = f"{package.folder}/" if package.folder else ""
    return Target(
        name=package.target,
        doc=package.manifest.description or f"the Mojo package {package.name}",
        place=package.place,
        run="packyard.tasks.mojo:make_mojo",
        params={"name": package.name, "compiler": version, "folder": package.folder},
        sources=tuple(Source(path=path, at=f"package/{package.name}/{path.removeprefix(prefix)}") for path in files),
        uses=(
            Use(target=toolchain_of(version)),
            *(Use(target=other.target, at=f"deps/{other.name}.{end}") for other in needed),
        ),
        outputs=(Output(at=f"{package.name}.{end}", artifact=artifact),),
        final=True,
    )


def _failure(room: Room, message: str, start: int) -> ActionError:
    """What the compiler said, from its first line on, with the paths that the workspace knows."""
    name, version, folder = room.params["name"], room.params["compiler"], room.params["folder"]
    with room.log.open("rb") as log:
        log.seek(start)
        _command, _, said = log.read().decode("utf-8", errors="replace").partition("\n")
    said = re.sub(
        rf'^((?:Included from )?"?){name}/',
        lambda match: f"{match[1]}{folder}/" if folder else match[1],
        said,
        flags=re.MULTILINE,
    )
    lines = _NOISE.sub("", said).splitlines()
    if len(lines) > _SHOWN_LINES:
        lines = [*lines[:_SHOWN_LINES], f"... {len(lines) - _SHOWN_LINES} more lines are in {room.log}"]
    detail = "\n".join(lines)
    where = folder or "."
    if "crashed" in message:
        hint = f"this is a defect of Mojo {version}: another version may do, or the package without its newest part"
        return ActionError(f"{where}: the compiler itself crashed on it: {message}", detail=detail, hint=hint)
    if not lines:
        return ActionError(f"{where}: {message}")
    return ActionError(f"{where}: does not compile with Mojo {version}", detail=detail)


def _check(made: Path, compiler: Compiler) -> None:
    if not made.is_file():
        raise ActionError(f"Mojo {compiler.version} ended well but left no {made.name}")
    try:
        with made.open("rb") as stream:
            package = read_package(stream)
    except FormatError as error:
        raise ActionError(f"Mojo {compiler.version} wrote a {made.name} that is no package: {error}") from None
    library = compiler.library()
    if not package.fits(library):
        raise ActionError(
            f"{made.name} fits {package.accepted_by}, but the compiler's own library {library.accepted_by}"
        )
