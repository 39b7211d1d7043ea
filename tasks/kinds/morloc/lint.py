"""What is wrong or doubtful with morloc packages, as values: an error stops a build, a warning only a strict reader.

The compiler installs a package with a missing sourced file, a wrong header or an import that nothing provides, and
reports success; here each is an error before anything is made.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from packyard.formats.errors import FormatError, Problem
from packyard.formats.morloc.ignore import glob_expression
from packyard.formats.morloc.installerscan import scan_as_compiler
from packyard.formats.morloc.reference import STANDARD
from packyard.formats.morloc.resolution import find_cycle
from packyard.formats.morloc.source import Sourced
from packyard.formats.versionrange import read_range
from packyard.tasks.kinds.morloc.package import MANIFEST, Module, Package, gitignored, needs_of, read_modules, resolve

Level = Literal["error", "warning"]
_CPP = ("cpp", "c++", "c")
_FOREIGN = frozenset({".py", ".r", ".R", ".cpp", ".cc", ".c", ".hpp", ".hh", ".h", ".rs", ".jl", ".fut"})
_ASIDE = re.compile(
    r"(?:^|/)(?:tests?|examples?|docs?|bench(?:marks?)?)/|(?:^|/)(?:test_[^/]*|conftest\.py|setup\.py)$"
)
_BOOLEANS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false"})
_SHOWN = 5  # files named in one warning


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found. `package` is whose it is; `code` names its kind ('undeclared-import'), for programs."""

    level: Level
    code: str
    package: str
    problem: Problem

    def __str__(self) -> str:
        return f"{self.level}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Scan:
    """Packages with all their modules that can be reached; `unread` are those that could not be scanned, by package."""

    packages: Mapping[str, Package]
    modules: Mapping[str, list[Module]]  # by package, entries first
    unread: tuple[tuple[str, FormatError], ...]


def scan(packages: Mapping[str, Package]) -> Scan:
    """Read every module of `packages`."""
    unread: list[tuple[str, FormatError]] = []
    modules: dict[str, list[Module]] = {name: [] for name in packages}
    for module in read_modules(packages, unread):
        modules[module.package.name].append(module)
    return Scan(packages, modules, tuple(unread))


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


def find_warnings(scanned: Scan, known: Collection[str] = ()) -> Iterator[Finding]:
    """What deserves a look, package by package."""
    names = {*scanned.packages, *known, *STANDARD}
    cpp = _loaded_with_cpp(scanned)
    for package in scanned.packages.values():
        yield from _warnings(package, scanned.modules[package.name], names, in_cpp=package.name in cpp)


def _error(code: str, package: str, problem: Problem) -> Finding:
    return Finding(level="error", code=code, package=package, problem=problem)


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
        message = f"has no entry file, main.loc or {package.name}.loc was expected"
        yield "no-entry", Problem(message, place=package.folder or ".")
    if package.member:
        yield from _unknown_dependencies(package, names, place)
    exposed = {"cpp": manifest.expose.cpp, "py": manifest.expose.py, "r": manifest.expose.r}
    wanted = [(f"expose.{lang}[{n}]", path) for lang, paths in exposed.items() for n, path in enumerate(paths)]
    for key, path in [*([("setup", manifest.setup)] if manifest.setup else []), *wanted]:
        expression = re.compile(rf"{glob_expression(path)}(?:/.*)?", re.DOTALL)
        if not any(expression.fullmatch(file) for file in package.files):
            yield "missing-file", Problem(f"{path!r} is no file of the package", key, place)
    for file in sorted(package.files, key=os.fsencode):
        goal = package.content.link(file)
        if goal and _leaves(file, goal):
            yield "link-outside", Problem(f"is a link out of the package, to {goal!r}", place=package.path(file))
        elif goal and posixpath.normpath(posixpath.join(posixpath.dirname(file), goal)) not in package.files:
            message = f"is a link to {goal!r}, which is no file of the package"
            yield "dangling-link", Problem(message, place=package.path(file))


def _unknown_dependencies(package: Package, names: Collection[str], place: str) -> Iterator[tuple[str, Problem]]:
    manifest = package.manifest
    keys = [(f"dependencies[{n}]", name) for n, name in enumerate(manifest.dependencies)]
    keys += [(f"x-packyard.requires.{name}", name) for name in manifest.requires]
    for key, name in keys:
        if name in manifest.native or name in names:
            continue
        message = f"{name!r} is neither a member nor {_elsewhere()}"
        hint = f"a library to link is named in x-packyard too: {{native: [{name}]}}"
        yield "unknown-dependency", Problem(message, key, place, hint if key.startswith("d") else _where(name))


def _range_errors(package: Package, packages: Mapping[str, Package]) -> Iterator[Finding]:
    """The ranges that another package here does not lie in: no lock and no home could hold both."""
    for name, text in package.manifest.requires.items() if package.member else ():
        other = packages.get(name)
        if other is not None and not read_range(text).admits(other.manifest.version):
            message = f"{text!r} does not admit version {other.manifest.version} of {name!r} ({other.path(MANIFEST)})"
            problem = Problem(message, f"x-packyard.requires.{name}", package.path(MANIFEST))
            yield _error("out-of-range", package.name, problem)


