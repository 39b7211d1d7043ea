"""Earlier runs of targets, of all workspaces that share a store: what each was made from, when and where.

store/v2/run/NAME/KEY    JSON: the time, the workspace, and the ingredients, of which KEY is the action key

The trace knows the last run in its workspace alone. A run is remembered as long as its result.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packyard.tasks.engine.store.key import key_of
from packyard.tasks.engine.store.store import FORMAT, RUNS, Store

_COMPARED = 50  # runs of one target, the youngest


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a target's action: its key, when (Unix time) and in which workspace it was, and from what."""

    key: str
    at: float
    where: str
    ingredients: Mapping[str, Any]


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


def _folder(store: Path, name: str) -> Path:
    return store / RUNS / name.replace("/", "=")  # no name holds a '='
