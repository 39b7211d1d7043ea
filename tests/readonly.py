"""Read-only trees, as the store and planes keep them, for tests that damage them as an ordinary user."""

from __future__ import annotations

from pathlib import Path


def open_up(path: Path) -> Path:
    """Let the owner write to a file or folder and to all below it; gives it back."""
    for each in (path, *path.rglob("*")) if path.is_dir() else (path,):
        if not each.is_symlink():
            each.chmod(each.stat().st_mode | 0o200)
    return path
