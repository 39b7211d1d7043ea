"""Assemble the sources of a meta-package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from packyard.formats.mojo.source import move_imports
from packyard.tasks.target.room import Room


def assemble(room: Room[Any]) -> Path:
    """The sources of a meta-package as they are compiled: imports moved, and the `__init__.mojo` above its parts."""
    name, meta = room.params["name"], room.params["meta"]
    staged, folder = room.inputs / "package", room.scratch / "package"
    for path in sorted(staged.rglob("*.mojo")):
        place = folder / path.relative_to(staged)
        place.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_bytes().decode("utf-8")
        place.write_bytes(move_imports(text, meta["moved"], name).encode("utf-8"))
    lines = [f"from .{part} import {', '.join(names)}\n" for part, names in meta["exports"].items() if names]
    (folder / name / "__init__.mojo").write_text("".join(lines), encoding="utf-8")
    (room.scratch / "deps").symlink_to(room.inputs / "deps")
    return folder