def _elsewhere() -> str:
    return f"in the standard set ({', '.join(STANDARD)})"


def _where(name: str) -> str:
    return f"add the package {name} to the workspace as a member"


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
        yield "no-header", Problem(f"has no module header, 'module {name} (...)' was expected", place=module.path)
    elif len(named) > 1:
        found = ", ".join(f"{header.name!r} in line {header.line}" for header in named)
        yield (
            "several-headers",
            Problem(f"declares several modules ({found}), one was expected", place=module.path),
        )
    elif named[0].name != name:
        message = f"the module is named {named[0].name!r}, the name of the package, {name!r}, was expected"
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
    expected = f"the file {package.path(path)!r} was expected"
    return "missing-source", f"{sourced.path!r} is sourced but missing, {expected}"


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
            message = f"{imported.name!r} is imported but missing, {levels}.loc or {levels}/main.loc was expected"
            yield "missing-module", Problem(message, where, module.path)
        name = imported.package
        if imported.local or name == package.name or name in reported or not package.member:
            continue
        reported.add(name)
        if owner is None and name not in names:
            message = f"{name!r} is imported but neither a member nor {_elsewhere()}"
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
        message = f"the packages need each other: {' -> '.join(path)}"
        yield _error("package-cycle", path[0], Problem(message, place=packages[path[0]].path(MANIFEST)))
    if path := find_cycle(files):
        message = f"the modules import each other: {' -> '.join(path)}"
        yield _error("module-cycle", owners[path[0]], Problem(message, place=path[0]))


# warnings ------------------------------------------------------------------------------------------------------


def _warnings(package: Package, modules: list[Module], names: Collection[str], *, in_cpp: bool) -> Iterator[Finding]:
    found = [*_manifest_warnings(package, names, in_cpp=in_cpp), *_import_warnings(package, modules)]
    found += _file_warnings(package, modules)
    for code, problem in found:
        yield Finding(level="warning", code=code, package=package.name, problem=problem)
    for problem in package.warnings:
        yield Finding(level="warning", code="foreign-manifest", package=package.name, problem=problem)


def _manifest_warnings(package: Package, names: Collection[str], *, in_cpp: bool) -> Iterator[tuple[str, Problem]]:
    place, manifest = package.path(MANIFEST), package.manifest
    if package.name.lower() in _BOOLEANS:
        message = f"{package.name!r} is true or false in YAML unless it is quoted"
        yield "name-boolean", Problem(message, "name", place)
    elif package.name != package.name.lower():
        message = f"{package.name!r} has upper-case letters, and the compiler refuses such a module header"
        yield "name-upper-case", Problem(message, "name", place)
    if package.entry and package.entry != "main.loc":
        message = f"the package is installed, but 'import {package.name}' finds no file of this name"
        yield "entry-name", Problem(message, place=package.path(package.entry), hint="call it main.loc")
    if not in_cpp:
        return
    for position, name in enumerate(manifest.dependencies):
        if name in names and name not in manifest.native:
            message = (
                f"to the compiler {name!r} is also a library, and it links the C++ parts of programs with -l{name}"
            )
            hint = f"declare it by x-packyard: {{requires: {{{name}: '*'}}}}, which the compiler does not read"
            yield "link-flag", Problem(message, f"dependencies[{position}]", place, hint)


def _import_warnings(package: Package, modules: list[Module]) -> Iterator[tuple[str, Problem]]:
    place = package.path(MANIFEST)
    imports = {imported.package for module in modules for imported in module.source.imports if not imported.local}
    entry = next((module for module in modules if module.file == package.entry), None)
    if package.member and entry is not None:
        for name in package.manifest.declared:
            if name not in imports:
                yield "unused-dependency", Problem(f"{name!r} is declared but not imported", "dependencies", place)
    for pin in package.manifest.morloc_dependencies:
        if pin.name not in imports:
            message = f"{pin.name!r} is pinned but not imported"
            yield "unused-pin", Problem(message, "morloc-dependencies", place)
    for module in modules:
        for imported in module.source.imports:
            if imported.local:
                message = f"{imported.name!r} is looked for beside the entry file of the program that is compiled"
                hint = f"import {package.name}{imported.name}, or nobody can import this package"
                yield "local-import", Problem(message, f"line {imported.line}", module.path, hint)
    if entry is not None:
        yield from _scan_warnings(package, entry, imports)


