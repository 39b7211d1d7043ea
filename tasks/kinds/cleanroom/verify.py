"""Verifying artifacts that are not bundles, as files: each is tried alone, in a clean room that is made for it anew.

What can be tried is told by the file itself, by what lies beside it, and by the workspace when the file is one of its
artifacts: the smoke command of an archive, the examples of a Mojo package, the compiler.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from packyard.formats.digest import digest_file
from packyard.formats.errors import FormatError, Problem
from packyard.formats.mojo.packagemanifest import SUFFIX, PackageManifest, write_package_manifest
from packyard.formats.morloc.reference import ARCHIVE_SUFFIX, PLANE_SUFFIX
from packyard.formats.workspace.cleanroom import Check, Proof, read_proof
from packyard.formats.workspace.manifest import ArchiveSpec
from packyard.tasks.errors import ActionError, PlanError
from packyard.tasks.host.unpack import unpack
from packyard.tasks.kinds.archive.distribution import folder_name
from packyard.tasks.kinds.cleanroom import morloc as cleanroom_morloc
from packyard.tasks.kinds.cleanroom.bundle import check_starts
from packyard.tasks.kinds.cleanroom.make_cleanroom import (
    ArchiveProofParams,
    MojoProofParams,
    prove_archive,
    prove_mojo,
)
from packyard.tasks.kinds.cleanroom.report import FILE, TABLE, conclude
from packyard.tasks.kinds.docs.links import Site
from packyard.tasks.kinds.mojo.compiler import Compiler, toolchain_of
from packyard.tasks.kinds.mojo.package import artifact_name, placed_examples
from packyard.tasks.kinds.mojo.packagefile import ENDS, is_mojo_package, read_described
from packyard.tasks.kinds.mojo.plan import sound_packages
from packyard.tasks.kinds.morloc.verify import morloc_program
from packyard.tasks.target.params import NoParams
from packyard.tasks.target.room import Room
from packyard.tasks.workspace.workspace import Workspace

ARCHIVE_ENDS = (".tar.gz", ".tgz", ".zip")

P = TypeVar("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was shown of one file: `text` is the report, or what went wrong; `log` is what its programs said."""

    path: Path
    passed: bool
    text: str
    report: Proof | None = None
    log: str = ""

    def shown(self) -> str:
        """The outcome in lines."""
        text = self.text.removeprefix(f"{self.path}: ").removeprefix(f"{self.path.name}: ")
        return f"{self.path}: {text}" if not self.passed else f"{self.path}: works\n\n{text}"

    def json(self) -> dict[str, Any]:
        """The outcome as data."""
        verdict = "works" if self.passed else "fails"
        causes = [] if self.passed else self.text.splitlines()
        report = self.report.values() if self.report else {}
        return {"file": os.fspath(self.path), "verdict": verdict, "report": report, "findings": causes}


def verify_artifact(path: Path, compilers: Sequence[Compiler], workspace: Workspace | None) -> Verified:
    """Try a Mojo package, a morloc package, or another archive; `compilers` are for Mojo packages, `workspace` is the
    one around, None outside. FormatError when there is no such file."""
    if not path.is_file():
        raise FormatError(Problem("is not a file", place=os.fspath(path)))
    if is_mojo_package(path):
        return _tried(path, lambda room: _mojo(room, path, compilers, workspace))
    if path.name.endswith(ARCHIVE_SUFFIX):
        return _tried(path, lambda room: _morloc(room, path))
    return _tried(path, lambda room: _archive(room, path, next(iter(compilers), None), workspace))


def start_bundle(path: Path, commands: Mapping[str, Sequence[str]], launchers: Mapping[str, Path]) -> Verified:
    """Start every command of a bundle (name -> words after it) in an empty home, by its own launcher and by the given
    ones. Whether it may be trusted to be run is for the caller to know."""
    return _tried(path, lambda room: _report(room, path, check_starts(room, path, launchers, commands)))


