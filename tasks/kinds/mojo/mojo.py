"""The kind `mojo`: a member's package compiled by a Mojo toolchain, the same bytes wherever the workspace lies.

Sources are staged as `package/NAME/` and the packages they import as `deps/DEP.ext`: the compiler is called beside
the first with relative arguments only, because it writes the spelling of its argument, in 0.x even the absolute
path, into the package. The name of its output is part of the package too, so it is never compiled to another one.

A meta-package is compiled from the sources of its parts, staged as `package/META/PART/`; what they import of each
other is moved below META first, for there is no other place where they could find it.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import COMPRESSOR, LEVELS, compressing
from packyard.formats.archive.tarball import write_tar
from packyard.formats.errors import FormatError
from packyard.formats.mojo.package import MojoPackage, read_package
from packyard.formats.mojo.packagemanifest import SUFFIX, write_package_manifest
from packyard.tasks.errors import ActionError
from packyard.tasks.host import process
from packyard.tasks.kinds.mojo.compiler import Compiler, bare_modules, extension, records_paths, toolchain_of, verb
from packyard.tasks.kinds.mojo.dependencies import Needs, together
from packyard.tasks.kinds.mojo.meta import assemble, flat_exports
from packyard.tasks.kinds.mojo.package import Package, artifact_name, sources
from packyard.tasks.kinds.mojo.packagemanifest import make_manifest, said_of
from packyard.tasks.kinds.mojo.plan import plan_packages
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Json, Output, Source, Target, Use
from packyard.tasks.workspace.watch import Watch
from packyard.tasks.workspace.workspace import MANIFEST, Workspace

_SHOWN_LINES = 40
_SOURCE = ".source.tar.gz"
_NOISE = re.compile(r".*(failed to parse the provided Mojo source module|file extensions is deprecated).*\n?")


def targets(workspace: Workspace) -> Iterator[Target]:
    """One target for each Mojo package; FormatError with every dependency, range and import that is wrong.

    A package in a cycle of imports gets a target that only says so, and what does not need it is built all the same.
    """
    plan = plan_packages(workspace)
    for package in plan.packages:
        needs = plan.needs[package.name]
        if needs.cycle:
            yield _refusal(package, needs, plan.packages, workspace)
        else:
            yield _target(package, needs, workspace)


def make_mojo(room: Room) -> None:
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


def _write_source(room: Room, folder: Path) -> None:
    """Write what was compiled as an archive with the package's folder in it: unpacked, any compiler can import it."""
    packing = room.params["source"]
    paths = (path for path in folder.rglob("*") if path.is_file())
    entries = [Entry(path.relative_to(folder.parent).as_posix(), path) for path in paths]
    out = room.outputs / f"{folder.name}{_SOURCE}"
    with out.open("wb") as stream, compressing(stream, level=packing["level"]) as packed:
        write_tar(entries, packed, epoch=packing["epoch"])


def refuse_mojo(room: Room) -> None:
    """Say why a package cannot be compiled."""
    raise ActionError(room.params["message"], hint=room.params["hint"])


def _target(package: Package, needs: Needs, workspace: Workspace) -> Target:
    version = package.compiler
    end = extension(version)
    params: dict[str, Json] = {
        "name": package.name,
        "compiler": version,
        "folders": {f"{package.name}/{part.name}": part.folder for part in package.parts}
        or {package.name: package.folder},
        "manifest": said_of(package, needs),
    }
    if package.manifest.ships_source:
        params["source"] = {"epoch": workspace.epoch, "compressor": COMPRESSOR, "level": LEVELS["small"]}
    if package.parts:
        moved = sorted({part.name for part in package.parts} - bare_modules(version))
        exported = flat_exports(package, workspace) if package.is_flat else {}
        params["meta"] = {"moved": moved, "exports": exported}
    return Target(
        name=package.target,
        doc=package.manifest.description or f"the Mojo package {package.name}",
        place=package.place,
        run="packyard.tasks.kinds.mojo.mojo:make_mojo",
        params=params,
        sources=tuple(_staged(package, workspace.watch)),
        uses=(
            Use(target=toolchain_of(version)),
            *(Use(target=other.target, at=f"deps/{other.name}.{end}") for other in needs.all),
        ),
        outputs=_outputs(package),
        final=True,
    )


def _refusal(package: Package, needs: Needs, packages: Sequence[Package], workspace: Workspace) -> Target:
    """The target of a package in a cycle. When a meta-package holds the whole cycle, it is none of `all`."""
    holder = next((meta for meta in packages if all(other in meta.parts for other in needs.knot)), None)
    shown = " -> ".join(other.name for other in needs.cycle)
    if holder is not None:
        hint = f"it is part of {holder.target!r}: import '{holder.name}.{package.name}', and depend on that"
    else:
        block = together(needs.knot, packages, workspace.manifest.name)
        hint = f"they compile as one package, which {MANIFEST} declares like this:\n\n{block}\n"
    return Target(
        name=package.target,
        doc=f"the Mojo package {package.name}, which cannot be compiled alone",
        place=package.place,
        run="packyard.tasks.kinds.mojo.mojo:refuse_mojo",
        params={"message": f"{package.place}: the packages import each other in a cycle: {shown}", "hint": hint},
        outputs=_outputs(package),
        final=holder is None,
    )


def _outputs(package: Package) -> tuple[Output, ...]:
    end = extension(package.compiler)
    artifact = f"dist/{artifact_name(package)}"
    outputs = (
        Output(at=f"{package.name}.{end}", artifact=artifact),
        Output(part="manifest", at=f"{package.name}.{end}{SUFFIX}", artifact=f"{artifact}{SUFFIX}"),
    )
    if not package.manifest.ships_source:
        return outputs
    stem = artifact.removesuffix(f".{end}")
    return (*outputs, Output(part="source", at=f"{package.name}{_SOURCE}", artifact=f"{stem}{_SOURCE}"))


def _staged(package: Package, watch: Watch) -> list[Source]:
    """The sources of a package, each where it stands when it is compiled."""
    staged: list[Source] = []
    for part in package.parts or (package,):
        below = f"package/{package.name}/{part.name}" if package.parts else f"package/{package.name}"
        prefix = f"{part.folder}/" if part.folder else ""
        for path in sources(part, watch):
            staged.append(Source(path=path, at=f"{below}/{path.removeprefix(prefix)}"))
    return staged


def _failure(room: Room, message: str, start: int) -> ActionError:
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
