"""What works in a morloc package, but may surprise."""

from __future__ import annotations

import os
import posixpath
import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from pathlib import PurePosixPath

from packyard.formats.errors import FormatError, Problem
from packyard.formats.morloc.ignore import glob_expression
from packyard.formats.morloc.installerscan import scan_as_compiler
from packyard.formats.morloc.reference import STANDARD
from packyard.tasks.kinds.morloc.modules import Module, needs_of
from packyard.tasks.kinds.morloc.package import MANIFEST, Package, gitignored
from packyard.tasks.kinds.morloc.scan import Finding, Scan, _reach

_CPP = ("cpp", "c++", "c")
_FOREIGN = frozenset({".py", ".r", ".R", ".cpp", ".cc", ".c", ".hpp", ".hh", ".h", ".rs", ".jl", ".fut"})
_ASIDE = re.compile(
    r"(?:^|/)(?:tests?|examples?|docs?|bench(?:marks?)?)/|(?:^|/)(?:test_[^/]*|conftest\.py|setup\.py)$"
)
_BOOLEANS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false"})
_SHOWN = 5  # files named in one warning


def find_warnings(scanned: Scan, known: Collection[str] = ()) -> Iterator[Finding]:
    """What deserves a look, package by package."""
    names = {*scanned.packages, *known, *STANDARD}
    cpp = _loaded_with_cpp(scanned)
    for package in scanned.packages.values():
        yield from _warnings(package, scanned.modules[package.name], names, in_cpp=package.name in cpp)


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
        message = f"the package is installed, but 'import {package.name}' finds no file with this name"
        yield "entry-name", Problem(message, place=package.path(package.entry), hint="call it main.loc")
    if not in_cpp:
        return
    for position, name in enumerate(manifest.dependencies):
        if name in names and name not in manifest.native:
            message = (
                f"the compiler also treats {name!r} as a library, and links the C++ parts of programs with -l{name}"
            )
            hint = f"declare it with x-packyard: {{requires: {{{name}: '*'}}}}, which the compiler does not read"
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
                message = f"{imported.name!r} is looked up beside the entry file of the program being compiled"
                hint = f"import {package.name}{imported.name}, or nothing can import this package"
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
        hint = f"write 'import {name}' at the start of a line, with one space"
        yield "import-unseen", Problem(message, f"line {lines[name]}", entry.path, hint)
    for name in sorted(seen - own - {package.name}):
        message = f"the compiler's installer takes {name!r} for an import, but it is in a comment or string"
        yield "import-mistaken", Problem(message, place=entry.path)
    for name in sorted({*imports} - own - seen - {package.name}):
        message = f"{name!r} is imported only in submodules, so the compiler's installer does not fetch it"
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
                message = f"{file!r} is sourced but not included; an installed program lacks it"
                yield "not-included", Problem(message, "include", package.path(MANIFEST))
    for link in package.content.folder_links({posixpath.dirname(file) for file in package.files}):
        message = "is a link to a folder, so it is left out of the package"
        yield "folder-link", Problem(message, place=package.path(link))
    if unused := _unreferenced(package, sourced):
        message = f"no module sources {_listed(unused)}"
        yield "unreferenced-file", Problem(message, place=package.folder or ".")
    if dropped := sorted(gitignored(package.content, package.files)):
        message = f"{_listed(dropped)}: git ignores it, but it belongs to the package"
        hint = "also name it in .morlocignore, or set gitignore = true in [morloc] of packyard.toml"
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


def _listed(files: list[str]) -> str:
    shown = ", ".join(repr(file) for file in files[:_SHOWN])
    return f"{shown} and {len(files) - _SHOWN} more" if len(files) > _SHOWN else shown