def _tried(path: Path, prove: Callable[[Room[object]], Room[object]]) -> Verified:
    with _empty_room() as room:
        try:
            done = prove(room)
        except (ActionError, FormatError) as error:
            return Verified(path=path, passed=False, text=str(error), log=_said(room))
        report = read_proof((done.outputs / FILE).read_text(encoding="utf-8"), FILE)
        text = (done.outputs / TABLE).read_text(encoding="utf-8").rstrip("\n")
        return Verified(path=path, passed=True, text=text, report=report, log=_said(room).partition(text)[0])


def _said(room: Room[object]) -> str:
    return room.log.read_text(encoding="utf-8", errors="replace") if room.log.exists() else ""


@contextmanager
def _empty_room() -> Iterator[Room[NoParams]]:
    with tempfile.TemporaryDirectory(prefix="packyard-verify-") as name:
        folder = Path(name)
        inputs, outputs, scratch, home = (folder / key for key in ("in", "out", "tmp", "home"))
        for place in (inputs, outputs, scratch, home):
            place.mkdir()
        yield Room(inputs=inputs, outputs=outputs, scratch=scratch, home=home, params=NoParams(), log=folder / "log")


def _with(room: Room[object], params: P, compiler: Compiler | None) -> Room[P]:
    """The room with the parameters of a clean room; a compiler stands in it as the tree of a toolchain."""
    return Room(
        inputs=room.inputs, outputs=room.outputs, scratch=room.scratch, home=room.home, log=room.log,
        params=params, trees={toolchain_of(_version(compiler)): compiler.tree} if compiler else {},
    )  # fmt: skip


def _version(compiler: Compiler | None) -> str:
    """The version of a compiler, '' of none."""
    return compiler.version or compiler.library().version if compiler else ""


# Mojo packages ----------------------------------------------------------------------------------------------------


def _mojo(room: Room[object], path: Path, compilers: Sequence[Compiler], workspace: Workspace | None) -> Room[object]:
    manifest, is_described = read_described(path)
    fitting = [compiler for compiler in compilers if manifest.compiler.package.fits(compiler.library())]
    compiler = next(iter([*fitting, *compilers]), None)
    if compiler is None:
        message = (
            f"{path.name}: there is no Mojo compiler to verify it with; it requires {manifest.compiler.accepted_by}"
        )
        raise ActionError(message, hint="name one with --compiler")
    end = path.suffix
    if not is_described:
        manifest = _exporting_itself(manifest)
    _place(room, path, manifest, end)
    for needed, one in _beside(path.parent, manifest).items():
        _place(room, needed, one, end)
    programs = _programs(path, workspace)
    for at, source in programs.items():
        (room.inputs / at).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, room.inputs / at)
    params = MojoProofParams(
        name=manifest.name,
        compiler=_version(compiler),
        end=end,
        examples=tuple(sorted(programs)),
        moved=tuple(sorted(manifest.components)),
    )
    done = _with(room, params, compiler)
    prove_mojo(done)
    return done


def _exporting_itself(manifest: PackageManifest) -> PackageManifest:
    """Of a package that nothing describes, no more is known than that it can be imported."""
    return replace(manifest, exports={manifest.name: ()})


def _place(room: Room[object], path: Path, manifest: PackageManifest, end: str) -> None:
    folder = room.inputs / "packages"
    folder.mkdir(exist_ok=True)
    shutil.copyfile(path, folder / f"{manifest.name}{end}")
    (folder / f"{manifest.name}{end}{SUFFIX}").write_text(write_package_manifest(manifest), encoding="utf-8")


def _beside(folder: Path, manifest: PackageManifest) -> dict[Path, PackageManifest]:
    """The packages that one needs and that lie beside it, known by their digests; PlanError with those that do not."""
    wanted = {needed.sha256: needed for needed in manifest.dependencies}
    found: dict[Path, PackageManifest] = {}
    for path in sorted(folder.iterdir()) if wanted else ():
        if path.name.endswith(ENDS) and (digest := digest_file(path).hex) in wanted:
            found[path] = read_described(path)[0]
            del wanted[digest]
    if wanted:
        raise PlanError(
            *(
                Problem(
                    f"needs {needed.name!r} {needed.version}, which is not beside it",
                    place=manifest.file,
                    hint=f"its SHA-256 is {needed.sha256}",
                )
                for needed in wanted.values()
            )
        )
    return found


