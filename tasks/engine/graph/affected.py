"""Which targets a change touches: by their own inputs and declarations, or through what they are made from."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import asdict

from packyard.tasks.engine.graph.graph import Graph
from packyard.tasks.target.target import Target

_PEOPLE = ("doc", "place", "sources")  # only for people, or compared file by file


def affected(now: Graph, then: Graph | None, changed: Set[str]) -> dict[str, tuple[str, ...]]:
    """The targets of `now` that may come out otherwise than those of `then`, dependencies first, each with the
    reasons. `changed` are the files that differ; a `then` of None was no workspace, so everything is new."""
    found: dict[str, tuple[str, ...]] = {}
    for name, target in now.targets.items():
        reasons = [*_own_reasons(target, None if then is None else then.targets.get(name), changed)]
        reasons += [f"made from {other}" for other in target.dependencies if other in found]
        if reasons:
            found[name] = tuple(reasons)
    return found


def _own_reasons(now: Target, then: Target | None, changed: Set[str]) -> list[str]:
    paths = _paths(now)
    if then is None:
        return ["it is new"]
    before = _paths(then)
    reasons = [f"{path} {_fate(path, paths, before)}" for path in {**paths, **before} if path in changed]
    moved = any(paths[path] != before[path] for path in paths if path in before)
    if moved or _declared(now) != _declared(then):
        reasons.append(f"its declaration changed ({now.place})")
    return reasons


def _paths(target: Target) -> Mapping[str, str]:
    return {source.path: source.at for source in target.sources}


def _fate(path: str, now: Mapping[str, str], then: Mapping[str, str]) -> str:
    return "changed" if path in now and path in then else "is new" if path in now else "is gone"


def _declared(target: Target) -> dict[str, object]:
    return {key: value for key, value in asdict(target).items() if key not in _PEOPLE}
