"""The table of kinds, as whoever opens a workspace hands it to the engine, which knows no kind by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Kinds:
    """`modules` names for each kind the module that has `targets(workspace)`, in the order they are called. Those in
    `last` describe what all the others make: their `targets(workspace, made)` gets the targets so far."""

    modules: Mapping[str, str] = field(default_factory=dict)
    last: Collection[str] = ()
