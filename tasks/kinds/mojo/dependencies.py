"""What a Mojo package needs of the others: declared dependencies and their ranges, imports, cycles, the closure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import semver
from packyard.formats.errors import FormatError, Problem
from packyard.formats.mojo.source import imported_packages, scan_imports
from packyard.formats.versionrange import read_range
from packyard.tasks.errors import PlanError, gather
from packyard.tasks.kinds.mojo.compiler import bare_modules
from packyard.tasks.kinds.mojo.package import Package, nearest_hint
from packyard.tasks.workspace.watch import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What one package needs: `direct` is imported or declared, `all` must lie on the import path.

    `cycle` is a way from the package back to itself ('a', 'b', 'a'), or empty: in one, it cannot be compiled alone,
    only together with all of `knot`, which need each other.
    """

    direct: tuple[Package, ...]
    all: tuple[Package, ...]
    cycle: tuple[Package, ...] = ()
    knot: tuple[Package, ...] = ()


def dependencies(packages: Sequence[Package], files: Mapping[str, Sequence[str]], watch: Watch) -> dict[str, Needs]:
    """What each package needs of the others, by import name.

    `files` are the sources of each. FormatError with each dependency that is unknown, out of range or of another
    compiler, and each import of a member that is not declared.
    """
    direct: dict[str, set[str]] = {}
    problems: list[FormatError] = []
    by_name = {package.name: package for package in packages}
    spelled: dict[str, list[Package]] = {}
    for package in packages:
        for spelling in {package.name, package.manifest.name}:
            spelled.setdefault(spelling, []).append(package)
    for package in packages:
        if package.parts:
            continue
        try:
            declared = _declared(package, packages, spelled)
            direct[package.name] = declared | _imported(package, declared, by_name, files[package.name], watch)
        except FormatError as error:
            problems.append(error)
    gather(problems)
    for package in packages:
        if package.parts:
            inside = {package.name, *(part.name for part in package.parts)}
            direct[package.name] = set().union(*(direct[part.name] for part in package.parts)) - inside

    def named(names: Iterable[str]) -> tuple[Package, ...]:
        return tuple(by_name[name] for name in names)

    ways = {name: _ways(name, direct) for name in direct}
    return {
        name: Needs(
            direct=named(sorted(direct[name])),
            all=named(sorted(ways[name])),
            cycle=named(ways[name].get(name, ())),
            knot=named(other for other in sorted(ways[name]) if name in ways[other]),
        )
        for name in direct
    }


def together(knot: Sequence[Package], packages: Sequence[Package], name: str) -> str:
    """The `[[meta]]` block, as packyard.toml writes it, that makes one package of those that need each other.

    It is called `name` unless a package is already.
    """
    parts = [package.name for package in knot]
    taken = {package.name for package in packages} | {package.label for package in packages}
    free = (text for text in (name, "_".join(parts), f"{'_'.join(parts)}_together"))
    chosen = next((text for text in free if not text[0].isdigit() and not {text, text.replace("-", "_")} & taken), name)
    version = max((package.manifest.version for package in knot), key=semver.Version.parse)
    members = ", ".join(f'"{part}"' for part in parts)
    return f'[[meta]]\nname = "{chosen}"\nversion = "{version}"\nmembers = [{members}]'


def _declared(package: Package, packages: Sequence[Package], spelled: Mapping[str, Sequence[Package]]) -> set[str]:
    """The import names of what [dependencies] lists, by distribution or by import name."""
    version = package.compiler
    problems: list[Problem] = []
    declared: set[str] = set()
    for name, text in package.manifest.dependencies.items():
        key = f"dependencies.{name}"
        found = spelled.get(name, ())
        members = sorted({other.member.name: other for other in found}.values(), key=lambda other: other.place)
        if not found:
            message = f"{name!r} is not a Mojo package of this workspace"
            problems.append(Problem(message, key, package.place, nearest_hint(name, packages)))
            continue
        if package in found:
            problems.append(Problem("is the package itself; remove this line", key, package.place))
            continue
        if len(members) > 1:
            places = " and ".join(f"{other.place} ({other.manifest.name})" for other in members)
            message = f"{name!r} is ambiguous ({places}); expected the other name of the one you mean"
            problems.append(Problem(message, key, package.place))
            continue
        problems.extend(_out_of_range(package, members[0], key, text))
        for other in found:
            if other.compiler != version:
                message = f"{other.name!r} is compiled with Mojo {other.compiler}, but this package with {version}"
                hint = "a package can only import packages made by the same compiler"
                problems.append(Problem(message, key, package.place, hint))
            if other.name in bare_modules(version):
                message = f"{other.name!r} is hidden from imports by the module of this name in Mojo {version} itself"
                hint = "give the package another import name, or use Mojo 1.0.0 or later"
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
    package: Package, declared: set[str], by_name: Mapping[str, Package], files: Sequence[str], watch: Watch
) -> set[str]:
    """The packages of the same manifest that the sources import; those of others must be declared."""
    hidden = {package.name, *bare_modules(package.compiler)}
    problems: list[Problem] = []
    found: set[str] = set()
    for path in files:
        for top in watch.scan(path, imported_packages):
            other = by_name.get(top)
            if other is None or top in hidden or top in declared:
                continue
            if other.member is package.member:
                found.add(top)
                continue
            message = f"imports {top!r} of {other.place}, which {package.place} does not declare"
            hint = f'add {other.manifest.name} = "{other.manifest.version}" to its [dependencies]'
            problems.append(Problem(message, place=f"{path}:{_first_line(watch.text(path), top)}", hint=hint))
    if problems:
        raise PlanError(*problems)
    return found


def _first_line(text: str, package: str) -> int:
    """The line of the first import of a package."""
    return next(
        found.line for found in scan_imports(text) if (found.module.partition(".")[0], found.level) == (package, 0)
    )


def _ways(start: str, direct: Mapping[str, set[str]]) -> dict[str, tuple[str, ...]]:
    """Everything that is needed from `start` on, each with a shortest way to it; `start` itself only in a cycle."""
    ways: dict[str, tuple[str, ...]] = {}
    waiting: list[tuple[str, ...]] = [(start,)]
    for way in waiting:
        for name in sorted(direct[way[-1]] - ways.keys()):
            ways[name] = (*way, name)
            if name != start:
                waiting.append(ways[name])
    return ways
