"""The kind `cleanroom`: what was packaged is tried where there is nothing else, and what was shown is written down.

The room is an empty folder with an empty home and a constant environment. It gets the package and what it declares to
need, never the sources; the workspace's own paths are not known there.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from packyard.formats.digest import digest_stream
from packyard.formats.errors import FormatError
from packyard.formats.mojo.packagemanifest import SUFFIX, PackageManifest, read_package_manifest
from packyard.formats.mojo.source import move_imports
from packyard.formats.morloc.reference import archive_file
from packyard.formats.workspace.manifest import ArchiveSpec
from packyard.tasks.errors import ActionError
from packyard.tasks.host.unpack import unpack
from packyard.tasks.kinds.archive.distribution import folder_name
from packyard.tasks.kinds.bundle.launcherchoice import LANGUAGES
from packyard.tasks.kinds.bundle.program import program_of
from packyard.tasks.kinds.cleanroom import morloc
from packyard.tasks.kinds.cleanroom.bundle import check_bundle, check_starts
from packyard.tasks.kinds.cleanroom.mojo import (
    Bench,
    check_dependencies,
    check_examples,
    check_file,
    check_imports,
    ending_of,
    import_program,
    make_bench,
    said,
)
from packyard.tasks.kinds.cleanroom.report import Check, Proof, conclude
from packyard.tasks.kinds.interpreter.prefix import platforms_of_all
from packyard.tasks.kinds.mojo.compiler import Compiler, extension, toolchain_of
from packyard.tasks.kinds.mojo.dependencies import Needs
from packyard.tasks.kinds.mojo.package import Package, artifact_name, placed_examples
from packyard.tasks.kinds.mojo.packagefile import sha256_of
from packyard.tasks.kinds.mojo.plan import MojoPlan, sound_packages
from packyard.tasks.kinds.morloc.archives import archives_of
from packyard.tasks.kinds.morloc.package import MANIFEST as YAML
from packyard.tasks.kinds.morloc.package import Package as MorlocPackage
from packyard.tasks.kinds.morloc.package import read_packages
from packyard.tasks.kinds.python.version import version
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Output, Source, Target, Use
from packyard.tasks.texts.verifyscript import verify_script
from packyard.tasks.workspace.workspace import LOCK, MANIFEST, Member, Workspace


def targets(workspace: Workspace) -> Iterator[Target]:
    """A clean room for each Mojo package that can be compiled, each bundle for this machine, each morloc package, and
    each archive that says how to try it; by name only.

    What has the name of a package is tried as `cleanroom:NAME.FORMAT`, a bundle as `cleanroom:NAME.psp`, a morloc
    package as `cleanroom:NAME.morloc`.
    """
    plan = sound_packages(workspace)
    labels = set()
    for package in plan.packages:
        if not plan.needs[package.name].cycle:
            labels.add(package.label)
            yield _of_package(package, plan.needs[package.name], workspace)
    for member, platforms in platforms_of_all(workspace).values():
        if workspace.platform in platforms:
            name = f"{member.name}.psp" if member.name in labels else member.name
            labels.add(name)
            yield _of_bundle(member, name, workspace)
    members = read_packages(workspace)
    for other in members.values():
        name = f"{other.name}.morloc" if other.name in labels else other.name
        labels.add(name)
        yield _of_morloc(other, name, members, workspace)
    for spec in workspace.manifest.archives:
        if spec.smoke or spec.layout:
            name = f"{spec.name}.{spec.format}" if spec.name in labels else spec.name
            yield _of_archive(spec, name, _compiler_for(spec, plan, workspace))


def prove_mojo(room: Room) -> None:
    """Import every export of a package and run its examples, with the packages it declares and nothing else."""
    name, end = room.params["name"], room.params["end"]
    compiler = Compiler(room.params["compiler"], room.trees[toolchain_of(room.params["compiler"])])
    staged = room.inputs / "packages"
    manifests = {path.name.partition(".")[0]: _manifest(path) for path in sorted(staged.glob(f"*{end}{SUFFIX}"))}
    manifest = manifests.pop(name)
    bench = make_bench(room, compiler, {path.name: path for path in sorted(staged.glob(f"*{end}"))})
    present = bench.packages()
    moved = room.params["moved"]
    programs = {
        at: move_imports((room.inputs / at).read_text(encoding="utf-8"), moved, name) for at in room.params["examples"]
    }
    checks = [check_file(staged / f"{name}{end}", manifest, compiler), *check_dependencies(manifest, present)]
    if all(check.passed for check in checks):
        checks += check_imports(bench, manifest.exports)
        checks += check_examples(bench, programs)
    proof = Proof(
        subject=f"{manifest.distribution} {manifest.version}",
        compiler=f"Mojo {compiler.version}",
        present=present,
        checks=tuple(checks),
    )
    _report(room, proof)
    script = room.outputs / "verify.sh"
    programs = {"imports.mojo": import_program(manifest.exports), **programs}
    script.write_text(verify_script(manifest, manifests, programs), encoding="utf-8")
    script.chmod(0o755)


def prove_bundle(room: Room) -> None:
    """Start every command of a bundle in an empty home, by each launcher."""
    file = room.inputs / room.params["file"]
    checks = [check_bundle(file)]
    if checks[0].passed:
        launchers = {language: room.inputs / language for language in LANGUAGES}
        checks += check_starts(room, file, launchers, room.params["commands"])
    with file.open("rb") as stream:
        present = {file.name: digest_stream(stream).hex}
    _report(room, Proof(subject=file.name, compiler="", present=present, checks=tuple(checks)))


def prove_archive(room: Room) -> None:
    """Unpack an archive, try the Mojo packages and examples of a distribution, and run the archive's smoke command."""
    version, file = room.params["compiler"], room.inputs / room.params["file"]
    compiler = Compiler(version, room.trees[toolchain_of(version)]) if version else None
    folder = room.scratch / "room"
    checks = [_unpack(file, folder)]
    top = folder / room.params["top"]
    if compiler and room.params["layout"] and checks[0].passed:
        checks += _shipped(Bench(room, compiler, top))
    smoke = room.params["smoke"]
    if smoke and checks[0].passed:
        env = (
            {"PATH": f"{compiler.tree}/bin:/usr/local/bin:/usr/bin:/bin", **compiler.environment()} if compiler else {}
        )
        output = said(room, smoke, cwd=top, env=env)
        cause = ending_of(output) if output else ""
        checks.append(Check(what=f"{shlex.join(smoke)} runs", cause=cause, detail=output))
    with file.open("rb") as stream:
        present = {file.name: digest_stream(stream).hex}
    _report(
        room,
        Proof(
            subject=file.name,
            compiler=f"Mojo {version}" if version else "",
            present=present,
            checks=tuple(checks),
        ),
    )


