"""Locks between processes: a file held by flock, so that a killed holder frees it at once."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive(path: Path, *, waiting: Callable[[], None] | None = None, keep: bool = False) -> Iterator[None]:
    """Hold the lock file `path` exclusively; `waiting` is called once if another process has it. Removed at the end
    unless `keep`."""
    lock = _take(path, waiting)
    try:
        yield
    finally:
        if not keep:
            path.unlink(missing_ok=True)
        os.close(lock)


def try_exclusive(path: Path) -> int | None:
    """The descriptor of the lock if nobody has it, otherwise None; the caller closes it."""
    lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _names(path, lock):
            return lock
    os.close(lock)
    return None


def take_shared(path: Path, *, waiting: Callable[[], None] | None = None) -> int:
    """The descriptor of the lock, shared with others; `waiting` is called once if another process holds it exclusively.
    The caller closes it."""
    return _take(path, waiting, fcntl.LOCK_SH)


def _take(path: Path, waiting: Callable[[], None] | None, how: int = fcntl.LOCK_EX) -> int:
    while True:
        lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting is not None:
                waiting()
                waiting = None
            fcntl.flock(lock, how)
        if _names(path, lock):
            return lock
        os.close(lock)


def _names(path: Path, lock: int) -> bool:
    """Whether the lock is still on the file of this name: a holder before us may have removed it, and then nobody else
    would see our lock."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(lock), os.stat(path))
    return False
