"""The graph: every target of the workspace, dependencies first, each artifact owned once, no cycle."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from packyard.formats.errors import FormatError, Problem
from packyard.tasks import errors
from packyard.tasks.errors import PlanError
from packyard.tasks.target import Node, Target, Use

if TYPE_CHECKING:
    from packyard.tasks.workspace import Workspace  # with every format of a manifest, which a stored graph needs not

# Each module offers targets(workspace), its targets. A kind never imports another: they meet in the graph.
KINDS = (
    "toolchain",
    "launcher",
    "runtime",
    "buildenv",
    "wheel",
    "dist",
    "env",
    "slot",
    "bundle",
    "hook",
    "mojo",
    "morloc",
    "plane",
    "archive",
    "docs",
    "cleanroom",
    "installer",
    "guide",
)
LAST = ("installer", "guide")  # tell of what the others make: their targets(workspace, made) gets the targets so far


@dataclass(frozen=True)
class Graph:
    """The targets by name, dependencies before dependants, ties by name; and the folder that the workspace names
    for the store ('' is the user's cache folder). `index` has their nodes when they are known before the targets."""

    targets: Mapping[str, Target]
    cache: str = ""
    index: Mapping[str, Node] | None = None

    @cached_property
    def nodes(self) -> Mapping[str, Node]:
        """What is asked of every target, in the order of the targets."""
        return self.index or {name: target.node for name, target in self.targets.items()}

    @cached_property
    def dependents(self) -> Mapping[str, tuple[str, ...]]:
        """The direct dependants of each target."""
        found: dict[str, list[str]] = {name: [] for name in self.nodes}
        for name, node in self.nodes.items():
            for other in node.needs:
                found[other].append(name)
        return {name: tuple(names) for name, names in found.items()}

    @cached_property
    def final(self) -> tuple[str, ...]:
        """The group `all`: every target whose artifact is meant for users."""
        return tuple(name for name, node in self.nodes.items() if node.final)

    @cached_property
    def owners(self) -> Mapping[str, str]:
        """The artifacts that the workspace keeps, and the target that makes each."""
        return {path: name for name, node in self.nodes.items() for path in node.artifacts}

    def closure(self, names: Iterable[str]) -> list[str]:
        """`names` and all they are made from, dependencies first."""
        wanted: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in wanted:
                wanted.add(name)
                waiting.extend(self.nodes[name].needs)
        return [name for name in self.nodes if name in wanted]


def build_graph(workspace: Workspace) -> Graph:
    """Ask every kind for its targets; PlanError with all problems of all kinds."""
    targets: dict[str, Target] = {}
    problems: list[FormatError] = []
    for kind in KINDS:
        module = importlib.import_module(f"packyard.tasks.{kind}")
        try:
            for target in module.targets(workspace, dict(targets)) if kind in LAST else module.targets(workspace):
                other = targets.setdefault(target.name, target)
                if other is not target:
                    problems.append(_twice(target.name, other, target))
        except FormatError as error:
            problems.append(error)
    if not problems:
        problems = [*_unknown_uses(targets), *_double_owners(targets)]
    errors.gather(problems)
    targets = {name: _with_named_uses(target, targets) for name, target in targets.items()}
    errors.gather(problem for target in targets.values() for problem in _double_inputs(target))
    errors.gather(_keys(workspace, targets))
    return Graph({name: targets[name] for name in _order(targets)}, workspace.manifest.cache.directory)


def _twice(name: str, one: Target, other: Target) -> FormatError:
    return FormatError(Problem(f"{name!r} is declared twice, also in {one.place}", place=other.place))


def _unknown_uses(targets: Mapping[str, Target]) -> list[FormatError]:
    problems: list[FormatError] = []
    for target in targets.values():
        for use in target.uses:
            maker = targets.get(use.target)
            if maker is None:
                message = f"{target.name!r} needs {use.target!r}, which no member or tool makes"
                hint = _nearest(use.target, targets)
            elif use.part not in {output.part for output in maker.outputs}:
                parts = ", ".join(repr(output.part) for output in maker.outputs if output.part) or "none"
                message = f"{target.name!r} needs '{use.target}#{use.part}', which has no such part (parts: {parts})"
                hint = ""
            else:
                continue
            problems.append(FormatError(Problem(message, place=target.place, hint=hint)))
    return problems


def _with_named_uses(target: Target, targets: Mapping[str, Target]) -> Target:
    """The target with each open `at` completed by the artifact's own file name."""
    uses: list[Use] = []
    for use in target.uses:
        output = next(output for output in targets[use.target].outputs if output.part == use.part)
        is_open = (use.at == "" or use.at.endswith("/")) and not output.tree
        uses.append(replace(use, at=use.at + output.at.rpartition("/")[2]) if is_open else use)
    return replace(target, uses=tuple(uses)) if uses else target


def _double_inputs(target: Target) -> Iterator[FormatError]:
    """An action finds each of its inputs at a place of its own."""
    found: dict[str, str] = {}
    places = [(source.at, f"'{source.path}'") for source in target.sources]
    places += [(use.at, repr(f"{use.target}#{use.part}".rstrip("#"))) for use in target.uses if use.at]
    for at, who in places:
        other = found.setdefault(at, who)
        if other is not who:
            message = f"{target.name!r} would find both {other} and {who} at '{at}'"
            yield FormatError(Problem(message, place=target.place))


def _keys(workspace: Workspace, targets: Mapping[str, Target]) -> Iterator[FormatError]:
    """A private key is no input of an action, so it gets into no artifact."""
    from packyard.tasks.workspace import PRIVATE_NAME  # loaded already, with the workspace

    key = workspace.manifest.sign.key
    for target in targets.values():
        for source in target.sources:
            if source.path == key or source.path.endswith(PRIVATE_NAME):
                message = f"{target.name!r} would hold the private key '{source.path}'"
                hint = "exclude it, or keep keys outside of what is packed"
                yield FormatError(Problem(message, place=target.place, hint=hint))


def _nearest(name: str, targets: Iterable[str]) -> str:
    import difflib  # only on the way to an error message

    near = difflib.get_close_matches(name, list(targets), 1)
    return f"did you mean {near[0]!r}?" if near else ""


def _double_owners(targets: Mapping[str, Target]) -> list[FormatError]:
    """Two targets may neither make one file nor one file inside the other's folder, also where case is ignored."""
    owners: dict[str, tuple[Target, str]] = {}  # by the folded path: the owner, and the path as it is
    problems: list[FormatError] = []
    for target in targets.values():
        for output in target.outputs:
            if output.artifact is None:
                continue
            other, path = owners.setdefault(output.artifact.casefold(), (target, output.artifact))
            if other is not target:
                message = f"'{output.artifact}' is made by {target.name!r} and by {other.name!r} ({other.place})"
                hint = "" if path == output.artifact else f"systems that ignore case take it for '{path}'"
                problems.append(FormatError(Problem(message, place=target.place, hint=hint)))
    for folded, (target, path) in owners.items():
        parent = folded
        while "/" in parent:
            parent = parent.rpartition("/")[0]
            if parent in owners:
                other, folder = owners[parent]
                message = f"'{path}' of {target.name!r} lies inside '{folder}' of {other.name!r} ({other.place})"
                problems.append(FormatError(Problem(message, place=target.place)))
    return problems


def _order(targets: Mapping[str, Target]) -> list[str]:
    sorter = TopologicalSorter({name: sorted(targets[name].dependencies) for name in sorted(targets)})
    try:
        return list(sorter.static_order())
    except CycleError as error:
        cycle: list[str] = error.args[1][::-1]  # graphlib gives each before what it depends on
        start = cycle.index(min(cycle))
        path = [*cycle[start:-1], *cycle[:start], cycle[start]] if start else cycle
        raise PlanError(
            Problem(f"the targets depend on each other in a cycle: {' -> '.join(path)}", place=targets[path[0]].place)
        ) from None
