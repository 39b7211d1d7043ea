"""The receipt of a stored tree: its files and links in one text, written and checked."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from packyard.tasks.errors import ActionError

_CHUNK = 1 << 20


def _copy(source: Path, target: Path) -> tuple[str, int]:
    """Copy bytes to a new file; their SHA-256 and size."""
    state = hashlib.sha256()
    size = 0
    with source.open("rb", buffering=0) as reading, target.open("xb", buffering=0) as writing:
        while chunk := reading.read(_CHUNK):
            state.update(chunk)
            size += len(chunk)
            view = memoryview(chunk)
            while view:
                view = view[writing.write(view) :]
    return state.hexdigest(), size


def _sorted(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"), key=lambda path: os.fsencode(path.relative_to(folder)))


def _copy_entry(path: Path, source: Path, target: Path) -> str:
    """Copy one entry of a tree; its line of the receipt."""
    relative = path.relative_to(source)
    place = target / relative
    if path.is_symlink():
        os.symlink(_inner_link(path, source), place)
        return f"l {os.readlink(path)} {relative.as_posix()}"
    if path.is_dir():
        place.mkdir()
        return ""
    executable = bool(path.stat().st_mode & stat.S_IXUSR)
    digest, size = _copy(path, place)
    place.chmod(0o555 if executable else 0o444)
    return _line(relative, executable, size, digest)


def _move_entry(path: Path, target: Path) -> str:
    """The line of the receipt for an entry of a tree that was moved to `target`; its file becomes the store's alone."""
    relative = path.relative_to(target)
    if path.is_symlink():
        return f"l {_inner_link(path, target)} {relative.as_posix()}"
    if path.is_dir():
        return ""
    found = path.stat()
    executable = bool(found.st_mode & stat.S_IXUSR)
    if found.st_nlink > 1:  # it has another name somewhere, by which it could be written to
        aside = path.with_name(f"{path.name}.own")
        digest, size = _copy(path, aside)
        os.replace(aside, path)
    else:
        with path.open("rb") as stream:
            digest, size = hashlib.file_digest(stream, "sha256").hexdigest(), found.st_size
    path.chmod(0o555 if executable else 0o444)
    return _line(relative, executable, size, digest)


def _line(relative: Path, executable: bool, size: int, digest: str) -> str:
    return f"{'x' if executable else '-'} {size} {digest} {relative.as_posix()}"


def _inner_link(link: Path, root: Path) -> str:
    goal = os.readlink(link)
    inside = os.path.normpath(os.path.join(link.parent, goal))
    if os.path.isabs(goal) or not inside.startswith(f"{root}{os.sep}"):
        raise ActionError(f"'{link.relative_to(root)}' is a link that leaves its tree, to {goal!r}")
    return goal
