"""Earlier runs of targets, of all workspaces that share a store: what each was made from, when and where.

store/v1/run/NAME/KEY    JSON: the time, the workspace, and the ingredients, of which KEY is the action key

The trace knows the last run in its workspace alone. A run is remembered as long as its result.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packyard.tasks.engine.build.verdict import compare
from packyard.tasks.engine.execute.action import Ingredients, key_of
from packyard.tasks.engine.store.store import FORMAT, RUNS, Store
from packyard.tasks.engine.trace.trace import Record
from packyard.tasks.target.target import Target

_COMPARED = 50  # runs of one target, the youngest
_GROUPS = ("inputs", "uses", "params")  # of the ingredients


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a target's action: its key, when (Unix time) and in which workspace it was, and from what."""

    key: str
    at: float
    where: str
    ingredients: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """An earlier run, and in words what differs between it and what the target would be made from now."""

    run: Run
    differences: tuple[str, ...]


def remember(store: Store, name: str, run: Run) -> None:
    """Keep a run of the target `name`; ActionError when the store cannot be written."""
    values = {"at": run.at, "where": run.where, "ingredients": run.ingredients}
    store.write(_folder(store.folder, name) / run.key, json.dumps(values, separators=(",", ":")).encode())


def recall(store: Path, name: str) -> Iterator[Run]:
    """The last runs of the target `name` that the store in this folder knows, the youngest first; there may be no
    store."""
    try:
        with os.scandir(_folder(store / FORMAT, name)) as entries:
            found = sorted(((entry.stat().st_mtime_ns, entry.path) for entry in entries), reverse=True)
    except OSError:
        return
    for _, path in found[:_COMPARED]:
        if (run := read_run(Path(path))) is not None:
            yield run


def read_run(path: Path) -> Run | None:
    """The run that a file tells of, None when it is gone or was altered: its name is the key of what it holds."""
    try:
        values = json.loads(path.read_bytes())
        run = Run(key=path.name, at=float(values["at"]), where=str(values["where"]), ingredients=values["ingredients"])
        return run if key_of(values["ingredients"]) == path.name else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def compare_nearest(store: Path, target: Target, now: Ingredients, last: Record | None) -> Comparison | None:
    """The run that shares most with what `target` would be made from now, of those that the store in this folder
    knows, and of equal ones the youngest. None when the `last` one in this workspace shares as much, or no run shares
    any file, artifact or parameter."""
    most, best = _shared(last.ingredients, now) if last else 0, None
    if last and most == sum(len(now[group]) for group in _GROUPS):
        return None  # as when Packyard itself is another one, which makes every target stale
    for run in recall(store, target.name):
        if (number := _shared(run.ingredients, now)) > most:
            most, best = number, run
    return Comparison(run=best, differences=tuple(compare(target, best.ingredients, now))) if best else None


def _shared(then: Mapping[str, Any], now: Mapping[str, Any]) -> int:
    """How many files, artifacts and parameters are the same."""
    return sum(
        key in then[group] and _text(then[group][key]) == _text(value)
        for group in _GROUPS
        for key, value in now[group].items()
    )


def _folder(store: Path, name: str) -> Path:
    return store / RUNS / name.replace("/", "=")  # no name holds a '='


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)  # 1 and True are equal as values
