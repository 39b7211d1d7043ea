"""What the files of a morloc package say, read once for all checks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from packyard.formats.errors import FormatError, Problem
from packyard.formats.morloc.reference import STANDARD
from packyard.tasks.kinds.morloc.modules import Module, read_modules
from packyard.tasks.kinds.morloc.package import Package

Level = Literal["error", "warning"]


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


def _error(code: str, package: str, problem: Problem) -> Finding:
    return Finding(level="error", code=code, package=package, problem=problem)


def _elsewhere() -> str:
    return f"in the standard set ({', '.join(STANDARD)})"


def _where(name: str) -> str:
    return f"add the package {name} to the workspace as a member"


def _reach(start: Iterable[str], edges: Mapping[str, Collection[str]]) -> set[str]:
    found = set(start)
    waiting = list(found)
    while waiting:
        new = set(edges.get(waiting.pop(), ())) - found
        found |= new
        waiting.extend(new)
    return found
