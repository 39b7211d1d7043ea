"""The table of kinds, as whoever opens a workspace hands it to the engine, which knows no kind by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Kinds:
    """`modules` names for each kind the module that offers `targets(workspace)`, in the order in which they are asked.
    Those in `last` tell of what all the others make: their `targets(workspace, made)` gets the targets so far."""

    modules: Mapping[str, str] = field(default_factory=dict)
    last: Collection[str] = ()