def prove_morloc(room: Room) -> None:
    """Install a morloc package into an empty home from archives alone: its own, and those of what it needs."""
    if room.params["missing"]:
        raise ActionError(
            f"{room.params['file']}: what it needs is not locked",
            detail="\n".join(f"{LOCK}: {line}" for line in room.params["missing"]),
            hint="run 'packyard lock'",
        )
    file, others = room.inputs / room.params["file"], sorted(room.inputs.glob("packages/*"))
    bench = morloc.Bench(room, room.scratch / "morloc")
    checks = tuple(morloc.check_package(bench, file, others, room.params["name"]))
    present = {path.name: sha256_of(path) for path in (file, *others)}
    _report(
        room,
        Proof(subject=file.name, compiler="", present=present, checks=checks, not_shown=morloc.NOT_SHOWN),
    )


def _shipped(bench: Bench) -> Iterator[Check]:
    """The checks of the packages and examples that lie in an unpacked distribution."""
    folder = bench.folder / "packages"
    if not folder.is_dir():
        return
    present = {name: digest for name, digest in bench.packages().items() if not name.endswith(SUFFIX)}
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        manifest = _manifest(path)
        checks = [check_file(folder / manifest.installed_as, manifest, bench.compiler)]
        checks += check_dependencies(manifest, present)
        yield from checks
        if all(check.passed for check in checks):
            yield from check_imports(bench, manifest.exports)
    programs = sorted(bench.folder.glob("examples/**/*.mojo"))
    texts = {path.relative_to(bench.folder).as_posix(): path.read_text(encoding="utf-8") for path in programs}
    yield from check_examples(bench, texts)


def _unpack(file: Path, folder: Path) -> Check:
    what = f"{file.name} unpacks"
    try:
        unpack(file, folder)
    except FormatError as error:
        return Check(what=what, cause="damaged file", detail=str(error))
    return Check(what=what)


