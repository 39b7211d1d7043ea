"""The kind `morloc`: packages that are checked more strictly than their compiler does, and archived.

The compiler installs a package with a missing sourced file, a wrong header or an import that nothing provides,
and reports success; here each is an error before anything is made.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import PurePosixPath

from packyard.formats.entry import Entry
from packyard.formats.errors import FormatError, Problem
from packyard.formats.gzipped import COMPRESSOR, LEVELS, compressing
from packyard.formats.morlocignore import glob_expression
from packyard.formats.morlocsource import Sourced
from packyard.formats.tarball import write_tar
from packyard.tasks.errors import PlanError, gather
from packyard.tasks.morlocpackage import MANIFEST, Module, Package, read_modules, read_packages, resolve
from packyard.tasks.room import Room
from packyard.tasks.target import Output, Source, Target
from packyard.tasks.workspace import Workspace

# What every morloc installation has.
STANDARD = ("internal", "root", "root-py", "root-cpp", "root-r", "math")
_CPP = ("cpp", "c++", "c")


def targets(workspace: Workspace) -> Iterator[Target]:
    """One target for each morloc member; PlanError with everything that is wrong with any of them."""
    packages = read_packages(workspace)
    errors: list[FormatError] = []
    modules = read_modules(workspace.watch, packages, errors)
    problems = [problem for package in packages.values() for problem in _package_problems(workspace, package, packages)]
    problems += [problem for module in modules for problem in _module_problems(module, packages)]
    problems += _cycle_problems(packages, modules)
    gather([*errors, *([PlanError(*problems)] if problems else [])])
    for package in packages.values():
        yield _target(workspace, package)


def make_archive(room: Room) -> None:
    """Write the staged package as one archive."""
    files = (path for path in room.inputs.rglob("*") if path.is_file())
    entries = [
        Entry(path.relative_to(room.inputs).as_posix(), path, bool(path.stat().st_mode & stat.S_IXUSR))
        for path in files
    ]
    with (room.outputs / room.params["name"]).open("wb") as out, compressing(out, level=room.params["level"]) as packed:
        write_tar(entries, packed, epoch=room.params["epoch"])


def _target(workspace: Workspace, package: Package) -> Target:
    file = f"{package.name}-{package.manifest.version}.morloc.tar.gz"
    return Target(
        name=f"morloc:{package.name}",
        doc=f"the morloc package {package.name} {package.manifest.version}",
        place=package.path(MANIFEST),
        run="packyard.tasks.morloc:make_archive",
        params={"name": file, "epoch": workspace.epoch, "compressor": COMPRESSOR, "level": LEVELS["small"]},
        sources=tuple(
            Source(path=package.path(name), at=f"{package.name}/{name}")
            for name in sorted(package.files, key=os.fsencode)
        ),
        outputs=(Output(at=file, artifact=f"dist/{file}"),),
        final=True,
    )


def _package_problems(workspace: Workspace, package: Package, packages: Mapping[str, Package]) -> Iterator[Problem]:
    place = package.path(MANIFEST)
    manifest = package.manifest
    folder = PurePosixPath(package.folder).name or workspace.root.name
    if folder != package.name:
        hint = "a package is found by the name of its folder"
        yield Problem(f"{package.name!r} is not the name of the folder, {folder!r}", "name", place, hint)
    if not package.entry:
        yield Problem(f"has no entry file, main.loc or {package.name}.loc was expected", place=package.folder or ".")
    for position, name in enumerate(manifest.dependencies):
        if name not in manifest.native and name not in packages and name not in STANDARD:
            message = f"{name!r} is neither a member nor in the standard set ({', '.join(STANDARD)})"
            hint = f"a library to link is named in x-packyard too: {{native: [{name}]}}"
            yield Problem(message, f"dependencies[{position}]", place, hint)
    exposed = {"cpp": manifest.expose.cpp, "py": manifest.expose.py, "r": manifest.expose.r}
    wanted = [(f"expose.{lang}[{n}]", path) for lang, paths in exposed.items() for n, path in enumerate(paths)]
    for key, path in [*([("setup", manifest.setup)] if manifest.setup else []), *wanted]:
        if not any(re.fullmatch(rf"{glob_expression(path)}(?:/.*)?", file) for file in package.files):
            yield Problem(f"{path!r} is no file of the package", key, place)


def _module_problems(module: Module, packages: Mapping[str, Package]) -> Iterator[Problem]:
    if module.file == module.package.entry:
        yield from _header_problems(module)
    for sourced in module.source.sources:
        if sourced.path and (message := _sourced_problem(module, sourced)):
            yield Problem(message, f"line {sourced.line}", module.path)
    yield from _import_problems(module, packages)


def _header_problems(module: Module) -> Iterator[Problem]:
    name = module.package.name
    named = [header for header in module.source.headers if header.name]
    if not named:
        yield Problem(f"has no module header, 'module {name} (...)' was expected", place=module.path)
    elif len(named) > 1:
        found = ", ".join(f"{header.name!r} in line {header.line}" for header in named)
        yield Problem(f"declares several modules ({found}), one was expected", place=module.path)
    elif named[0].name != name:
        message = f"the module is named {named[0].name!r}, the name of the package, {name!r}, was expected"
        yield Problem(message, f"line {named[0].line}", module.path)


def _sourced_problem(module: Module, sourced: Sourced) -> str:
    package, language = module.package, sourced.language.lower()
    path = posixpath.normpath(posixpath.join(posixpath.dirname(module.file), sourced.path))
    if sourced.path.startswith("/") or path == ".." or path.startswith("../"):
        return f"{sourced.path!r} is sourced from outside the package"
    if language in _CPP and "/" not in sourced.path and "." not in sourced.path:
        return ""  # an installed header or library
    if path in package.files:
        return ""
    if path in package.ignored:
        return f"{sourced.path!r} is sourced but left out by .morlocignore"
    if language in ("rust", "rs") and any(path == "." or file.startswith(f"{path}/") for file in package.files):
        return ""  # a crate's folder
    return f"{sourced.path!r} is sourced but missing, the file {package.path(path)!r} was expected"


def _import_problems(module: Module, packages: Mapping[str, Package]) -> Iterator[Problem]:
    package = module.package
    reported: set[str] = set()
    for imported in module.source.imports:
        where = f"line {imported.line}"
        owner, file = resolve(packages, package, imported)
        if owner is not None and owner.entry and not file:
            levels = imported.name.partition(".")[2].replace(".", "/")
            message = f"{imported.name!r} is imported but missing, {levels}.loc or {levels}/main.loc was expected"
            yield Problem(message, where, module.path)
        name = imported.package
        if imported.local or name == package.name or name in reported:
            continue
        reported.add(name)
        if owner is None and name not in STANDARD:
            message = f"{name!r} is imported but neither a member nor in the standard set ({', '.join(STANDARD)})"
            yield Problem(message, where, module.path, f"add the package {name} to the workspace as a member")
        elif name not in package.manifest.dependencies:
            hint = f"add {name} to dependencies in {package.path(MANIFEST)}"
            yield Problem(f"{name!r} is imported but not declared", where, module.path, hint)


def _cycle_problems(packages: Mapping[str, Package], modules: Iterable[Module]) -> Iterator[Problem]:
    """Members that need each other, and files of one member that do."""
    needs = {p.name: {*p.manifest.dependencies} - {*p.manifest.native} for p in packages.values()}
    files: dict[str, set[str]] = {}
    for module in modules:
        below = files.setdefault(module.path, set())
        for imported in module.source.imports:
            owner, file = resolve(packages, module.package, imported)
            if owner is module.package:
                below.update([owner.path(file)] if file else [])
            elif owner is not None:
                needs[module.package.name].add(owner.name)
    if path := _cycle(needs):
        yield Problem(f"the packages need each other: {' -> '.join(path)}", place=packages[path[0]].path(MANIFEST))
    if path := _cycle(files):
        yield Problem(f"the modules import each other: {' -> '.join(path)}", place=path[0])


def _cycle(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """A path from a node back to itself, from the first of its nodes; [] when there is none."""
    sorter = TopologicalSorter({name: sorted(needs[name]) for name in sorted(needs)})
    try:
        sorter.prepare()
    except CycleError as error:
        path = list(reversed(error.args[1]))[1:]  # graphlib names dependencies before what needs them
        start = path.index(min(path))
        return [*path[start:], *path[:start], path[start]]
    return []
