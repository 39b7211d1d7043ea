"""A workspace as doit's tasks see it: asked about, and from the first verdict that a run asks for on, built."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from packyard.formats.errors import Problem
from packyard.tasks import nullpath
from packyard.tasks.engine.build.build import Build
from packyard.tasks.engine.build.events import Display, Outcome
from packyard.tasks.engine.build.interruption import end_when_interrupted
from packyard.tasks.engine.build.opening import Opened, open_workspace
from packyard.tasks.engine.build.prepare import refused
from packyard.tasks.engine.build.run import Run
from packyard.tasks.engine.build.runlock import RunLock
from packyard.tasks.engine.build.verdict import Verdict
from packyard.tasks.engine.execute.mode import Mode
from packyard.tasks.engine.graph.graph import Graph
from packyard.tasks.errors import PlanError, gather
from packyard.tasks.target.kinds import Kinds

_ANY = 1_000_000


class Session:
    """The workspace at `root`, its targets by `kinds`. Until `begin` nothing is written.

    `opened` opens what is not a workspace on disk; `locked` refuses to resolve what has no lock; `jobs` are at most so
    many actions at once, 0 as many as come; `early` is what the start of the command found out already.
    """

    def __init__(
        self,
        root: Path,
        kinds: Kinds,
        display: Display,
        *,
        locked: bool = False,
        mode: Mode = "plain",
        jobs: int = 0,
        opened: Callable[[], Opened] | None = None,
        debug: bool = False,
        early: nullpath.Early | None = None,
    ) -> None:
        self.root = root
        self.display = display
        self.profile: Path | None = None  # where the timeline goes; None is the workspace's own folder
        self.stays_open = False  # after the run the caller asks the build for more, and closes
        self.run: Run | None = None
        self._kinds = kinds
        self._open = opened
        self._refuse_resolving = locked
        self._mode = mode
        self._jobs = jobs or _ANY
        self._debug = debug
        self._early = early
        self._started = early.started if early else time.monotonic()
        self._lock = RunLock(root, early.lock if early else None)
        self._process = os.getpid()
        self._is_planned = self._is_kept = False

    @cached_property
    def opened(self) -> Opened:
        """The workspace, read when it is first needed; not written to before its lock is taken."""
        if self._open:
            return self._open()
        changed = self._early.looked.graph if self._early else None
        return open_workspace(self.root, self._kinds, readonly=not self._lock.is_held, changed=changed)

    @property
    def graph(self) -> Graph:
        """The graph."""
        return self.opened.graph

    @cached_property
    def build(self) -> Build:
        """The build over the graph."""
        return self.opened.build(self.note, locked=self._refuse_resolving, mode=self._mode)

    def note(self, text: str) -> None:
        """Tell the user something."""
        self.display.note(text)

    def lock(self) -> None:
        """Take the workspace's lock; a second run waits here, and says so. Idempotent."""
        self._lock.take(lambda: self.note("waiting: another build is running here"))

    def begin(self, names: Iterable[str] | None) -> Run:
        """A run starts over `names` and all they need: take the workspace's lock, sweep, plan. With None nobody knows
        what is wanted: each target is judged when its verdict is asked. Idempotent; PlanError or ActionError when there
        can be no run."""
        if self.run is None:
            end_when_interrupted(self.display.stop)
            self._open_to_write()
            run = Run(self.build, self.display, jobs=self._jobs, started=self._started, debug=self._debug)
            if names is None:
                self.build.trust(self._unchanged(None))
                run.sweep()
            else:
                wanted = self.graph.closure(names)
                if self._refuse_resolving:
                    self._refuse_unlocked(wanted)
                self.build.trust(self._unchanged(wanted))
                run.plan(wanted)
            self.run = run
        return self.run

    def verdict(self, name: str) -> Verdict:
        """Whether a target is fresh; outside a run, waiting counts as stale."""
        if self.run is not None:
            return self.run.verdict(name)
        if not self._is_planned:
            self.build.plan(self.graph.nodes, remember=False)
            self._is_planned = True
        return self.build.judge(name)

    def make(self, name: str) -> Outcome:
        """Make a stale target in a run."""
        if self.run is None:  # doit goes on although `begin` said why there can be none
            return Outcome(name=name, how="failed", seconds=0.0, message="its run could not begin")
        if os.getpid() != self._process:
            message = "processes cannot share a build; use '-P thread'"
            outcome = Outcome(name=name, how="failed", seconds=0.0, message=message)
            self.display.end(outcome)
            return outcome
        return self.run.make(name)

    def finish(self) -> None:
        """The run is over, if there was one: show the summary, and let go of everything."""
        if self.run is not None:
            self.run.finish(self.profile)
            if not self.stays_open:
                self.close()

    def close(self) -> None:
        """Let go of the store, the trace and the lock."""
        if "build" in self.__dict__:
            self.build.close()
        if "opened" in self.__dict__:
            self.opened.trace.close()
        self._lock.release()

    def _open_to_write(self) -> None:
        """Take the lock and, where the graph was read before anybody knew that this would be a run (stock doit), read
        it again; keep it for the next run."""
        if not self._lock.is_held:
            early = self.opened
            self.lock()
            self.__dict__.update(opened=early.reopened())
            early.trace.close()
        for text in filter(None, (self.opened.trace.notice, self.opened.notice)):
            self.note(text)
        self._is_kept = self.opened.stored is not None
        self.opened.keep_graph()
        self.__dict__["opened"] = replace(self.opened, stored=None, kept=None)  # megabytes that only the next run needs

    def _refuse_unlocked(self, wanted: Iterable[str]) -> None:
        """Refuse what was, or would be, resolved by a build: PlanError with every lock that nobody committed."""
        prepares = refused(self.graph.targets[name] for name in wanted)
        gather(PlanError(Problem(prepare.refusal, hint=prepare.hint)) for prepare in prepares)

    def _unchanged(self, wanted: Collection[str] | None) -> set[str]:
        """Those of the targets (None: of the group `all`) whose own files are as they were when they were fresh; none
        of a graph that the trace does not keep, since then nobody has compared how they are declared."""
        if not self._is_kept:
            return set()
        if self._early:
            looked = self._early.looked
        else:
            whole = wanted is None or len(wanted) == len(self.graph.needed)  # which is one query instead of many
            looked = nullpath.look(os.fspath(self.root), None if whole else list(wanted or ()))
        return self.opened.trace.fresh().intersection(looked.fresh)
