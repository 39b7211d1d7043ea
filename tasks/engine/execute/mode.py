"""How an action is kept to its declared inputs, and the executor that does so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from packyard.tasks.engine.execute.executor import Executor
from packyard.tasks.engine.store.store import Store

Mode = Literal["plain", "strict", "audit"]


def executor(mode: Mode, root: Path, store: Store, notify: Callable[[str], None]) -> Executor:
    """Who carries out the actions of the workspace at `root`; `notify` is told what else a person should hear."""
    if mode == "strict":
        from packyard.tasks.engine.execute.strict import Strict  # these two with much that plain builds do without

        return Strict(root, store)
    if mode == "audit":
        from packyard.tasks.engine.execute.audit import Audit

        return Audit(root, store, notify)
    from packyard.tasks.engine.execute.plain import Plain

    return Plain(root, store)
