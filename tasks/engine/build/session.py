"""One run as doit drives it: opens the workspace, answers for each task whether it is fresh, makes the stale ones."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import FrameType

from packyard.formats.errors import Problem
from packyard.tasks import nullpath
from packyard.tasks.console.display import Json, Plain, size_of
from packyard.tasks.engine.build.admission import Gate, longest_ways
from packyard.tasks.engine.build.build import Build
from packyard.tasks.engine.build.events import Display, Outcome, Summary
from packyard.tasks.engine.build.opening import Opened, open_workspace
from packyard.tasks.engine.build.timeline import Timeline
from packyard.tasks.engine.build.verdict import Verdict
from packyard.tasks.engine.execute import sandbox
from packyard.tasks.engine.execute.mode import Mode
from packyard.tasks.engine.graph.graph import Graph
from packyard.tasks.engine.store.store import full_or
from packyard.tasks.engine.trace.trace import FOLDER
from packyard.tasks.errors import PlanError, gather
from packyard.tasks.host import process
from packyard.tasks.host.filelock import exclusive

INTERRUPTED = 130
_ANY = 1_000_000


class Front:
    """A workspace as doit's tasks see it. `begin` marks a run; without it (list, info) nothing is written.

    `opened` opens what is no workspace on disk; `debug` shows each action with its key and its log.
    """

    def __init__(
        self,
        root: Path,
        display: Display | None = None,
        *,
        locked: bool = False,
        mode: Mode = "plain",
        jobs: int = 0,
        opened: Callable[[], Opened] | None = None,
        debug: bool = False,
        early: nullpath.Early | None = None,
    ) -> None:
        self.root = root
        self._early = early
        self._open = opened
        self._debug = debug
        self._display = display
        self.profile: Path | None = None  # where the timeline goes; None is the workspace's own folder
        self.stays_open = False  # after the run the caller asks the build for more, and closes
        self._refuse_resolving = locked
        self._mode = mode
        self._jobs = jobs or _ANY  # stock doit counts by itself
        self.gate = Gate(self._jobs, {})
        self._timeline = Timeline()
        self.remaining: list[str] = []  # what a run has to look at: stale or waiting, dependencies first
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._locked = self._running = self._is_kept = False
        self._stack = ExitStack()
        self._started = early.started if early else time.monotonic()
        self._fresh: set[str] = set()
        self._blocked: list[str] = []
        self._selected: set[str] = set()

    @cached_property
    def opened(self) -> Opened:
        """The workspace, read when it is first needed; not written to before its lock is taken."""
        if self._open:
            return self._open()
        changed = self._early.looked.graph if self._early else None
        return open_workspace(self.root, readonly=not self._locked, changed=changed)

    @property
    def graph(self) -> Graph:
        """The graph."""
        return self.opened.graph

    @cached_property
    def build(self) -> Build:
        """The build over the graph."""
        return self.opened.build(self.display.note, locked=self._refuse_resolving, mode=self._mode)

    @cached_property
    def display(self) -> Display:
        """The display that was given, or what suits standard output."""
        return self._display or choose_display(json=False)

    def start(self, names: Iterable[str]) -> list[str]:
        """`begin`, and pass over what is fresh; the targets that a run has to look at, in the order in which they
        should begin: dependencies first, and of what is ready the one on the longest way to the end."""
        self.begin(names)
        chosen = set(self.remaining)
        for name in sorted(self._selected - chosen):
            self.fresh(name)
        return self.remaining

    def begin(self, names: Iterable[str]) -> None:
        """A run over `names` and all they need starts: take the workspace's lock, sweep, plan. Idempotent."""
        if self._running:
            return
        self._interruptible()
        if not self._locked:  # stock doit: the graph was read before anybody knew that this would be a run
            early = self.opened
            self.lock()
            self.__dict__.update(opened=early.reopened())
            early.trace.close()
        if self.opened.trace.notice:
            self.display.note(self.opened.trace.notice)
        wanted = self.graph.closure(names)
        if self._refuse_resolving:
            self._refuse_unlocked(wanted)
        self._selected = set(wanted)
        self._is_kept = self.opened.stored is not None
        self.opened.keep_graph()
        self.__dict__["opened"] = replace(self.opened, stored=None, kept=None)  # megabytes that only the next run needs
        with self._timeline.span("plan", "plan"):
            verdicts = self.build.plan(wanted, unchanged=self._unchanged(wanted))
        self.remaining = [name for name in wanted if verdicts[name].state != "fresh"]
        if self.remaining:
            sandbox.sweep()
            self._sweep()
        ways = longest_ways(self.graph, self.remaining, self.opened.trace.seconds(self.remaining))
        self.remaining.sort(key=lambda name: -ways[name])  # still dependencies first, since the sort is stable
        self.gate = Gate(self._jobs, ways, self.graph)
        self._running = True
        self.display.begin(len(wanted))
        if self._jobs > 1:
            self.build.resolve_ahead(self.remaining)

    def _refuse_unlocked(self, wanted: Iterable[str]) -> None:
        """Refuse what was, or would be, resolved by a build: PlanError with every lock that nobody committed."""
        pins = [pin for name in wanted for pin in self.graph.targets[name].pins if pin.absent]
        message = "is missing, and nothing may be resolved (--locked)"
        gather(PlanError(Problem(message, place=pin.absent, hint="run 'packyard lock', and commit it")) for pin in pins)

    def _unchanged(self, wanted: Sequence[str]) -> set[str]:
        """Those of the targets whose own files are as they were when they were fresh; none of a graph that the trace
        does not keep, since then nobody has compared how they are declared."""
        if not self._is_kept:
            return set()
        if self._early:
            looked = self._early.looked
        else:
            whole = len(wanted) == len(self.graph.closure(self.graph.final))  # which is one query instead of many
            looked = nullpath.look(os.fspath(self.root), None if whole else list(wanted))
        return self.opened.trace.fresh().intersection(looked.fresh)

    def lock(self) -> None:
        """Take the workspace's lock; a second run waits here, and says so. Idempotent."""
        with self._lock:
            if self._early:
                self._stack.callback(os.close, self._early.lock)
                self._locked = True
            if not self._locked:
                path = self.root / FOLDER / "lock"
                try:
                    path.parent.mkdir(exist_ok=True)
                    self._stack.enter_context(
                        exclusive(path, keep=True, waiting=lambda: self.display.note("waiting for another build here"))
                    )
                except OSError as error:
                    raise full_or(error, f"{FOLDER}/{path.name}") from None
                self._locked = True

    def verdict(self, name: str) -> Verdict:
        """Whether a target is fresh; outside a run, waiting counts as stale."""
        if not self._running and not self._selected:
            self._selected = set(self.build.plan(self.graph.nodes, remember=False))
        return self.build.judge(name)

    def fresh(self, name: str) -> None:
        """doit found the target fresh."""
        self.gate.done(name)
        with self._lock:
            self._fresh.add(name)
            self.display.end(Outcome(name=name, how="fresh", seconds=0.0))

    def blocked(self, name: str) -> None:
        """doit did not try the target, because something it needs failed."""
        self._blocked.append(name)

    def failed(self, name: str, message: str) -> None:
        """doit reports a failure; what `make` did not see itself is remembered for the summary."""
        self.build.outcomes.setdefault(name, Outcome(name=name, how="failed", seconds=0.0, message=message))
        self.gate.failed()

    def make(self, name: str) -> Outcome:
        """Make a stale target, in whichever thread doit calls, when its turn comes."""
        if os.getpid() != self._pid:
            return Outcome(
                name=name, how="failed", seconds=0.0, message="processes cannot share a build, use '-P thread'"
            )
        with self.gate.admit(name, self.graph.targets[name].resource):
            with self._lock:
                self.display.start(name)
            with self._timeline.span(name, self.graph.targets[name].kind) as details:
                outcome = self.build.make(name)
                details["how"] = outcome.how
            if outcome.how == "failed":
                self.gate.failed()
            else:
                self.gate.done(name)
        if not process.stopping():
            with self._lock:
                self.display.end(outcome)
                if self._debug:
                    for line in self.build.details(outcome):
                        self.display.note(line)
        return outcome

    def finish(self) -> None:
        """The run is over: clean up after targets that are gone, show the summary."""
        if not self._running:
            return
        self.build.settle()
        outcomes = list(self.build.outcomes.values())
        whole = set(self.graph.final) <= self._selected
        if whole and not self._blocked and not any(outcome.how == "failed" for outcome in outcomes):
            self.build.clean_orphans()
        sizes = {}
        for path in (path for outcome in outcomes for path in outcome.artifacts):
            with contextlib.suppress(OSError):
                sizes[path] = size_of(self.root / path)
        self._write_timeline()
        self.display.finish(
            Summary(
                seconds=time.monotonic() - self._started,
                outcomes=outcomes,
                fresh=len(self._fresh),
                sizes=sizes,
                removed=self.build.removed,
                blocked=self._blocked,
            )
        )
        if not self.stays_open:
            self.close()

    def close(self) -> None:
        """Let go of the store, the trace and the lock."""
        if "build" in self.__dict__:
            self.build.close()
        if "opened" in self.__dict__:
            self.opened.trace.close()
        self._stack.close()

    def _write_timeline(self) -> None:
        if self.build.outcomes or self.profile:
            path = self.profile or self.root / FOLDER / "trace.json"
            try:
                self._timeline.write(path)
            except OSError as error:
                self.display.note(f"{path}: cannot be written: {error.strerror}")

    def _sweep(self) -> None:
        """Remove what a killed run left half-written."""
        with contextlib.suppress(OSError):
            for path in (self.root / FOLDER / "tmp").iterdir():
                path.unlink()

    def _interruptible(self) -> None:
        """INT and TERM kill the children and end at once; everything written is whole at every moment."""
        if threading.current_thread() is not threading.main_thread():
            return

        def end(number: int, frame: FrameType | None) -> None:
            try:
                process.kill_all()
                self.display.stop()  # RuntimeError: it was writing just now
                os.write(2, b"interrupted; what was finished is kept\n")
                sandbox.abandon()
            except (OSError, RuntimeError, ValueError):
                pass
            finally:
                os._exit(INTERRUPTED)

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, end)


def choose_display(*, json: bool) -> Display:
    """JSON lines, the live display on a terminal, or plain lines."""
    if sys.stdout is None:  # closed by the caller
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  (it lives as long as the process)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name that cannot be shown stops no build
    if json:
        return Json(sys.stdout)
    if sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        from packyard.tasks.console.live import Live  # rich costs 0.1 s, only a terminal needs it

        return Live(sys.stdout)
    return Plain(sys.stdout)
