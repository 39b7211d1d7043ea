"""What is wrong or doubtful with morloc packages, as values: an error stops a build, a warning only a strict reader.

The compiler installs a package with a missing sourced file, a wrong header or an import that nothing provides, and
reports success; here each is an error before anything is made.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath

from packyard.formats.errors import Problem
from packyard.formats.morloc.ignore import glob_expression
from packyard.formats.morloc.reference import STANDARD
from packyard.formats.morloc.resolution import find_cycle
from packyard.formats.morloc.source import Sourced
from packyard.formats.versionrange import read_range
from packyard.tasks.kinds.morloc.lintwarnings import _CPP, find_warnings
from packyard.tasks.kinds.morloc.modules import Module, resolve
from packyard.tasks.kinds.morloc.package import MANIFEST, Package
from packyard.tasks.kinds.morloc.scan import Finding, Scan, _elsewhere, _error, _where, scan


def lint(packages: Mapping[str, Package], known: Collection[str] = (), *, root: str = "") -> list[Finding]:
    """Everything found in `packages`: errors, then warnings."""
    scanned = scan(packages)
    return [*find_errors(scanned, known, root=root), *find_warnings(scanned, known)]


def find_errors(scanned: Scan, known: Collection[str] = (), *, root: str = "") -> Iterator[Finding]:
    """What must be mended, package by package in the order of their names.

    `known` are packages that are not here but can be had: locked, vendored, or with a source of their own. `root`
    is what the folder of the workspace itself is called.
    """
    names = {*scanned.packages, *known, *STANDARD}
    for name, error in scanned.unread:
        for problem in error.problems:
            yield _error("unreadable-module", name, problem)
    for package in scanned.packages.values():
        yield from _package_errors(package, names, root)
        yield from _range_errors(package, scanned.packages)
        for module in scanned.modules[package.name]:
            yield from _module_errors(module, scanned.packages, names)
    yield from _cycles(scanned)


# errors of a package -------------------------------------------------------------------------------------------


def _package_errors(package: Package, names: Collection[str], root: str) -> Iterator[Finding]:
    for code, problem in _package_problems(package, names, root):
        yield _error(code, package.name, problem)


def _package_problems(package: Package, names: Collection[str], root: str) -> Iterator[tuple[str, Problem]]:
    place = package.path(MANIFEST)
    manifest = package.manifest
    folder = PurePosixPath(package.folder).name or root
    if package.member and folder != package.name:
        hint = "a package is found by the name of its folder"
        yield "folder-name", Problem(f"{package.name!r} is not the name of the folder, {folder!r}", "name", place, hint)
    if not package.entry:
        message = f"has no entry file; expected main.loc or {package.name}.loc"
        yield "no-entry", Problem(message, place=package.folder or ".")
    if package.member:
        yield from _unknown_dependencies(package, names, place)
    exposed = {"cpp": manifest.expose.cpp, "py": manifest.expose.py, "r": manifest.expose.r}
    wanted = [(f"expose.{lang}[{n}]", path) for lang, paths in exposed.items() for n, path in enumerate(paths)]
    for key, path in [*([("setup", manifest.setup)] if manifest.setup else []), *wanted]:
        expression = re.compile(rf"{glob_expression(path)}(?:/.*)?", re.DOTALL)
        if not any(expression.fullmatch(file) for file in package.files):
            yield "missing-file", Problem(f"{path!r} is not a file of the package", key, place)
    for file in sorted(package.files, key=os.fsencode):
        goal = package.content.link(file)
        if goal and _leaves(file, goal):
            yield "link-outside", Problem(f"is a link that leaves the package, to {goal!r}", place=package.path(file))
        elif goal and posixpath.normpath(posixpath.join(posixpath.dirname(file), goal)) not in package.files:
            message = f"is a link to {goal!r}, which is not a file of the package"
            yield "dangling-link", Problem(message, place=package.path(file))


def _unknown_dependencies(package: Package, names: Collection[str], place: str) -> Iterator[tuple[str, Problem]]:
    manifest = package.manifest
    keys = [(f"dependencies[{n}]", name) for n, name in enumerate(manifest.dependencies)]
    keys += [(f"x-packyard.requires.{name}", name) for name in manifest.requires]
    for key, name in keys:
        if name in manifest.native or name in names:
            continue
        message = f"{name!r} is neither a member nor {_elsewhere()}"
        hint = f"also name a library to link in x-packyard: {{native: [{name}]}}"
        yield "unknown-dependency", Problem(message, key, place, hint if key.startswith("d") else _where(name))


def _range_errors(package: Package, packages: Mapping[str, Package]) -> Iterator[Finding]:
    """The ranges that another package here does not lie in: no lock and no home could hold both."""
    for name, text in package.manifest.requires.items() if package.member else ():
        other = packages.get(name)
        if other is not None and not read_range(text).admits(other.manifest.version):
            message = f"{text!r} does not admit version {other.manifest.version} of {name!r} ({other.path(MANIFEST)})"
            problem = Problem(message, f"x-packyard.requires.{name}", package.path(MANIFEST))
            yield _error("out-of-range", package.name, problem)


def _leaves(file: str, goal: str) -> bool:
    path = posixpath.normpath(posixpath.join(posixpath.dirname(file), goal))
    return goal.startswith("/") or path == ".." or path.startswith("../")


# errors of a module --------------------------------------------------------------------------------------------


def _module_errors(module: Module, packages: Mapping[str, Package], names: Collection[str]) -> Iterator[Finding]:
    for code, problem in _module_problems(module, packages, names):
        yield _error(code, module.package.name, problem)


def _module_problems(
    module: Module, packages: Mapping[str, Package], names: Collection[str]
) -> Iterator[tuple[str, Problem]]:
    if module.file == module.package.entry:
        yield from _header_problems(module)
    for sourced in module.source.sources:
        if sourced.path and (found := _sourced_problem(module, sourced)):
            yield found[0], Problem(found[1], f"line {sourced.line}", module.path)
    yield from _import_problems(module, packages, names)


def _header_problems(module: Module) -> Iterator[tuple[str, Problem]]:
    name = module.package.name
    named = [header for header in module.source.headers if header.name]
    if not named:
        yield "no-header", Problem(f"has no module header; expected 'module {name} (...)'", place=module.path)
    elif len(named) > 1:
        found = ", ".join(f"{header.name!r} in line {header.line}" for header in named)
        yield (
            "several-headers",
            Problem(f"declares several modules ({found}); expected one", place=module.path),
        )
    elif named[0].name != name:
        message = f"the module is named {named[0].name!r}; expected the package's name, {name!r}"
        yield "header-name", Problem(message, f"line {named[0].line}", module.path)


def _sourced_problem(module: Module, sourced: Sourced) -> tuple[str, str] | None:
    package, language = module.package, sourced.language.lower()
    path = posixpath.normpath(posixpath.join(posixpath.dirname(module.file), sourced.path))
    if sourced.path.startswith("/") or path == ".." or path.startswith("../"):
        return "source-outside", f"{sourced.path!r} is sourced from outside the package"
    if language in _CPP and "/" not in sourced.path and "." not in sourced.path:
        return None  # an installed header or library
    if path in package.files:
        return None
    if path in package.ignored:
        return "source-ignored", f"{sourced.path!r} is sourced but left out by .morlocignore"
    if language in ("rust", "rs") and any(path == "." or file.startswith(f"{path}/") for file in package.files):
        return None  # a crate's folder
    expected = f"expected the file {package.path(path)!r}"
    return "missing-source", f"{sourced.path!r} is sourced but missing; {expected}"


def _import_problems(
    module: Module, packages: Mapping[str, Package], names: Collection[str]
) -> Iterator[tuple[str, Problem]]:
    package = module.package
    reported: set[str] = set()
    for imported in module.source.imports:
        where = f"line {imported.line}"
        owner, file = resolve(packages, package, imported)
        if owner is not None and owner.entry and not file:
            levels = imported.name.partition(".")[2].replace(".", "/")
            message = f"{imported.name!r} is imported but missing; expected {levels}.loc or {levels}/main.loc"
            yield "missing-module", Problem(message, where, module.path)
        name = imported.package
        if imported.local or name == package.name or name in reported or not package.member:
            continue
        reported.add(name)
        if owner is None and name not in names:
            message = f"{name!r} is imported but is neither a member nor {_elsewhere()}"
            yield "unknown-import", Problem(message, where, module.path, _where(name))
        elif name not in package.manifest.declared:
            hint = f"add {name} to dependencies in {package.path(MANIFEST)}"
            yield (
                "undeclared-import",
                Problem(f"{name!r} is imported but not declared", where, module.path, hint),
            )


# cycles --------------------------------------------------------------------------------------------------------


def _cycles(scanned: Scan) -> Iterator[Finding]:
    """Packages that need each other, and files of one package that do."""
    packages = scanned.packages
    needs = {package.name: set(package.manifest.declared) for package in packages.values()}
    files: dict[str, set[str]] = {}
    owners: dict[str, str] = {}
    for module in (module for name in packages for module in scanned.modules[name]):
        below = files.setdefault(module.path, set())
        owners[module.path] = module.package.name
        for imported in module.source.imports:
            owner, file = resolve(packages, module.package, imported)
            if owner is module.package:
                below.update([owner.path(file)] if file else [])
            elif owner is not None:
                needs[module.package.name].add(owner.name)
    if path := find_cycle(needs):
        message = f"the packages depend on each other in a cycle: {' -> '.join(path)}"
        yield _error("package-cycle", path[0], Problem(message, place=packages[path[0]].path(MANIFEST)))
    if path := find_cycle(files):
        message = f"the modules import each other in a cycle: {' -> '.join(path)}"
        yield _error("module-cycle", owners[path[0]], Problem(message, place=path[0]))


# warnings ------------------------------------------------------------------------------------------------------
