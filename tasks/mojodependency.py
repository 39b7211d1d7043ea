"""What a Mojo package needs of the others: declared dependencies and their ranges, imports, cycles, the closure."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from packyard.formats.errors import FormatError, Problem
from packyard.formats.mojosource import scan_imports
from packyard.formats.versionrange import read_range
from packyard.tasks.compiler import bare_modules
from packyard.tasks.errors import PlanError, gather
from packyard.tasks.mojopackage import Package
from packyard.tasks.watch import Watch


def dependencies(
    packages: Sequence[Package], files: Mapping[str, Sequence[str]], watch: Watch, version: str
) -> dict[str, tuple[Package, ...]]:
    """For each package, by name, all packages that must lie on the import path, those of dependencies included.

    `files` are the sources of each; `version` is the compiler's. FormatError with each dependency that is unknown
    or out of range, each import of a member that is not declared, or the path of a cycle.
    """
    direct: dict[str, set[str]] = {}
    problems: list[FormatError] = []
    for package in packages:
        try:
            declared = _declared(package, packages, version)
            direct[package.name] = declared | _imported(
                package, declared, packages, files[package.name], watch, version
            )
        except FormatError as error:
            problems.append(error)
    gather(problems)
    by_name = {package.name: package for package in packages}
    closure: dict[str, set[str]] = {}
    for name in _order(direct, by_name):
        closure[name] = direct[name].union(*(closure[other] for other in direct[name]))
    return {name: tuple(by_name[other] for other in sorted(closure[name])) for name in closure}


def _declared(package: Package, packages: Sequence[Package], version: str) -> set[str]:
    """The import names of what [dependencies] lists, by distribution or by import name."""
    problems: list[Problem] = []
    declared: set[str] = set()
    for name, text in package.manifest.dependencies.items():
        key = f"dependencies.{name}"
        found = [other for other in packages if name in (other.name, other.manifest.name)]
        members = sorted({other.member.name: other for other in found}.values(), key=lambda other: other.place)
        if not found:
            known = {spelling for other in packages for spelling in (other.name, other.manifest.name)}
            near = difflib.get_close_matches(name, sorted(known), 1)
            hint = f"did you mean {near[0]!r}?" if near else ""
            problems.append(Problem(f"{name!r} is no Mojo package of this workspace", key, package.place, hint))
            continue
        if len(members) > 1:
            places = " and ".join(f"{other.place} ({other.manifest.name})" for other in members)
            message = f"{name!r} can be one of two, {places}: the other name of the one that is meant was expected"
            problems.append(Problem(message, key, package.place))
            continue
        problems.extend(_out_of_range(package, members[0], key, text))
        for other in found:
            if other.name in bare_modules(version):
                message = f"{other.name!r} is hidden from imports by the module of this name in Mojo {version} itself"
                hint = "give the package another import name, or take Mojo 1.0.0 or later"
                problems.append(Problem(message, key, package.place, hint))
        declared.update(other.name for other in found)
    if problems:
        raise PlanError(*problems)
    return declared


def _out_of_range(package: Package, other: Package, key: str, text: str) -> list[Problem]:
    try:
        admitted = read_range(text).admits(other.manifest.version)
    except FormatError as error:
        return [Problem(error.problems[0].message, key, package.place)]
    if admitted:
        return []
    message = f"{text!r} does not admit version {other.manifest.version} of {other.manifest.name!r} ({other.place})"
    return [Problem(message, key, package.place)]


def _imported(
    package: Package, declared: set[str], packages: Sequence[Package], files: Sequence[str], watch: Watch, version: str
) -> set[str]:
    """The packages of the same manifest that the sources import; those of others must be declared."""
    others = {other.name: other for other in packages if other.name not in {package.name, *bare_modules(version)}}
    problems: list[Problem] = []
    found: set[str] = set()
    for path in files:
        for top, line in _first_imports(watch.text(path)).items():
            other = others.get(top)
            if other is None or top in declared:
                continue
            if other.member is package.member:
                found.add(top)
                continue
            message = f"imports {top!r} of {other.place}, which {package.place} does not declare"
            hint = f'add {other.manifest.name} = "{other.manifest.version}" to its [dependencies]'
            problems.append(Problem(message, place=f"{path}:{line}", hint=hint))
    if problems:
        raise PlanError(*problems)
    return found


def _first_imports(text: str) -> dict[str, int]:
    """The top-level packages that a source imports by absolute names, each with the first line that does."""
    lines: dict[str, int] = {}
    for found in scan_imports(text):
        if found.level == 0:
            lines.setdefault(found.module.partition(".")[0], found.line)
    return lines


def _order(direct: Mapping[str, set[str]], by_name: Mapping[str, Package]) -> list[str]:
    """Each package behind what it needs; PlanError with the path of a cycle."""
    try:
        return list(TopologicalSorter({name: sorted(direct[name]) for name in sorted(direct)}).static_order())
    except CycleError as error:
        cycle: list[str] = error.args[1][::-1]  # graphlib gives each before what it is needed by
        start = cycle.index(min(cycle))
        path = [*cycle[start:-1], *cycle[: start + 1]]
        shown = " -> ".join(by_name[name].target for name in path)
        raise PlanError(
            Problem(
                f"the targets depend on each other in a cycle: {shown}",
                place=by_name[path[0]].place,
                hint="Mojo packages that import each other can only be compiled as one package",
            )
        ) from None
