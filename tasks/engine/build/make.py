"""Making targets: each by its steps, again when something changed under them, and every failure told in words."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from packyard.formats.errors import FormatError
from packyard.tasks.engine.build.events import How, Outcome
from packyard.tasks.engine.build.folders import shown_artifacts
from packyard.tasks.engine.build.known import Forgotten
from packyard.tasks.engine.build.steps import Steps
from packyard.tasks.engine.execute.sandbox import Changed
from packyard.tasks.engine.store.blobs import Damaged, full_or
from packyard.tasks.engine.trace.trace import Failure
from packyard.tasks.errors import ActionError
from packyard.tasks.host import process
from packyard.tasks.nullpath import FOLDER
from packyard.tasks.target import keyguard
from packyard.tasks.target.target import Target, Use

_ATTEMPTS = 3  # an input may change, or a stored blob prove damaged, while a target is being made


class Maker:
    """Makes the targets of one run, and keeps how each came out. May be used from several threads, for one target from
    one."""

    def __init__(self, steps: Steps, notify: Callable[[str], None]) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self._steps = steps
        self._known = steps.known
        self._notify = notify
        self._mending = threading.RLock()  # mending may need mending

    def make(self, name: str) -> Outcome:
        """Make a stale target: restore it, or run its action. A failure comes back as an outcome, and is
        remembered beside the trace of what was made before."""
        target = self._known.graph.targets[name]
        start = time.monotonic()
        message: str | None = None
        how: How = "failed"
        try:
            how = "ran" if self._persistently(target) else "restored"
            for path in keyguard.let_through(self._steps.root, target):
                self._notify(f"{name}: holds the private key {path}, which [workspace] allow_keys lets through")
        except (ActionError, FormatError) as error:
            message = str(error)
        except OSError as error:
            message = str(full_or(error, name))
        except Exception as error:  # a defect of ours: said in one line, told whole in the log
            log = self.log(name)
            with contextlib.suppress(OSError), log.open("a", encoding="utf-8") as stream:
                traceback.print_exc(file=stream)
            message = f"internal error: {type(error).__name__}: {error}\n  hint: the traceback is in {log}"
        seconds = time.monotonic() - start
        if message is None:
            outcome = Outcome(name=name, how=how, seconds=seconds, artifacts=shown_artifacts(target))
        else:
            outcome = Outcome(name=name, how=how, seconds=seconds, message=message)
            self._remember_failure(outcome)
        self.outcomes[name] = outcome
        return outcome

    def make_again(self, name: str, why: str) -> None:
        """Make a target that was done, and say why; ActionError when that fails."""
        self._notify(f"{name}: {why}; rebuilding")
        outcome = self.make(name)
        if outcome.how == "failed":
            raise ActionError(f"{name} cannot be rebuilt: {outcome.message}")

    def log(self, name: str) -> Path:
        """The file that gets what the action of a target writes."""
        return self._steps.root / FOLDER / "logs" / f"{name.replace('/', '=')}.log"  # no name holds a '='

    def _remember_failure(self, outcome: Outcome) -> None:
        if process.stopping():
            return
        log = os.fspath(self.log(outcome.name))
        failure = Failure(at=time.time(), seconds=outcome.seconds, key="", message=outcome.message, log=log)
        with contextlib.suppress(ActionError):  # a full disk: the failure is shown, only `why` will not know it
            self._known.trace.fail(outcome.name, failure)

    def _persistently(self, target: Target) -> bool:
        """Take the steps, and again when a source changed under them or when something that they need was lost."""
        changes = losses = 0
        while True:
            try:
                return self._steps.take(target, self.log(target.name))
            except Changed as error:
                changes += 1
                if changes == _ATTEMPTS:
                    raise ActionError(f"{error.path}: changed while being read") from None
                self._known.look_again(target)
            except (Damaged, Forgotten) as error:
                losses += 1
                if losses == _ATTEMPTS + len(target.uses):  # each of them may prove lost when its turn comes
                    raise ActionError(f"the store lost {error} while it was in use", hint="build again") from None
                self._mend(target)

    def _mend(self, target: Target) -> None:
        """Something that `target` uses is lost: have it again."""
        with self._mending:
            for use in target.uses:
                try:
                    self._have(use)
                except Forgotten:
                    self.make_again(use.target, "the record of its artifacts is gone")

    def _have(self, use: Use) -> None:
        """See that the store holds an artifact: take it from where the workspace keeps it, else make it again."""
        made, store = self._known.made(use.target)[use.part], self._steps.holding.store
        if store.holds(made):
            return
        lost = "stored output is missing or corrupt"
        outputs = self._known.graph.targets[use.target].outputs
        path = next(output.artifact for output in outputs if output.part == use.part)
        look = self._known.memo.look(path) if path else None
        if path and look and look.digest.hex() == made.digest:
            self._notify(f"{use.target}: {lost}; rebuilding")
            store.put(self._steps.root / path)
        else:
            self.make_again(use.target, lost)
