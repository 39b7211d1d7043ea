"""Installing compiled Mojo packages into a library folder, and taking them out.

A package lies in the folder under the name that was compiled into it, so that `mojo -I FOLDER` finds it. Everything
is checked first; then new files are laid beside, a plan is written, and from that moment on the installation happens
whole, if need be by the next command that changes the folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from packyard.formats.digest import digest_file
from packyard.formats.errors import FormatError, Problem
from packyard.formats.mojo.library import NAME as RECORD
from packyard.formats.mojo.library import read_library, write_library
from packyard.formats.mojo.package import MojoPackage
from packyard.formats.mojo.packagemanifest import PackageManifest
from packyard.formats.relpath import FileName, read_file_name
from packyard.formats.text.json import read_json
from packyard.formats.text.table import reading
from packyard.tasks.errors import ActionError, PlanError, UsageError
from packyard.tasks.host.filelock import exclusive
from packyard.tasks.kinds.mojo.packagefile import ENDS, read_described

How = Literal["install", "replace", "repair", "keep"]

_STAGING = ".packyard-install"
_LOCK = ".packyard-lock"
_PLAN = "plan.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What happens to one package: `before` is the version that was there, '' for none."""

    file: Path
    manifest: PackageManifest
    how: How
    before: str = ""
    is_described: bool = True  # by a manifest beside it: else nobody knows what it depends on


def is_library(folder: Path) -> bool:
    """Whether Mojo packages were installed into a folder."""
    return (folder / RECORD).is_file() or (folder / _STAGING / _PLAN).is_file()


def installed(folder: Path) -> dict[str, PackageManifest]:
    """What was installed into a folder, by import name."""
    for path in (folder / _STAGING / RECORD if (folder / _STAGING / _PLAN).exists() else folder / RECORD,):
        if path.is_file():
            return read_library(path.read_text(encoding="utf-8"), os.fspath(path))
    return {}


def state(folder: Path, manifest: PackageManifest) -> str:
    """'whole', 'altered' or 'missing'."""
    path = folder / manifest.installed_as
    if not path.is_file():
        return "missing"
    return "whole" if digest_file(path).hex == manifest.sha256 else "altered"


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Hold a library folder alone, made if need be; what a killed command had decided is done first."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with exclusive(folder / _LOCK):
            _finish(folder)
            yield
    except OSError as error:
        raise ActionError(f"{error.filename or folder}: cannot be written: {error.strerror}") from None


def decide(files: Sequence[Path], folder: Path, library: MojoPackage | None) -> tuple[Step, ...]:
    """What installing `files` means; FormatError with everything that forbids it.

    `library` is the header of the standard library of the compiler that will import them, None when unknown.
    """
    there = installed(folder)
    problems: list[Problem] = []
    steps: dict[str, Step] = {}
    for file in files:
        try:
            step = _step(file, folder, there)
        except FormatError as error:
            problems.extend(error.problems)
            continue
        other = steps.setdefault(step.manifest.name, step)
        if other is not step:
            message = f"is the package {step.manifest.name!r}, as is {other.file}"
            problems.append(Problem(message, place=os.fspath(file)))
    after = there | {name: step.manifest for name, step in steps.items()}
    places = {name: os.fspath(folder / package.installed_as) for name, package in there.items()}
    places |= {name: os.fspath(step.file) for name, step in steps.items()}
    problems += _wrong_compilers(after, places, library)
    problems += _wrong_dependencies(after, places, folder)
    if problems:
        raise PlanError(*problems)
    return tuple(steps[name] for name in sorted(steps))


def carry_out(steps: Iterable[Step], folder: Path) -> None:
    """Do what was decided, within `changing`."""
    changed = [step for step in steps if step.how != "keep"]
    if changed:
        there = installed(folder)
        gone = [
            package.installed_as
            for package in (there.get(step.manifest.name) for step in changed)
            if package is not None
        ]
        new = {step.manifest.installed_as: step.file for step in changed}
        packages = there | {step.manifest.name: step.manifest for step in changed}
        _commit(folder, new, [name for name in gone if name not in new], packages)


def decide_removal(names: Iterable[str], folder: Path) -> tuple[PackageManifest, ...]:
    """What taking packages out means; UsageError when one is not there, PlanError when one was altered or is needed by
    others."""
    there = installed(folder)
    wanted = list(dict.fromkeys(names))
    unknown = [name for name in wanted if name not in there]
    if unknown:
        raise UsageError(*(Problem(f"is not installed in {folder}", place=name) for name in unknown))
    problems: list[Problem] = []
    for name in wanted:
        package = there[name]
        if state(folder, package) == "altered":
            problems.append(_altered(folder, package))
        users = [other.name for other in there.values() if name in {needed.name for needed in other.dependencies}]
        users = sorted(set(users) - set(wanted))
        if users:
            problems.append(Problem(f"is needed by {', '.join(users)}", place=name, hint="name those too"))
    if problems:
        raise PlanError(*problems)
    return tuple(there[name] for name in wanted)


