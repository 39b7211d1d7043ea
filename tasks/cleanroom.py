"""The kind `cleanroom`: what was packaged is tried where there is nothing else, and what was shown is written down.

The room is an empty folder with an empty home and a constant environment. It gets the package and what it declares to
need, never the sources; the workspace's own paths are not known there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from packyard.formats.errors import FormatError
from packyard.formats.mojosource import move_imports
from packyard.formats.packagemanifest import SUFFIX, PackageManifest, read_package_manifest
from packyard.tasks.compiler import Compiler, extension, toolchain_of
from packyard.tasks.errors import ActionError
from packyard.tasks.mojodependency import Needs, dependencies
from packyard.tasks.mojopackage import Package, artifact_name, examples, find_packages, sources
from packyard.tasks.mojoproof import (
    check_dependencies,
    check_examples,
    check_file,
    check_imports,
    import_program,
    make_bench,
)
from packyard.tasks.proof import Proof
from packyard.tasks.room import Room
from packyard.tasks.target import Output, Source, Target, Use
from packyard.tasks.verifyscript import verify_script
from packyard.tasks.workspace import Workspace


def targets(workspace: Workspace) -> Iterator[Target]:
    """A clean room for each Mojo package that can be compiled; by name only."""
    version = workspace.manifest.toolchain.mojo
    try:
        packages = find_packages(workspace) if version else ()
        files = {package.name: sources(package, workspace.watch, version) for package in packages}
        needed = dependencies(packages, files, workspace.watch, version)
    except FormatError:
        return  # the kind `mojo` says what is wrong
    for package in packages:
        if not needed[package.name].cycle:
            yield _of_package(package, needed[package.name], workspace, version)


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


def _of_package(package: Package, needs: Needs, workspace: Workspace, version: str) -> Target:
    end = f".{extension(version)}"
    programs = _programs(package, workspace)
    uses = [Use(target=toolchain_of(version))]
    for other in (package, *needs.all):
        at = f"packages/{other.name}{end}"
        uses += [Use(target=other.target, at=at), Use(target=other.target, part="manifest", at=f"{at}{SUFFIX}")]
    return Target(
        name=f"cleanroom:{package.label}",
        doc=f"what {artifact_name(package, version)} does where there is nothing else",
        place=package.place,
        run="packyard.tasks.cleanroom:prove_mojo",
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


def _programs(package: Package, workspace: Workspace) -> dict[str, str]:
    """The examples of a package by path, and where each stands in the clean room; never two at one place."""
    found: dict[str, str] = {}
    for part in package.parts or (package,):
        for path in examples(part, workspace.watch):
            inside = path.removeprefix(f"{part.member.folder}/") if part.member.folder else path
            at = inside if inside.startswith("examples/") else f"examples/{inside}"
            found[path] = at if at not in found.values() else f"examples/{part.name}/{inside}"
    return found


def _outputs(stem: str) -> tuple[Output, Output]:
    return (
        Output(at="cleanroom.json", artifact=f"dist/{stem}.cleanroom.json"),
        Output(part="table", at="cleanroom.txt", artifact=f"dist/{stem}.cleanroom.txt"),
    )


def _report(room: Room, proof: Proof) -> None:
    """Write the report; ActionError with the causes when something failed."""
    room.say(proof.table())
    if proof.failures:
        count, of = len(proof.failures), len(proof.checks)
        raise ActionError(f"{proof.subject}: {count} of {of} checks failed in the clean room", detail=proof.failure())
    (room.outputs / "cleanroom.json").write_text(proof.json(), encoding="utf-8")
    (room.outputs / "cleanroom.txt").write_text(proof.table(), encoding="utf-8")


def _manifest(path: Path) -> PackageManifest:
    return read_package_manifest(path.read_text(encoding="utf-8"), path.name)
