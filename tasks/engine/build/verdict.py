"""The plan: for each target fresh, stale or waiting, and why. It reads; only the stat memo is ever written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from packyard.tasks.engine.store.key import Ingredients
from packyard.tasks.engine.trace.record import Record
from packyard.tasks.target.target import Target
from packyard.tasks.workspace.memo import Look

State = Literal["fresh", "stale", "waiting"]
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a target must be made, and the reasons, the decisive ones first. A waiting target is decided again
    when the targets it waits for are done."""

    state: State
    reasons: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.state}: {'; '.join(self.reasons)}" if self.reasons else self.state


FRESH = Verdict("fresh")
NEVER_MADE = Verdict("stale", ("it was never built here",))


def judge(target: Target, record: Record | None, now: Ingredients, artifacts: Mapping[str, Look | None]) -> Verdict:
    """Compare what a target was made from with what it would be made from now, and its artifacts with what came out."""
    if record is None:
        return NEVER_MADE
    reasons = (*compare(target, record.ingredients, now), *_altered(record, artifacts))
    return Verdict("stale", reasons) if reasons else FRESH


def compare(target: Target, then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What differs between two sets of ingredients, in words: files first, then targets, parameters, tools."""
    paths = {source.at: source.path for source in target.sources}
    yield from _differences(then["inputs"], now["inputs"], lambda at: paths.get(at, at))
    yield from _differences(then["uses"], now["uses"], lambda use: use.removesuffix("#"))
    if _text(then["params"]) != _text(now["params"]):  # text, because 1 and True are equal and give other keys
        yield from _parameters(then["params"], now["params"], "")
    if then["run"] != now["run"] or then["outputs"] != now["outputs"]:
        yield "the build function or its declared outputs changed"
    if then["packyard"] != now["packyard"]:
        yield "Packyard itself changed"
    if then["python"] != now["python"]:
        yield f"Python changed from {then['python']} to {now['python']}"


def _differences(then: Mapping[str, Any], now: Mapping[str, Any], name: Any) -> Iterator[str]:
    for key in now:
        if key not in then:
            yield f"{name(key)} is new"
        elif then[key] != now[key]:
            same_bytes = isinstance(now[key], str) and then[key][1:] == now[key][1:]
            yield f"{name(key)} {'changed its mode' if same_bytes else 'changed'}"
    for key in then:
        if key not in now:
            yield f"{name(key)} is gone"


def _parameters(then: Any, now: Any, where: str) -> Iterator[str]:
    if isinstance(then, dict) and isinstance(now, dict):
        for key in sorted({*then, *now}):
            yield from _parameters(then.get(key), now.get(key), f"{where}.{key}" if where else key)
    elif _text(then) != _text(now):
        yield f"{where} changed from {_show(then)} to {_show(now)}"


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _show(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _altered(record: Record, artifacts: Mapping[str, Look | None]) -> Iterator[str]:
    for part, path in record.artifacts.items():
        look = artifacts.get(path)
        made = record.outputs[part]
        if look is None:
            yield f"{path} is missing"
        elif look.digest.hex() != made.digest or look.executable != made.executable:
            yield f"{path} was changed"
