"""What this Packyard is: its version, its files, and their digest."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

TASKS = Path(__file__).resolve().parents[1]
FOLDERS = (TASKS, TASKS.parent / "formats")  # packyard.tasks and packyard.formats, installed or in a checkout
LINK = TASKS.parent / "typings"  # in a checkout: where both have their full names


def own_files() -> list[Path]:
    """Packyard's own files, sorted."""
    return sorted(path for folder in FOLDERS for path in folder.rglob("*.py"))


@cache
def own_digest() -> str:
    """The digest of this Packyard: a fixed writer must never be served the bytes of an earlier one."""
    state = hashlib.sha256()
    for path in own_files():
        content = path.read_bytes()
        state.update(f"{path.relative_to(TASKS.parent)} {len(content)}\n".encode())
        state.update(content)
    return state.hexdigest()


def version() -> str:
    """The version of this Packyard."""
    from importlib.metadata import PackageNotFoundError  # slow to import, and most runs do not need it
    from importlib.metadata import version as installed

    try:
        return installed("packyard")
    except PackageNotFoundError:
        return "0 (not installed)"