def _scan_warnings(package: Package, entry: Module, imports: Collection[str]) -> Iterator[tuple[str, Problem]]:
    """Where the compiler's installer would fetch something else than the package needs."""
    seen = set(scan_as_compiler(package.content.text(entry.file)))
    own = {imported.package for imported in entry.source.imports if not imported.local}
    lines = {imported.package: imported.line for imported in reversed(entry.source.imports)}
    for name in sorted(own - seen - {package.name}):
        message = f"the compiler's installer does not see the import of {name!r}"
        hint = f"write 'import {name}' at the start of a line, with one blank"
        yield "import-unseen", Problem(message, f"line {lines[name]}", entry.path, hint)
    for name in sorted(seen - own - {package.name}):
        message = f"the compiler's installer takes {name!r} for an import, but it stands in a comment or string"
        yield "import-mistaken", Problem(message, place=entry.path)
    for name in sorted({*imports} - own - seen - {package.name}):
        message = f"{name!r} is imported in sub-modules only, so the compiler's installer does not fetch it"
        yield "import-in-submodule", Problem(message, place=entry.path, hint=f"import {name} in {entry.file} too")


def _file_warnings(package: Package, modules: list[Module]) -> Iterator[tuple[str, Problem]]:
    sourced = {
        posixpath.normpath(posixpath.join(posixpath.dirname(module.file), path))
        for module in modules
        for path in (*(s.path for s in module.source.sources if s.path), *(d.path for d in module.source.datafiles))
    }
    if package.manifest.include is not None:
        patterns = [re.compile(rf"{glob_expression(p)}(?:/.*)?", re.DOTALL) for p in package.manifest.include]
        for file in sorted(sourced & package.files, key=os.fsencode):
            if not any(pattern.fullmatch(file) for pattern in patterns):
                message = f"{file!r} is sourced but not included, an installed program lacks it"
                yield "not-included", Problem(message, "include", package.path(MANIFEST))
    for link in package.content.folder_links({posixpath.dirname(file) for file in package.files}):
        message = "is a link to a folder, and so left out of the package"
        yield "folder-link", Problem(message, place=package.path(link))
    if unused := _unreferenced(package, sourced):
        message = f"no module sources {_listed(unused)}"
        yield "unreferenced-file", Problem(message, place=package.folder or ".")
    if dropped := sorted(gitignored(package.content, package.files)):
        message = f"{_listed(dropped)}: git leaves it out, but it belongs to the package"
        hint = "name it in .morlocignore too, or set gitignore = true in [morloc] of packyard.toml"
        yield "gitignored-file", Problem(message, place=package.folder or ".", hint=hint)


def _unreferenced(package: Package, sourced: Collection[str]) -> list[str]:
    """Files of other languages that nothing sources, exposes or seems to mention."""
    manifest = package.manifest
    patterns = (*manifest.expose.cpp, *manifest.expose.py, *manifest.expose.r, *(manifest.include or ()))
    expressions = [re.compile(rf"{glob_expression(pattern)}(?:/.*)?", re.DOTALL) for pattern in patterns]
    candidates = [
        file
        for file in package.files
        if posixpath.splitext(file)[1] in _FOREIGN and file not in sourced and not _ASIDE.search(file)
        and not any(file.startswith(f"{path}/") or path == "." for path in sourced)
        and not any(expression.fullmatch(file) for expression in expressions)
    ]  # fmt: skip
    if not candidates:
        return []
    readable = [file for file in {*sourced, *candidates} if file in package.files]
    texts = {}
    for file in readable:
        try:
            texts[file] = package.content.text(file)
        except FormatError:
            texts[file] = ""
    mentioned = " ".join(texts[file] for file in readable if file in sourced)
    waiting = sorted(candidates)
    while True:  # what a mentioned file mentions is mentioned
        more = [file for file in waiting if re.search(rf"\b{re.escape(PurePosixPath(file).stem)}\b", mentioned)]
        if not more:
            return [file for file in waiting if PurePosixPath(file).stem != "__init__"]
        waiting = [file for file in waiting if file not in more]
        mentioned = " ".join(texts[file] for file in more)


def _loaded_with_cpp(scanned: Scan) -> set[str]:
    """The packages that some program may load together with C++ code, as far as it can be seen here."""
    packages, of = scanned.packages, scanned.modules
    needs = {name: set(needs_of(package, of[name])) for name, package in packages.items()}
    sources = {
        name
        for name in packages
        if any(s.language.lower() in _CPP for module in of[name] for s in module.source.sources)
        or any(need.endswith("-cpp") for need in needs[name])
    }
    users: dict[str, set[str]] = defaultdict(set)
    for name, wanted in needs.items():
        for need in wanted:
            users[need].add(name)
    return _reach(_reach(sources, users), needs)  # whoever loads C++, and all that it loads


def _reach(start: Iterable[str], edges: Mapping[str, Collection[str]]) -> set[str]:
    found = set(start)
    waiting = list(found)
    while waiting:
        new = set(edges.get(waiting.pop(), ())) - found
        found |= new
        waiting.extend(new)
    return found


def _listed(files: list[str]) -> str:
    shown = ", ".join(repr(file) for file in files[:_SHOWN])
    return f"{shown} and {len(files) - _SHOWN} more" if len(files) > _SHOWN else shown
