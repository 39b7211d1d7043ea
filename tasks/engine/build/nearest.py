"""The run that is nearest to what a target would be made from now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packyard.tasks.engine.build.verdict import compare
from packyard.tasks.engine.store.key import Ingredients
from packyard.tasks.engine.store.runs import Run, recall
from packyard.tasks.engine.trace.record import Record
from packyard.tasks.target.target import Target

_GROUPS = ("inputs", "uses", "params")  # of the ingredients


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """An earlier run, and in words what differs between it and what the target would be made from now."""

    run: Run
    differences: tuple[str, ...]


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


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)  # 1 and True are equal as values
