"""The program of an interpreter, as an action finds it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from packyard.tasks.target.room import Room


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonParams:
    """A Python that an action runs: its `version` ('3.12') and the full path of its `program`; where that is '', the
    action's `local` says where it is on this machine, or it lies in the tree of the target `runtime`."""

    version: str
    program: str
    runtime: str


def program_in(room: Room[object], python: PythonParams) -> Path:
    """In an action: the program that `choice.python_for` arranged for."""
    given: str = room.local.get("python") or python.program
    return Path(given) if given else room.trees[python.runtime] / "bin" / f"python{python.version}"