def remove(packages: Collection[PackageManifest], folder: Path) -> None:
    """Take out what was decided, within `changing`."""
    gone = {package.name for package in packages}
    left = {name: package for name, package in installed(folder).items() if name not in gone}
    _commit(folder, {}, [package.installed_as for package in packages], left)


def _step(file: Path, folder: Path, there: Mapping[str, PackageManifest]) -> Step:
    manifest, is_described = read_described(file)
    before = there.get(manifest.name)
    problems = list(_in_the_way(manifest, folder, before))
    if problems:
        raise PlanError(*problems)
    how: How = "install"
    if before is not None:
        found = state(folder, before)
        how = "replace" if before.sha256 != manifest.sha256 else "keep" if found == "whole" else "repair"
        if how == "keep" and before != manifest:
            how = "replace"
    version = before.version if before else ""
    return Step(file=file, manifest=manifest, how=how, before=version, is_described=is_described)


def _in_the_way(manifest: PackageManifest, folder: Path, before: PackageManifest | None) -> Iterator[Problem]:
    """What lies in the folder under the package's name and is not ours."""
    if before is not None and state(folder, before) == "altered":
        yield _altered(folder, before)
    ours = before.installed_as if before else ""
    for name in (*(manifest.name + end for end in ENDS), manifest.name, f"{manifest.name}.mojo"):
        path = folder / name
        if name == ours or not (path.exists() or path.is_symlink()):
            continue
        if name == manifest.installed_as:
            yield Problem("already exists, and Packyard did not install it", place=os.fspath(path))
        else:
            message = f"would be imported as {manifest.name!r} by some compilers, instead of the package"
            yield Problem(message, place=os.fspath(path), hint="install into another folder, or remove it")


def _altered(folder: Path, package: PackageManifest) -> Problem:
    path = folder / package.installed_as
    return Problem("was changed after Packyard installed it", place=os.fspath(path), hint="remove it by hand")


def _wrong_compilers(
    after: Mapping[str, PackageManifest], places: Mapping[str, str], library: MojoPackage | None
) -> Iterator[Problem]:
    """A library folder is for one compiler: the given one, or that of its first package."""
    reference, of = library, "the compiler"
    for name in sorted(after):
        compiler = after[name].compiler
        if reference is None:
            reference, of = compiler.package, places[name]
        elif not compiler.package.fits(reference):
            message = f"fits {compiler.accepted_by}, but {of} {'is' if library else 'fits'} {reference.accepted_by}"
            hint = "a package only works with the compiler that made it"
            yield Problem(message, place=places[name], hint=hint)


def _wrong_dependencies(
    after: Mapping[str, PackageManifest], places: Mapping[str, str], folder: Path
) -> Iterator[Problem]:
    for name in sorted(after):
        for needed in after[name].dependencies:
            found = after.get(needed.name)
            if found is None:
                message = f"needs {needed.name!r} {needed.version}, which is neither given nor in {folder}"
                yield Problem(message, place=places[name], hint=f"its SHA-256 is {needed.sha256}")
            elif found.sha256 != needed.sha256:
                message = (
                    f"was compiled against a different {needed.name!r} (SHA-256 {needed.sha256[:12]}...) than "
                    f"{places[needed.name]} ({found.sha256[:12]}...)"
                )
                yield Problem(message, place=places[name], hint="install both from the same build")


def _commit(
    folder: Path, new: Mapping[FileName, Path], gone: Iterable[FileName], packages: Mapping[str, PackageManifest]
) -> None:
    staging = folder / _STAGING
    staging.mkdir()
    try:
        digests = {package.installed_as: package.sha256 for package in packages.values()}
        for name, file in new.items():
            shutil.copyfile(file, staging / name)
            if digest_file(staging / name).hex != digests[name]:
                raise ActionError(f"{file}: changed while being installed")
        (staging / RECORD).write_text(write_library(packages.values()), encoding="utf-8")
        plan = staging / f"{_PLAN}.part"
        plan.write_text(json.dumps({"new": sorted(new), "gone": sorted(gone)}), encoding="utf-8")
        plan.rename(staging / _PLAN)
    except BaseException:
        shutil.rmtree(staging)
        raise
    _finish(folder)


def _finish(folder: Path) -> None:
    """Do what a written plan says, however much of it was done; without one, take back what was laid beside."""
    staging = folder / _STAGING
    if (staging / _PLAN).is_file():
        new, gone = _read_plan(staging / _PLAN)
        for name in (*new, RECORD):
            with contextlib.suppress(FileNotFoundError):  # it is in its place already
                os.replace(staging / name, folder / name)
        for name in gone:
            (folder / name).unlink(missing_ok=True)
    shutil.rmtree(staging, ignore_errors=True)


def _read_plan(path: Path) -> tuple[tuple[FileName, ...], tuple[FileName, ...]]:
    """What a plan puts in place and takes away; FormatError when it is not one of ours. A folder may come from
    somebody else, and its plan would be carried out without a question."""
    with reading(read_json(path.read_text(encoding="utf-8"), os.fspath(path)), os.fspath(path)) as top:
        return top.parses("new", read_file_name), top.parses("gone", read_file_name)
