"""Trying a morloc package where there is nothing else: it is installed from archives alone into an empty home.

All but the types can be shown without a compiler of morloc. Where there is one, it is asked for these, and its own
installer is given the same packages; where there is none, the report says what was not shown.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packyard.formats.errors import FormatError, Problem
from packyard.formats.morloc.home import PlanePaths
from packyard.formats.morloc.manifest import read_morloc
from packyard.formats.morloc.reference import PLANE_SUFFIX, LocalRef, archive_file
from packyard.formats.units import count_text
from packyard.formats.workspace.cleanroom import Check
from packyard.formats.workspace.manifest import MorlocSpec
from packyard.tasks.errors import ActionError
from packyard.tasks.kinds.cleanroom.mojo import ending_of, said
from packyard.tasks.kinds.morloc.archivefile import package_of_file, read_archive
from packyard.tasks.kinds.morloc.install import carry_out, decide
from packyard.tasks.kinds.morloc.lint import find_errors
from packyard.tasks.kinds.morloc.package import MANIFEST, Package, read_entries
from packyard.tasks.kinds.morloc.planearchive import read_plane_archive
from packyard.tasks.kinds.morloc.planechange import changing
from packyard.tasks.kinds.morloc.planefolder import Plane
from packyard.tasks.kinds.morloc.scan import scan
from packyard.tasks.kinds.morloc.setup import write_entries
from packyard.tasks.kinds.morloc.sources import Provided, Sources
from packyard.tasks.kinds.morloc.unpacked import entries_of
from packyard.tasks.kinds.morloc.verify import verify_plane
from packyard.tasks.kinds.morloc.wish import Wish
from packyard.tasks.target.room import Room

NOT_SHOWN = ("that its types agree, and that the compiler's own installer accepts it: there was no morloc compiler",)
_ABSENT = ("is not locked", "cannot be fetched")


@dataclass(frozen=True, slots=True)
class Bench:
    """A clean room: `home` is a morloc home with nothing in it but what is installed from archives."""

    room: Room[object]
    home: Path

    @property
    def plane(self) -> Plane:
        """The plane of the home."""
        return Plane(self.home, PlanePaths("default"))


def check_package(bench: Bench, file: Path, others: Iterable[Path], name: str = "") -> Iterator[Check]:
    """What can be shown of a package without a compiler. `others` are archives, of packages and planes, from which
    it may take what it needs; `name` is what it should be called (its top folder says so when that is '')."""
    opened = _open(file, name)
    yield opened if isinstance(opened, Check) else Check(what=f"{file.name} unpacks, as {_title(opened)}")
    if isinstance(opened, Check):
        return
    yield _named(opened, file)
    installed = _install(bench, file, opened, others)
    yield installed
    if installed.passed:
        yield _whole(bench)
        yield _sound(bench, opened.name)
        yield _exporting(bench, opened.name)


def check_types(bench: Bench, morloc: str) -> Iterator[Check]:
    """What the compiler says of each package of the home, and whether its own installer takes them all."""
    plane = bench.plane
    env = {"MORLOC_HOME": os.fspath(bench.home)}
    for name in sorted(plane.locked):
        entry = _package(plane, name).entry
        output = said(bench.room, [morloc, "typecheck", entry], cwd=plane.folder / name, env=env)
        cause = "it does not typecheck" if output else ""
        yield Check(what=f"the types of {name} agree", cause=cause, detail=_shown(output))
    yield _install_by_compiler(bench, morloc)


def _open(file: Path, name: str) -> Package | Check:
    """The package in an archive, read as strictly as a member; a failed check when there is none."""
    what = f"{file.name} unpacks"
    try:
        package = read_archive(file, name)
        strict = read_morloc(package.content.text(MANIFEST), MANIFEST)
    except FormatError as error:
        return Check(what=what, cause="corrupt file or wrong manifest", detail=str(error))
    return replace(package, manifest=strict, member=True)


def _named(package: Package, file: Path) -> Check:
    named = archive_file(package.name, package.manifest.version)
    cause = "" if file.name == named else f"it is {_title(package)}, whose file name is {named}"
    return Check(what="its name matches its manifest", cause=cause)


def _install(bench: Bench, file: Path, package: Package, others: Iterable[Path]) -> Check:
    """Install a package and what it needs as `packyard install` does, but from these files alone."""
    what = f"{package.name} and its dependencies install from their archives alone"
    sources = Sources(spec=MorlocSpec(), root=bench.room.scratch, cache=bench.room.scratch / "cache", offline=True)
    try:
        given: dict[str, LocalRef] = {}
        preset: dict[str, Provided] = {}
        for path in others:
            if path.name.endswith(PLANE_SUFFIX):
                preset |= {name: provided for name, (provided, _) in read_plane_archive(path).items()}
            else:
                given[package_of_file(path.name)] = LocalRef(os.fspath(path))
        given[package.name] = LocalRef(os.fspath(file))
        preset = {name: provided for name, provided in preset.items() if name not in given}
        steps = decide(Wish((package.name,), given, preset), sources, bench.plane)
        with changing(bench.home):
            skipped = carry_out(steps, bench.plane, epoch=0)
    except (FormatError, ActionError) as error:
        return Check(what=what, cause=_cause(error), detail=str(error))
    return Check(what=f"{what}; setup scripts not run: {', '.join(skipped)}" if skipped else what)


def _cause(error: FormatError | ActionError) -> str:
    problems: Sequence[Problem] = error.problems if isinstance(error, FormatError) else ()
    absent = [problem.place for problem in problems if problem.message.startswith(_ABSENT)]
    if absent:
        return f"missing dependency {', '.join(map(repr, absent))}: no archive here contains it"
    return "it cannot be installed"


def _whole(bench: Bench) -> Check:
    problems = verify_plane(bench.plane)
    cause = "files differ from what was installed" if problems else ""
    return Check(what=_all(bench, "as locked, file by file"), cause=cause, detail="\n".join(map(str, problems)))


def _sound(bench: Bench, subject: str) -> Check:
    """Whether a package and what it needs fit each other, as a lint of members finds it."""
    packages = {name: _package(bench.plane, name) for name in sorted(bench.plane.locked)}
    packages[subject] = replace(packages[subject], member=True)
    found = [finding.problem for finding in find_errors(scan(packages))]
    cause = f"{len(found)} found" if found else ""
    return Check(what=f"no error in {subject} and its dependencies", cause=cause, detail="\n".join(map(str, found)))


def _exporting(bench: Bench, name: str) -> Check:
    package = _package(bench.plane, name)
    entry = scan({name: package}).modules[name][0]
    exports = entry.source.headers[0].exports
    shown = "everything" if exports == ("*",) else ", ".join(exports) or "nothing"
    return Check(what=f"the module {name} exports {shown}")


def _install_by_compiler(bench: Bench, morloc: str) -> Check:
    """Give the compiler's own installer the same packages as folders, which is its way without a network. Its exit
    status tells little, so what it left is looked at."""
    plane = bench.plane
    what = "the compiler's own installer accepts them"
    folder, home = bench.room.scratch / "folders", bench.room.scratch / "home-of-compiler"
    names = sorted(plane.locked)
    for name in names:
        write_entries(folder / name, entries_of(plane.folder / name))
    env = {"MORLOC_HOME": os.fspath(home)}
    output = said(bench.room, [morloc, "install", *(f"./{name}" for name in names)], cwd=folder, env=env)
    if output:
        return Check(what=what, cause=ending_of(output), detail=_shown(output))
    made = Plane(home, plane.paths)
    without = [name for name in names if made.record(name) is None or not (made.folder / name).is_dir()]
    cause = f"it succeeded but did not install {', '.join(without)}" if without else ""
    return Check(what=what, cause=cause)


def _package(plane: Plane, name: str) -> Package:
    return read_entries(entries_of(plane.folder / name), name, name)


def _all(bench: Bench, state: str) -> str:
    return f"{count_text(len(bench.plane.locked), 'package')} {state}"


def _title(package: Package) -> str:
    return f"{package.name} {package.manifest.version}"


def _shown(output: str) -> str:
    return "\n".join(output.splitlines()[:20])
