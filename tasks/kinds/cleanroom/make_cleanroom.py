"""Prove an artifact in a clean room, and write the report.

A plan imports this module too, so what only bundles and morloc packages need is imported by their actions.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packyard.formats.digest import digest_file
from packyard.formats.errors import FormatError
from packyard.formats.mojo.packagemanifest import SUFFIX, PackageManifest, read_package_manifest
from packyard.formats.mojo.source import move_imports
from packyard.formats.workspace.cleanroom import Check, Proof, proof_table
from packyard.tasks.errors import ActionError
from packyard.tasks.host.unpack import unpack
from packyard.tasks.kinds.bundle.launcherchoice import LANGUAGES
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
from packyard.tasks.kinds.cleanroom.report import conclude
from packyard.tasks.kinds.mojo.compiler import Compiler, toolchain_of
from packyard.tasks.target.params import Params
from packyard.tasks.target.room import Room
from packyard.tasks.texts.verifyscript import verify_script


@dataclass(frozen=True, slots=True, kw_only=True)
class MojoProofParams(Params):
    """The parameters of a clean room for a Mojo package: the name it is imported as, the version of Mojo, the end of
    the names of package files ('.mojoc'), the examples to run, and the parts of a meta-package, whose imports in these
    move below it."""

    name: str
    compiler: str
    end: str
    examples: tuple[str, ...]
    moved: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleProofParams(Params):
    """The parameters of a clean room for a bundle: its file, and the words after each of its commands."""

    file: str
    commands: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveProofParams(Params):
    """The parameters of a clean room for an archive: its file, the version of Mojo ('' is none), its layout and its top
    folder ('' is none), and the words of its smoke command."""

    file: str
    compiler: str
    layout: str
    top: str
    smoke: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MorlocProofParams(Params):
    """The parameters of a clean room for a morloc package: its name ('' is what its archive says), its file, and what
    the lock lacks, a line each."""

    name: str
    file: str
    missing: tuple[str, ...]


def prove_mojo(room: Room[MojoProofParams]) -> None:
    """Import every export of a package and run its examples, with the packages it declares and nothing else."""
    params = room.params
    name, end = params.name, params.end
    compiler = Compiler(params.compiler, room.trees[toolchain_of(params.compiler)])
    staged = room.inputs / "packages"
    manifests = {path.name.partition(".")[0]: _manifest(path) for path in sorted(staged.glob(f"*{end}{SUFFIX}"))}
    manifest = manifests.pop(name)
    bench = make_bench(room, compiler, {path.name: path for path in sorted(staged.glob(f"*{end}"))})
    present = bench.packages()
    programs = {
        at: move_imports((room.inputs / at).read_text(encoding="utf-8"), params.moved, name) for at in params.examples
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


def prove_bundle(room: Room[BundleProofParams]) -> None:
    """Start every command of a bundle in an empty home, by each launcher."""
    from packyard.tasks.kinds.cleanroom.bundle import check_bundle, check_starts

    file = room.inputs / room.params.file
    checks = [check_bundle(file)]
    if checks[0].passed:
        launchers = {language: room.inputs / language for language in LANGUAGES}
        checks += check_starts(room, file, launchers, room.params.commands)
    present = {file.name: digest_file(file).hex}
    _report(room, Proof(subject=file.name, compiler="", present=present, checks=tuple(checks)))


def prove_archive(room: Room[ArchiveProofParams]) -> None:
    """Unpack an archive, try the Mojo packages and examples of a distribution, and run the archive's smoke command."""
    params = room.params
    version, file = params.compiler, room.inputs / params.file
    compiler = Compiler(version, room.trees[toolchain_of(version)]) if version else None
    folder = room.scratch / "room"
    checks = [_unpack(file, folder)]
    top = folder / params.top
    if compiler and params.layout and checks[0].passed:
        checks += _shipped(Bench(room, compiler, top))
    if params.smoke and checks[0].passed:
        checks.append(_smoke(room, compiler, top))
    named = f"Mojo {version}" if version else ""
    present = {file.name: digest_file(file).hex}
    _report(room, Proof(subject=file.name, compiler=named, present=present, checks=tuple(checks)))


def prove_morloc(room: Room[MorlocProofParams]) -> None:
    """Install a morloc package into an empty home from archives alone: its own, and those of what it needs."""
    from packyard.tasks.kinds.cleanroom import morloc

    params = room.params
    if params.missing:
        raise ActionError(
            f"{params.file}: its dependencies are not locked",
            detail="\n".join(params.missing),
            hint="run 'packyard lock'",
        )
    file, others = room.inputs / params.file, sorted(room.inputs.glob("packages/*"))
    bench = morloc.Bench(room, room.scratch / "morloc")
    checks = tuple(morloc.check_package(bench, file, others, params.name))
    present = {path.name: digest_file(path).hex for path in (file, *others)}
    _report(
        room,
        Proof(subject=file.name, compiler="", present=present, checks=checks, not_shown=morloc.NOT_SHOWN),
    )


def _smoke(room: Room[ArchiveProofParams], compiler: Compiler | None, folder: Path) -> Check:
    """Whether the smoke command ends well in a folder, with the compiler in reach."""
    words = room.params.smoke
    path = {"PATH": f"{compiler.tree}/bin:/usr/local/bin:/usr/bin:/bin"} if compiler else {}
    output = said(room, words, cwd=folder, env={**path, **(compiler.environment() if compiler else {})})
    cause = ending_of(output) if output else ""
    return Check(what=f"{shlex.join(words)} runs", cause=cause, detail=output)


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
        return Check(what=what, cause="corrupt file", detail=str(error))
    return Check(what=what)


def _report(room: Room[object], proof: Proof) -> None:
    room.say(proof_table(proof))
    conclude(proof, room.outputs)


def _manifest(path: Path) -> PackageManifest:
    return read_package_manifest(path.read_text(encoding="utf-8"), path.name)
