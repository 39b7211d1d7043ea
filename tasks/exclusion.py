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
    """Hold the lock file `path` alone; `waiting` is called once when somebody else has it. Removed at the end
    unless `keep`."""
    lock = _take(path, waiting)
    try:
        yield
    finally:
        if not keep:
            path.unlink(missing_ok=True)
        os.close(lock)


def try_exclusive(path: Path) -> int | None:
    """The descriptor of the lock when nobody has it, else None; the caller closes it."""
    lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return lock
    os.close(lock)
    return None


def _take(path: Path, waiting: Callable[[], None] | None) -> int:
    while True:
        lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting is not None:
                waiting()
                waiting = None
            fcntl.flock(lock, fcntl.LOCK_EX)
        # The holder before us may have removed the file: then our lock is on a name nobody else will see.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), os.stat(path)):
                return lock
        os.close(lock)
