"""The graph: every target of the workspace, dependencies first, each artifact owned once, no cycle."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

from packyard.formats.errors import FormatError, Problem
from packyard.formats.privatekey import LOOKED_AT
from packyard.tasks import errors
from packyard.tasks.errors import PlanError
from packyard.tasks.target.keyguard import KEY_HINT
from packyard.tasks.target.kinds import Kinds
from packyard.tasks.target.packed import PackedTargets, pack_target, unpack_target
from packyard.tasks.target.target import Node, Output, Prepare, Target, Use

if TYPE_CHECKING:
    from packyard.tasks.workspace.workspace import (
        Workspace,  # with every format of a manifest, which a stored graph needs not
    )

_KEY_VARIABLE = "PACKYARD_PRIVATE_KEY"


@dataclass(frozen=True)
class Graph:
    """The targets by name, dependencies before dependants, ties by name; and the folder that the workspace names
    for the store ('' is the user's cache folder). `index` has their nodes when they are known before the targets.
    `waits` is what must be made before the graph says all that it has to: read it again then.
    `notice` is what to tell the user of it, '' when there is nothing."""

    targets: Mapping[str, Target]
    cache: str = ""
    index: Mapping[str, Node] | None = None
    waits: tuple[Prepare, ...] = ()
    notice: str = ""

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
    def needed(self) -> frozenset[str]:
        """The group `all`, and what it is made from."""
        return frozenset(self.closure(self.final))

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


def build_graph(workspace: Workspace, kinds: Kinds) -> Graph:
    """Ask every kind for its targets; PlanError with all problems of all kinds."""
    from packyard.tasks.workspace.belonging import notice  # loaded already, by the kinds

    packed: dict[str, bytes] = {}
    nodes: dict[str, Node] = {}
    outputs: dict[str, tuple[Output, ...]] = {}
    problems: list[FormatError] = []
    waits: dict[str, Prepare] = {}
    for kind, name in kinds.modules.items():
        module = importlib.import_module(name)
        made = [PackedTargets(dict(packed))] if kind in kinds.last else []
        try:
            for target in module.targets(workspace, *made):
                if target.name in packed:
                    problems.append(_twice(unpack_target(packed[target.name]), target))
                    continue
                packed[target.name] = pack_target(target)
                nodes[target.name] = target.node
                outputs[target.name] = target.outputs
                waits |= {prepare.path: prepare for prepare in target.prepares if prepare.planned}
        except FormatError as error:
            problems.append(error)
    errors.gather(problems)
    targets = PackedTargets(packed)
    unsound: list[FormatError] = []
    for name, target in targets.items():
        unknown = list(_unknown_uses(target, outputs))
        problems += unknown
        if not unknown:
            named = _with_keys(_with_named_uses(target, outputs), workspace.manifest.allow_keys)
            unsound += [*_double_inputs(named), *_strays(named), *_keys(workspace, named)]
            if named is not target:
                packed[name] = pack_target(named)
    errors.gather([*problems, *_double_owners(targets, outputs)])
    errors.gather([*unsound, *_signing_keys(workspace, targets.values())])
    order = _order(targets, nodes)
    ordered = PackedTargets({name: packed[name] for name in order})
    index = {name: nodes[name] for name in order}
    told = notice(workspace.watch)
    return Graph(ordered, workspace.manifest.cache.directory, index, tuple(waits.values()), told)


def _twice(one: Target, other: Target) -> FormatError:
    return FormatError(Problem(f"{one.name!r} is declared twice; the other is in {one.place}", place=other.place))


def _unknown_uses(target: Target, outputs: Mapping[str, Sequence[Output]]) -> Iterator[FormatError]:
    for use in target.uses:
        if use.target not in outputs:
            message = f"{target.name!r} needs {use.target!r}, which no member or tool makes"
            hint = _nearest(use.target, outputs)
        elif use.part not in [output.part for output in outputs[use.target]]:
            parts = ", ".join(repr(output.part) for output in outputs[use.target] if output.part) or "none"
            message = f"{target.name!r} needs '{use.target}#{use.part}', which has no such part (parts: {parts})"
            hint = ""
        else:
            continue
        yield FormatError(Problem(message, place=target.place, hint=hint))


def _with_named_uses(target: Target, outputs: Mapping[str, Sequence[Output]]) -> Target:
    """The target with each open `at` completed by the artifact's own file name; itself when none is open."""
    uses: list[Use] = []
    for use in target.uses:
        output = next(output for output in outputs[use.target] if output.part == use.part)
        is_open = (use.at == "" or use.at.endswith("/")) and not output.tree
        uses.append(replace(use, at=use.at + output.at.rpartition("/")[2]) if is_open else use)
    return target if tuple(uses) == target.uses else replace(target, uses=tuple(uses))


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


def _strays(target: Target) -> Iterator[FormatError]:
    """What an action reads and writes lies in its folders, and what is kept of it in the workspace, whatever names
    manifests, locks and listings brought."""
    places = [source.at for source in target.sources] + [use.at for use in target.uses]
    places += [place for output in target.outputs for place in (output.at, output.artifact or "")]
    if not _leads_out(*places):  # one look at all of them: there may be a hundred thousand
        return
    for at in filter(_leads_out, places):
        message = f"{target.name!r} would have a file at {at!r}; expected a place inside of its folder"
        yield FormatError(Problem(message, place=target.place))


def _leads_out(*paths: str) -> bool:
    text = "\0".join(("", *paths, ""))
    return any(part in text for part in ("\0/", "/../", "/..\0", "\0../", "\0..\0"))


def _keys(workspace: Workspace, target: Target) -> Iterator[FormatError]:
    """A private key is not an input of an action, so it gets into no artifact. Here those are told that can be known by
    their names; all others when they are staged, where their bytes are seen."""
    from packyard.tasks.workspace.workspace import PRIVATE_NAME  # loaded already, with the workspace

    key = workspace.manifest.sign.key
    for source in target.sources:
        if source.path == key or (source.path.endswith(PRIVATE_NAME) and not source.key):
            message = f"{target.name!r} would contain the private key '{source.path}'"
            yield FormatError(Problem(message, place=target.place, hint=KEY_HINT))


def _signing_keys(workspace: Workspace, targets: Iterable[Target]) -> Iterator[FormatError]:
    """The key that signs is let through by nothing: under no other name, as no link to it and no copy of it."""
    allowed = workspace.manifest.allow_keys
    if not allowed:
        return
    local = {target.local.get("path", "") for target in targets if target.local}
    paths = {workspace.manifest.sign.key, os.environ.get(_KEY_VARIABLE, ""), *local} - {""}
    for path in (*allowed, *paths):
        workspace.watch.expect(path)  # whatever they lead to next must be looked at again
    signing = {_start_of(workspace.root / path) for path in paths} - {b""}
    for position, path in enumerate(allowed):
        if _start_of(workspace.root / path) in signing:
            message = f"{path!r} is the key that signs bundles; expected one that is for tests alone"
            yield FormatError(Problem(message, f"workspace.allow_keys[{position}]", "packyard.toml"))


def _start_of(path: Path) -> bytes:
    """The first bytes of a file, as many as no key has; none when there is no file."""
    try:
        with path.open("rb", buffering=0) as stream:
            return stream.read(LOOKED_AT)
    except OSError:
        return b""


def _with_keys(target: Target, allowed: Sequence[str]) -> Target:
    """The target with the private keys marked that the workspace lets through; itself when there are none."""
    if not any(source.path in allowed for source in target.sources):
        return target
    return replace(
        target, sources=tuple(replace(one, key=True) if one.path in allowed else one for one in target.sources)
    )


def _nearest(name: str, targets: Iterable[str]) -> str:
    import difflib  # only on the way to an error message

    near = difflib.get_close_matches(name, list(targets), 1)
    return f"did you mean {near[0]!r}?" if near else ""


def _double_owners(targets: Mapping[str, Target], outputs: Mapping[str, Sequence[Output]]) -> Iterator[FormatError]:
    """Two targets may neither make one file nor one file inside the other's folder, also where case is ignored."""
    owners: dict[str, tuple[str, str]] = {}  # by the folded path: the owner's name, and the path as it is
    for name in outputs:
        for output in outputs[name]:
            if output.artifact is None:
                continue
            other, path = owners.setdefault(output.artifact.casefold(), (name, output.artifact))
            if other != name:
                message = f"'{output.artifact}' is made by {name!r} and by {other!r} ({targets[other].place})"
                hint = "" if path == output.artifact else f"on case-insensitive systems it is the same as '{path}'"
                yield FormatError(Problem(message, place=targets[name].place, hint=hint))
    for folded, (name, path) in owners.items():
        parent = folded
        while "/" in parent:
            parent = parent.rpartition("/")[0]
            if parent in owners:
                other, folder = owners[parent]
                message = f"'{path}' of {name!r} lies inside '{folder}' of {other!r} ({targets[other].place})"
                yield FormatError(Problem(message, place=targets[name].place))


def _order(targets: Mapping[str, Target], nodes: Mapping[str, Node]) -> list[str]:
    sorter = TopologicalSorter({name: nodes[name].needs for name in sorted(nodes)})
    try:
        return list(sorter.static_order())
    except CycleError as error:
        cycle: list[str] = error.args[1][::-1]  # graphlib gives each before what it depends on
        start = cycle.index(min(cycle))
        path = [*cycle[start:-1], *cycle[:start], cycle[start]] if start else cycle
        raise PlanError(
            Problem(f"the targets depend on each other in a cycle: {' -> '.join(path)}", place=targets[path[0]].place)
        ) from None
