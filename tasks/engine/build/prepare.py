"""Preparing: what targets wait for before they can be planned or made, each thing once however many ask for it."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from packyard.tasks.errors import ActionError
from packyard.tasks.target.params import argument
from packyard.tasks.target.target import Prepare, Target
from packyard.tasks.workspace.memo import Memo

_AT_ONCE = 4  # each mostly waits for a network


def carry_out(prepare: Prepare, root: Path, *, downloads: Path) -> None:
    """Call the function of `prepare`; it raises what it raises."""
    module, _, name = prepare.run.partition(":")
    function: Callable[..., None] = getattr(importlib.import_module(module), name)
    function(argument(function, prepare.params), root, downloads=downloads)


class Preparation:
    """What the targets of one run wait for. It may take long, and others go on meanwhile."""

    def __init__(
        self, root: Path, memo: Memo, notify: Callable[[str], None], *, downloads: Callable[[], Path], locked: bool
    ) -> None:
        self._root = root
        self._downloads = downloads
        self._memo = memo
        self._notify = notify
        self._locked = locked
        self._lock = threading.Lock()
        self._begun: dict[str, Future[None]] = {}
        self._threads = ThreadPoolExecutor(_AT_ONCE)

    def begin(self, target: Target) -> None:
        """Begin to make what `target` waits for."""
        for prepare in target.prepares:
            self._future(target, prepare)

    def finish(self, target: Target) -> None:
        """Wait for all that `target` waits for; ActionError when it cannot be had."""
        for prepare in target.prepares:
            self._future(target, prepare).result()

    def close(self) -> None:
        """Wait for what was begun."""
        self._threads.shutdown()

    def _future(self, target: Target, prepare: Prepare) -> Future[None]:
        with self._lock:
            if prepare.path not in self._begun:
                self._begun[prepare.path] = self._threads.submit(self._prepare, target.name, prepare)
            return self._begun[prepare.path]

    def _prepare(self, name: str, prepare: Prepare) -> None:
        if self._memo.look(prepare.path) is not None:
            return
        if self._locked and prepare.refusal:
            raise ActionError(prepare.refusal, hint=prepare.hint)
        self._notify(f"{name}: {prepare.doing}")
        carry_out(prepare, self._root, downloads=self._downloads())
        self._memo.forget(prepare.path)


def refused(targets: Iterable[Target]) -> list[Prepare]:
    """What `--locked` refuses at once, each thing once: it is not committed."""
    found = {prepare.refusal: prepare for target in targets for prepare in target.prepares if not prepare.settled}
    return list(found.values())
