"""The plain way: the action's function is called in this process, in a folder that holds its declared inputs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from packyard.tasks.engine.execute.action import invoke
from packyard.tasks.engine.execute.executor import Action, Inputs
from packyard.tasks.engine.execute.local import run_here
from packyard.tasks.engine.store.store import Result, Store
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Json


@dataclass(frozen=True, slots=True)
class Plain:
    """Actions of the workspace at `root`, in this process."""

    root: Path
    store: Store
    reuses: bool = True

    def run(self, action: Action, inputs: Inputs) -> Result:
        """As Executor.run."""
        return run_here(action, inputs, self.root, self.store, _invoke)


def _invoke(run: str, room: Room[Json]) -> None:
    invoke(run, room)
