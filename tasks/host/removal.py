"""Removing folders that are no longer needed, while other work goes on.

The system's `rm` does it: a thread of ours would take turns with the working ones at each of its many calls.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from pathlib import Path

from packyard.tasks.host import process

_MANY = 64  # folders waiting to be removed; whoever adds one more waits for the first
_ENOUGH = 16  # as many folders are worth starting a program at once
_PAUSE = 0.25  # seconds after which fewer are worth it


class Disposal:
    """Folders to remove. May be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Path] = []
        self._given: list[Path] = []
        self._program: process.Program | None = None
        self._begun = time.monotonic()

    @property
    def left(self) -> list[Path]:
        """The folders not known to be gone."""
        return [*self._waiting, *self._given]

    def put(self, folder: Path) -> None:
        """Remove a folder soon."""
        with self._lock:
            self._waiting.append(folder)
            is_due = len(self._waiting) >= _ENOUGH or time.monotonic() - self._begun >= _PAUSE
            is_busy = self._program is not None and self._program.poll() is None
            if is_due and (not is_busy or len(self._waiting) >= _MANY):
                self._finish()
                self._begin()

    def settle(self) -> None:
        """Remove what is left; what cannot be removed stays."""
        with self._lock:
            self._finish()
            self._given, self._waiting = self._waiting, []
            self._finish()

    def _begin(self) -> None:
        self._given, self._waiting = self._waiting, []
        self._begun = time.monotonic()
        self._program = process.start_alone(["rm", "-rf", "--", *self._given])

    def _finish(self) -> None:
        """Wait for the program, and remove what it could not."""
        if self._program is not None:
            self._program.wait()
            self._program = None
        for folder in self._given:
            with contextlib.suppress(OSError):
                remove(folder)
        self._given = []


def remove(path: str | Path) -> None:
    """Remove a file, or a folder with all in it, if it exists; OSError if it cannot be removed."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError:  # a folder; the system has several errors for it
        if not os.path.isdir(path) or os.path.islink(path):
            raise
        try:
            shutil.rmtree(path)
        except PermissionError:  # tools leave read-only folders, and those of the store's trees are
            for folder, _, _ in os.walk(path):
                os.chmod(folder, 0o700)
            shutil.rmtree(path)
