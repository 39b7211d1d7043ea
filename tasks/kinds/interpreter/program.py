"""The program of an interpreter below its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from packyard.tasks.target.room import Room


def program_in(room: Room[Any], target: str, wanted: str) -> Path:
    """In an action: the program that `build_program` arranged for, given its path as `python`."""
    given: str = room.local.get("python") or room.params.get("python", "")
    return Path(given) if given else room.trees[target] / "bin" / f"python{wanted}"
