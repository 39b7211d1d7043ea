"""The way of one target: prepare, key, obtain, place, commit."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from packyard.tasks.engine.build.artifacts import Artifacts, Placed
from packyard.tasks.engine.build.known import Known
from packyard.tasks.engine.build.prepare import Preparation
from packyard.tasks.engine.execute.executor import Action, Executor, Inputs
from packyard.tasks.engine.store import runs
from packyard.tasks.engine.store.holding import Holding
from packyard.tasks.engine.store.key import Ingredients, ingredients, key_of
from packyard.tasks.engine.store.runs import Run
from packyard.tasks.engine.store.store import Result, Store
from packyard.tasks.engine.trace.record import Record
from packyard.tasks.target.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What a target goes through, in the workspace at `root`; `executor` carries out the actions that must run."""

    root: Path
    known: Known
    preparation: Preparation
    holding: Holding
    executor: Callable[[Store], Executor]
    artifacts: Artifacts

    def take(self, target: Target, log: Path) -> bool:
        """Make a target whose dependencies are done, what its action writes going to `log`; whether the action ran,
        else its result came out of the store.

        ActionError when it cannot be made; Changed, Damaged or Forgotten when a source, a blob or a record of what it
        is made from is not what it was: then nothing was placed or remembered, and the steps can be taken again.
        """
        self.preparation.finish(target)
        inputs = self.known.inputs(target)
        values = ingredients(target, inputs.looks, inputs.uses)
        key = key_of(values)
        result, ran = self._obtain(Action(target=target, key=key, log=log), inputs, values)
        placed = self.artifacts.place(target, result.outputs, self.holding.store)
        self._commit(target, key, values, result, placed)
        return ran

    def _obtain(self, action: Action, inputs: Inputs, values: Ingredients) -> tuple[Result, bool]:
        """The result of an action and whether it ran. Whoever makes the same elsewhere is waited for."""
        store = self.holding.store
        executor = self.executor(store)
        with store.making(action.key):
            known = store.result(action.key) if executor.reuses else None
            if known is not None:
                return known, False
            result = executor.run(action, inputs)
            store.keep(action.key, result)
        run = Run(key=action.key, at=time.time(), where=os.fspath(self.root), ingredients=values)
        runs.remember(store, action.target.name, run)
        return result, True

    def _commit(self, target: Target, key: str, values: Ingredients, result: Result, placed: Placed) -> None:
        """Remember what the target was made from and what came out; artifacts that it had under other names go."""
        record = Record(
            key=key, ingredients=values, outputs=placed.outputs, artifacts=placed.paths, seconds=result.seconds,
            at=time.time(), log=result.log,
        )  # fmt: skip
        known, name = self.known, target.name
        self.artifacts.retire(known.trace.record(name), keep=placed.paths.values())
        row = known.row(target, placed.outputs)
        known.trace.commit(
            name, record, row, needed=name in known.graph.needed, deps=known.graph.nodes[name].needs,
            dependents=known.graph.dependents[name],
        )  # fmt: skip
        known.memo.release(row)
        known.keep(name, placed.outputs)
