"""An action on this machine: a sandbox for it, its inputs staged, and what it leaves taken into the store."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from packyard.tasks.engine.execute import sandbox
from packyard.tasks.engine.execute.executor import Action, Inputs
from packyard.tasks.engine.store.store import Result, Store
from packyard.tasks.errors import ActionError
from packyard.tasks.host import process
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Json

Invoke = Callable[[str, Room[Json]], None]  # calls the function 'module:name' in a room


def run_here(action: Action, inputs: Inputs, root: Path, store: Store, invoke: Invoke) -> Result:
    """Carry out an action whose sources lie below `root`; the exceptions are those of Executor.run."""
    target = action.target
    action.log.parent.mkdir(parents=True, exist_ok=True)
    action.log.write_bytes(b"")
    start = time.monotonic()
    used = [(use.target, inputs.uses[f"{use.target}#{use.part}"]) for use in target.uses]
    trees = {name: store.trees.place(made.digest) for name, made in used if made.tree}
    with sandbox.room_for(target, action.key, log=action.log, trees=trees, downloads=store.downloads) as room:
        sandbox.stage(room, root, target, inputs.looks, inputs.uses, store)
        invoke(target.run, room)
        outputs = sandbox.collect(room, target, store)
    if process.stopping():
        raise ActionError("the run was interrupted")  # the sandbox may have been removed under the action
    log = store.put_bytes(action.log.read_bytes())
    return Result(outputs=outputs, seconds=time.monotonic() - start, log=log)