def _programs(path: Path, workspace: Workspace | None) -> dict[str, Path]:
    """The examples of a package of the workspace, by where they stand in the clean room."""
    if workspace is None:
        return {}
    for package in sound_packages(workspace).packages:
        if path.resolve() == (workspace.root / "dist" / artifact_name(package)).resolve():
            places = placed_examples(package, workspace.watch)
            return {at: workspace.root / source for source, at in places.items()}
    return {}


# archives ---------------------------------------------------------------------------------------------------------


def _archive(room: Room[object], path: Path, compiler: Compiler | None, workspace: Workspace | None) -> Room[object]:
    shutil.copyfile(path, room.inputs / path.name)
    spec = _spec(path, workspace)
    if spec is None and (index := _index(room, path)):
        return _site(room, path, index.parent)
    top = _top(path)
    layout = spec.layout if spec else "distribution" if top else ""
    params = ArchiveProofParams(
        file=path.name,
        compiler=_version(compiler),
        layout=layout,
        top=top if layout else spec.prefix if spec else "",
        smoke=spec.smoke if spec else (),
    )
    done = _with(room, params, compiler)
    prove_archive(done)
    if compiler is None and any((room.scratch / "room" / top / "packages").glob(f"*{SUFFIX}")):
        message = f"{path.name}: there is no Mojo compiler to verify its packages with"
        raise ActionError(message, hint="name one with --compiler")
    return done


def _spec(path: Path, workspace: Workspace | None) -> ArchiveSpec | None:
    """The `[[archive]]` of the workspace that makes a file."""
    for spec in workspace.manifest.archives if workspace else ():
        stem = folder_name(spec) if spec.layout else f"{spec.name}-{spec.version}"
        if path.resolve() == (workspace.root / "dist" / f"{stem}.{spec.format}").resolve():  # type: ignore[union-attr]
            return spec
    return None


def _top(path: Path) -> str:
    """The top folder of a distribution, which is called like its file; '' for another archive."""
    stem = path.name.removesuffix(".zip").removesuffix(".tar.gz").removesuffix(".tgz")
    return stem if "-v" in stem else ""


def _index(room: Room[object], path: Path) -> Path | None:
    """The first page of a site, at the top of its archive or in the one folder there."""
    folder = room.scratch / "site"
    try:
        unpack(path, folder)
    except FormatError:  # which the clean room tells
        return None
    return next(iter(sorted([*folder.glob("index.html"), *folder.glob("*/index.html")])), None)


def _site(room: Room[object], path: Path, folder: Path) -> Room[object]:
    """Follow every link between the pages of a site."""
    site = Site(folder)
    dead = [f"{page}: {wrong}" for page, _, wrong in site.dead_links()]
    cause = f"{len(dead)} are broken" if dead else ""
    checks = [
        Check(what=f"{path.name} unpacks"),
        Check(what=f"the links between its {len(site.pages)} pages", cause=cause, detail="\n".join(dead)),
    ]
    return _report(room, path, checks)


def _morloc(room: Room[object], path: Path) -> Room[object]:
    """Install a package into an empty home, with what it needs from the archives and planes that lie beside it; with a
    compiler of morloc on PATH, ask that too."""
    bench = cleanroom_morloc.Bench(room, room.scratch / "morloc")
    beside = [one for one in sorted(path.parent.iterdir()) if one.name.endswith((ARCHIVE_SUFFIX, PLANE_SUFFIX))]
    checks = list(cleanroom_morloc.check_package(bench, path, [one for one in beside if one.name != path.name]))
    morloc = morloc_program()
    if morloc and all(check.passed for check in checks):
        checks += cleanroom_morloc.check_types(bench, morloc)
    return _report(room, path, checks, () if morloc else cleanroom_morloc.NOT_SHOWN)


def _report(room: Room[object], path: Path, checks: Iterable[Check], not_shown: tuple[str, ...] = ()) -> Room[object]:
    """Write the report as a clean room's; ActionError with the causes when something failed."""
    present = {path.name: digest_file(path).hex}
    proof = Proof(subject=path.name, compiler="", present=present, checks=tuple(checks), not_shown=not_shown)
    conclude(proof, room.outputs)
    return room
