"""Prove an artifact in a clean room, and write the report."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packyard.formats.digest import digest_stream
from packyard.formats.errors import FormatError
from packyard.formats.mojo.packagemanifest import SUFFIX, PackageManifest, read_package_manifest
from packyard.formats.mojo.source import move_imports
from packyard.tasks.errors import ActionError
from packyard.tasks.host.unpack import unpack
from packyard.tasks.kinds.bundle.launcherchoice import LANGUAGES
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
from packyard.tasks.kinds.mojo.compiler import Compiler, toolchain_of
from packyard.tasks.kinds.mojo.packagefile import sha256_of
from packyard.tasks.target.room import Room
from packyard.tasks.texts.verifyscript import verify_script
from packyard.tasks.workspace.workspace import LOCK


def prove_mojo(room: Room[Any]) -> None:
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


def prove_bundle(room: Room[Any]) -> None:
    """Start every command of a bundle in an empty home, by each launcher."""
    file = room.inputs / room.params["file"]
    checks = [check_bundle(file)]
    if checks[0].passed:
        launchers = {language: room.inputs / language for language in LANGUAGES}
        checks += check_starts(room, file, launchers, room.params["commands"])
    with file.open("rb") as stream:
        present = {file.name: digest_stream(stream).hex}
    _report(room, Proof(subject=file.name, compiler="", present=present, checks=tuple(checks)))


def prove_archive(room: Room[Any]) -> None:
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


def prove_morloc(room: Room[Any]) -> None:
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


def _report(room: Room[Any], proof: Proof) -> None:
    room.say(proof.table())
    conclude(proof, room.outputs)


def _manifest(path: Path) -> PackageManifest:
    return read_package_manifest(path.read_text(encoding="utf-8"), path.name)
