"""The lock that a run holds: one at a time in a workspace."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from packyard.tasks.engine.store.blobs import full_or
from packyard.tasks.host.filelock import exclusive
from packyard.tasks.nullpath import FOLDER


class RunLock:
    """The lock of the workspace at `root`. `held` is the descriptor by which this process has it already."""

    def __init__(self, root: Path, held: int | None = None) -> None:
        self.is_held = held is not None
        self._path = root / FOLDER / "lock"
        self._mutex = threading.Lock()
        self._stack = ExitStack()
        if held is not None:
            self._stack.callback(os.close, held)

    def take(self, waiting: Callable[[], None]) -> None:
        """Take the lock; `waiting` is called when another run has it. Idempotent; ActionError when it cannot be had."""
        with self._mutex:
            if self.is_held:
                return
            try:
                self._path.parent.mkdir(exist_ok=True)
                self._stack.enter_context(exclusive(self._path, keep=True, waiting=waiting))
            except OSError as error:
                raise full_or(error, f"{FOLDER}/{self._path.name}") from None
            self.is_held = True

    def release(self) -> None:
        """Let the next run have it."""
        self._stack.close()
