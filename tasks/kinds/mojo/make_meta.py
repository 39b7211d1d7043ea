"""Assemble the sources of a meta-package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packyard.formats.mojo.source import move_imports
from packyard.tasks.target.room import Room


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaParams:
    """What makes a package a meta-package: its parts whose imports move below it, and for a flat one what each part
    exports."""

    moved: tuple[str, ...]
    exports: Mapping[str, tuple[str, ...]]


def assemble(room: Room[object], name: str, meta: MetaParams) -> Path:
    """The sources of the meta-package `name` as they are compiled: imports moved, and the `__init__.mojo` above its
    parts."""
    staged, folder = room.inputs / "package", room.scratch / "package"
    for path in sorted(staged.rglob("*.mojo")):
        place = folder / path.relative_to(staged)
        place.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_bytes().decode("utf-8")
        place.write_bytes(move_imports(text, meta.moved, name).encode("utf-8"))
    lines = [f"from .{part} import {', '.join(names)}\n" for part, names in meta.exports.items() if names]
    (folder / name / "__init__.mojo").write_text("".join(lines), encoding="utf-8")
    (room.scratch / "deps").symlink_to(room.inputs / "deps")
    return folder