def _compiler_for(spec: ArchiveSpec, plan: MojoPlan, workspace: Workspace) -> str:
    """The compiler of the packages in an archive; else the workspace's, for the smoke command may run programs."""
    found = (package.compiler for package in plan.packages if package.target in spec.include)
    return next(found, workspace.manifest.toolchain.mojo)


def _of_archive(spec: ArchiveSpec, name: str, version: str) -> Target:
    stem = folder_name(spec) if spec.layout else f"{spec.name}-{spec.version}"
    file = f"{stem}.{spec.format}"
    return Target(
        name=f"cleanroom:{name}",
        doc=f"what {file} does where there is nothing else",
        place=MANIFEST,
        run="packyard.tasks.kinds.cleanroom.cleanroom:prove_archive",
        params={
            "file": file,
            "compiler": version,
            "layout": spec.layout,
            "top": stem if spec.layout else spec.prefix,
            "smoke": list(spec.smoke),
        },
        uses=(
            Use(target=f"archive:{spec.name}", at=file),
            *((Use(target=toolchain_of(version)),) if version else ()),
        ),
        outputs=_outputs(file),
    )


def _of_package(package: Package, needs: Needs, workspace: Workspace) -> Target:
    version = package.compiler
    end = f".{extension(version)}"
    programs = placed_examples(package, workspace.watch)
    uses = [Use(target=toolchain_of(version))]
    for other in (package, *needs.all):
        at = f"packages/{other.name}{end}"
        uses += [Use(target=other.target, at=at), Use(target=other.target, part="manifest", at=f"{at}{SUFFIX}")]
    return Target(
        name=f"cleanroom:{package.label}",
        doc=f"what {artifact_name(package)} does where there is nothing else",
        place=package.place,
        run="packyard.tasks.kinds.cleanroom.cleanroom:prove_mojo",
        params={
            "name": package.name,
            "compiler": version,
            "end": end,
            "examples": sorted(programs.values()),
            "moved": sorted(part.name for part in package.parts),  # examples of parts import them from below it
        },
        sources=tuple(Source(path=path, at=at) for path, at in programs.items()),
        uses=tuple(uses),
        outputs=(
            *_outputs(f"{package.label}-{package.manifest.version}"),
            Output(part="script", at="verify.sh", artifact=f"dist/install_verify_{package.label}.sh"),
        ),
    )


def _of_bundle(member: Member, name: str, workspace: Workspace) -> Target:
    project = member.project
    assert project is not None and project.flavor is not None
    program = program_of(project, version(member, workspace), workspace.platform)
    file = f"{program.name}-{program.version}.psp"
    return Target(
        name=f"cleanroom:{name}",
        doc=f"what {file} does where there is nothing else",
        place=member.path("pyproject.toml"),
        run="packyard.tasks.kinds.cleanroom.cleanroom:prove_bundle",
        params={
            "file": file,
            "commands": {command: list(project.flavor.smoke.get(command, ("--help",))) for command in program.commands},
        },
        uses=(
            Use(target=f"bundle:{member.name}", at=file),
            *(Use(target=f"launcher:{language}-{workspace.platform}", at=language) for language in LANGUAGES),
        ),
        outputs=_outputs(file),
    )


def _of_morloc(package: MorlocPackage, name: str, members: Mapping[str, MorlocPackage], workspace: Workspace) -> Target:
    file = archive_file(package.name, package.manifest.version)
    archives = archives_of([package.name], members, workspace)
    own = f"morloc:{package.name}"
    return Target(
        name=f"cleanroom:{name}",
        doc=f"what {file} does where there is nothing else",
        place=package.path(YAML),
        run="packyard.tasks.kinds.cleanroom.cleanroom:prove_morloc",
        params={"name": package.name, "file": file, "missing": list(archives.missing)},
        uses=(Use(target=own, at=file), *(use for use in archives.uses if use.target != own)),
        sources=archives.sources,
        outputs=_outputs(file),
    )


def _outputs(stem: str) -> tuple[Output, Output]:
    return (
        Output(at="cleanroom.json", artifact=f"dist/{stem}.cleanroom.json"),
        Output(part="table", at="cleanroom.txt", artifact=f"dist/{stem}.cleanroom.txt"),
    )


def _report(room: Room, proof: Proof) -> None:
    room.say(proof.table())
    conclude(proof, room.outputs)


def _manifest(path: Path) -> PackageManifest:
    return read_package_manifest(path.read_text(encoding="utf-8"), path.name)
