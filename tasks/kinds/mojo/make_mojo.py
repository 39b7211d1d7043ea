"""Compile a Mojo package."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import compressing
from packyard.formats.archive.tarball import write_tar
from packyard.formats.errors import FormatError
from packyard.formats.mojo.package import MojoPackage, read_package
from packyard.formats.mojo.packagemanifest import SUFFIX, write_package_manifest
from packyard.tasks.errors import ActionError
from packyard.tasks.host import process
from packyard.tasks.kinds.mojo.compiler import Compiler, extension, records_paths, toolchain_of, verb
from packyard.tasks.kinds.mojo.make_meta import assemble
from packyard.tasks.kinds.mojo.make_packagemanifest import make_manifest
from packyard.tasks.target.room import Room

_SHOWN_LINES = 40
_SOURCE = ".source.tar.gz"
_NOISE = re.compile(r".*(failed to parse the provided Mojo source module|file extensions is deprecated).*\n?")


def make_mojo(room: Room[Any]) -> None:
    """Compile the staged package, and check that what came out belongs to the compiler."""
    name, version = room.params["name"], room.params["compiler"]
    tree = room.scratch / "mojo"  # the compiler sees a path of the same length on every machine
    tree.symlink_to(room.trees[toolchain_of(version)])
    compiler = Compiler(version, tree)
    folder = assemble(room) if "meta" in room.params else room.inputs / "package"
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
    package = _check(made, compiler)
    text = write_package_manifest(make_manifest(room, made, package, folder / name))
    (room.outputs / f"{made.name}{SUFFIX}").write_text(text, encoding="utf-8")
    if "source" in room.params:
        _write_source(room, folder / name)
    shutil.move(made, room.outputs / made.name)


def _write_source(room: Room[Any], folder: Path) -> None:
    """Write what was compiled as an archive with the package's folder in it: unpacked, any compiler can import it."""
    packing = room.params["source"]
    paths = (path for path in folder.rglob("*") if path.is_file())
    entries = [Entry(path.relative_to(folder.parent).as_posix(), path) for path in paths]
    out = room.outputs / f"{folder.name}{_SOURCE}"
    with out.open("wb") as stream, compressing(stream, level=packing["level"]) as packed:
        write_tar(entries, packed, epoch=packing["epoch"])


def refuse_mojo(room: Room[Any]) -> None:
    """Say why a package cannot be compiled."""
    raise ActionError(room.params["message"], hint=room.params["hint"])


def _failure(room: Room[Any], message: str, start: int) -> ActionError:
    """What the compiler said, from its first line on, with the paths that the workspace knows."""
    version, folders = room.params["compiler"], room.params["folders"]
    with room.log.open("rb") as log:
        log.seek(start)
        _command, _, said = log.read().decode("utf-8", errors="replace").partition("\n")
    for staged, folder in folders.items():
        said = re.sub(
            rf'^((?:Included from )?"?){staged}/',
            lambda match, place=f"{folder}/" if folder else "": f"{match[1]}{place}",  # type: ignore[misc]
            said,
            flags=re.MULTILINE,
        )
    lines = _NOISE.sub("", said).splitlines()
    if len(lines) > _SHOWN_LINES:
        lines = [*lines[:_SHOWN_LINES], f"... {len(lines) - _SHOWN_LINES} more lines are in {room.log}"]
    detail = "\n".join(lines)
    where = ", ".join(folder or "." for folder in folders.values())
    if "crashed" in message:
        hint = f"this is a defect of Mojo {version}: another version may do, or the package without its newest part"
        return ActionError(f"{where}: the compiler itself crashed on it: {message}", detail=detail, hint=hint)
    if not lines:
        return ActionError(f"{where}: {message}")
    return ActionError(f"{where}: does not compile with Mojo {version}", detail=detail, hint=_advice(detail))


def _advice(said: str) -> str:
    """What to do about what the compiler said, where it is more than to mend the line."""
    if "attempted relative import with no known parent package" in said:
        return "a relative import leads out of the package: compile the folder above it as the package, by [packages]"
    return ""


def _check(made: Path, compiler: Compiler) -> MojoPackage:
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
    return package
