"""The store of one run: opened when it is first needed, and held until the run ends, so that nobody removes from it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from packyard.tasks.engine.store.store import Store


class Holding:
    """A store that `open_store` opens; `waiting` is called when somebody is removing from it just then."""

    def __init__(self, open_store: Callable[[], Store], waiting: Callable[[], None]) -> None:
        self._open = open_store
        self._waiting = waiting
        self._lock = threading.Lock()
        self._store: Store | None = None

    @property
    def store(self) -> Store:
        """The store; ActionError when it cannot be opened."""
        with self._lock:
            if self._store is None:
                self._store = self._open()
                self._store.hold(self._waiting)
            return self._store

    def close(self) -> None:
        """Let others remove from it."""
        if self._store is not None:
            self._store.close()
