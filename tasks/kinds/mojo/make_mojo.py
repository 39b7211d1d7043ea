"""Compile a Mojo package."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import compressing
from packyard.formats.archive.tarball import write_tar
from packyard.formats.errors import FormatError
from packyard.formats.mojo.package import MojoPackage, read_package
from packyard.formats.mojo.packagemanifest import SUFFIX, write_package_manifest
from packyard.tasks.errors import ActionError
from packyard.tasks.host import process
from packyard.tasks.kinds.mojo.compiler import Compiler, extension, records_paths, toolchain_of, verb
from packyard.tasks.kinds.mojo.make_meta import MetaParams, assemble
from packyard.tasks.kinds.mojo.make_packagemanifest import ManifestParams, make_manifest
from packyard.tasks.target.packing import Packing
from packyard.tasks.target.params import Params
from packyard.tasks.target.room import Room

SOURCE = ".source.tar.gz"  # the end of the name of a package's sources
_SHOWN_LINES = 40
_NOISE = re.compile(r".*(failed to parse the provided Mojo source module|file extensions is deprecated).*\n?")


@dataclass(frozen=True, slots=True, kw_only=True)
class MojoParams(Params):
    """The parameters of a compiled package: the name it is imported as, the version of Mojo, the folder of the
    workspace that each staged one stands for (in messages), what its manifest says, how its sources are packed when
    they are shipped, and what makes it a meta-package."""

    name: str
    compiler: str
    folders: Mapping[str, str]
    manifest: ManifestParams
    source: Packing | None
    meta: MetaParams | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalParams(Params):
    """The parameters of a package that cannot be compiled: why, and what to do."""

    message: str
    hint: str


def make_mojo(room: Room[MojoParams]) -> None:
    """Compile the staged package, and check that what came out belongs to the compiler."""
    params = room.params
    name, version = params.name, params.compiler
    tree = room.scratch / "mojo"  # the compiler sees a path of the same length on every machine
    tree.symlink_to(room.trees[toolchain_of(version)])
    compiler = Compiler(version, tree)
    folder = assemble(room, name, params.meta) if params.meta else room.inputs / "package"
    made = room.scratch / "made" / f"{name}.{extension(version)}"
    made.parent.mkdir()
    argv: list[str | Path] = [compiler.program, verb(version), name, "-I", "../deps", "-o", made]
    if records_paths(version):
        argv.append(f"-strip-file-prefix={os.path.realpath(folder)}/")
    if not process.fixes_layout():
        room.say("this system keeps addresses random: a large package may have different bytes next time")
    start = room.log.stat().st_size if room.log.exists() else 0
    try:
        room.run(argv, cwd=folder, env=compiler.environment(), fixed_layout=True)
    except ActionError as error:
        raise _failure(room, error.message, start) from None
    package = _check(made, compiler)
    text = write_package_manifest(make_manifest(room, params.manifest, made, package, folder / name))
    (room.outputs / f"{made.name}{SUFFIX}").write_text(text, encoding="utf-8")
    if params.source:
        _write_source(room.outputs, folder / name, params.source)
    shutil.move(made, room.outputs / made.name)


def _write_source(outputs: Path, folder: Path, packing: Packing) -> None:
    """Write what was compiled as an archive with the package's folder in it: unpacked, any compiler can import it."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    entries = [Entry(path.relative_to(folder.parent).as_posix(), path) for path in paths]
    out = outputs / f"{folder.name}{SOURCE}"
    with out.open("wb") as stream, compressing(stream, level=packing.level) as packed:
        write_tar(entries, packed, epoch=packing.epoch)


def refuse_mojo(room: Room[RefusalParams]) -> None:
    """Say why a package cannot be compiled."""
    raise ActionError(room.params.message, hint=room.params.hint)


def _failure(room: Room[MojoParams], message: str, start: int) -> ActionError:
    """What the compiler said, from its first line on, with the paths that the workspace knows."""
    version, folders = room.params.compiler, room.params.folders
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
        hint = f"this is a bug in Mojo {version}: try another version, or the package without its newest part"
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
        raise ActionError(f"Mojo {compiler.version} succeeded but left no {made.name}")
    try:
        with made.open("rb") as stream:
            package = read_package(stream)
    except FormatError as error:
        raise ActionError(f"Mojo {compiler.version} wrote a {made.name} that is not a package: {error}") from None
    library = compiler.library()
    if not package.fits(library):
        raise ActionError(
            f"{made.name} fits {package.accepted_by}, but the compiler's own library fits {library.accepted_by}"
        )
    return package
