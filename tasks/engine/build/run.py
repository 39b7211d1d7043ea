"""One run, from its plan to its summary: which targets it has to look at, whose turn it is, and how each came out."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from packyard.tasks.engine.build.admission import Gate, longest_ways
from packyard.tasks.engine.build.artifacts import size_of
from packyard.tasks.engine.build.build import Build
from packyard.tasks.engine.build.events import Display, Outcome, Summary
from packyard.tasks.engine.build.results import details
from packyard.tasks.engine.build.timeline import Timeline
from packyard.tasks.engine.build.verdict import Verdict
from packyard.tasks.engine.execute import sandbox
from packyard.tasks.host import process
from packyard.tasks.nullpath import FOLDER


class Run:
    """A run of `build` with so many `jobs`, its events told to `display`; `debug` shows each action with its key and
    its log. `started` is when it began (by time.monotonic)."""

    def __init__(self, build: Build, display: Display, *, jobs: int, started: float, debug: bool = False) -> None:
        self.remaining: list[str] = []  # what is stale or waiting, in the order in which it should begin
        self.gate = Gate(jobs, {})
        self._build = build
        self._display = display
        self._jobs = jobs
        self._debug = debug
        self._started = started
        self._timeline = Timeline()
        self._asked: set[str] = set()
        self._blocked: list[str] = []
        self._lock = threading.Lock()

    def plan(self, names: Iterable[str]) -> None:
        """Judge `names` and all they need; sweep when anything is to be made, and begin what takes long."""
        build = self._build
        with self._timeline.span("plan", "plan"):
            verdicts = build.plan(names)
        self._asked.update(verdicts)
        self.remaining = [name for name, verdict in verdicts.items() if verdict.state != "fresh"]
        if self.remaining:
            self.sweep()
        ways = longest_ways(build.graph, self.remaining, build.trace.seconds(self.remaining))
        self.remaining.sort(key=lambda name: -ways[name])  # still dependencies first, since the sort is stable
        self.gate = Gate(self._jobs, ways, build.graph)
        self._display.begin(len(verdicts))
        if self._jobs > 1:
            build.prepare(self.remaining)

    def sweep(self) -> None:
        """Remove what killed runs left half-written."""
        sandbox.sweep()
        with contextlib.suppress(OSError):
            for path in (self._build.root / FOLDER / "tmp").iterdir():
                path.unlink()

    def verdict(self, name: str) -> Verdict:
        """Whether a target must be made, its dependencies being done."""
        self._asked.add(name)
        return self._build.judge(name)

    def pass_fresh(self) -> None:
        """Nothing will be asked of those that the plan found fresh: they are done."""
        for name in sorted(self._asked.difference(self.remaining)):
            self.fresh(name)

    def fresh(self, name: str) -> None:
        """A target is fresh, and is not made."""
        self.gate.done(name)
        with self._lock:
            self._display.end(Outcome(name=name, how="fresh", seconds=0.0))

    def blocked(self, name: str) -> None:
        """A target was not tried, because something it needs failed."""
        self._blocked.append(name)

    def failed(self, name: str, message: str) -> None:
        """Something failed that `make` did not see: the summary tells it."""
        self._build.maker.outcomes.setdefault(name, Outcome(name=name, how="failed", seconds=0.0, message=message))
        self.gate.failed()

    def make(self, name: str) -> Outcome:
        """Make a stale target, in whichever thread this is, when its turn comes."""
        build, node = self._build, self._build.graph.nodes[name]
        with self.gate.admit(name, node.resource):
            with self._lock:
                self._display.start(name)
            with self._timeline.span(name, name.partition(":")[0]) as told:
                outcome = build.make(name)
                told["how"] = outcome.how
            if outcome.how == "failed":
                self.gate.failed()
            else:
                self.gate.done(name)
        if not process.stopping():
            with self._lock:
                self._display.end(outcome)
                for line in details(build, outcome) if self._debug else ():
                    self._display.note(line)
        return outcome

    def finish(self, profile: Path | None = None) -> None:
        """The run is over: clean up after targets that are gone, write the timeline (to `profile`, else to the
        workspace's own folder when anything was made), show the summary."""
        build = self._build
        build.settle()
        outcomes = list(build.outcomes.values())
        is_whole = self._asked.issuperset(build.graph.final)
        if is_whole and not self._blocked and not any(outcome.how == "failed" for outcome in outcomes):
            build.clean_orphans()
        if outcomes or profile:
            self._write_timeline(profile or build.root / FOLDER / "trace.json")
        self._display.finish(self._summary(outcomes))

    def _summary(self, outcomes: list[Outcome]) -> Summary:
        build = self._build
        sizes = {}
        for path in (path for outcome in outcomes for path in outcome.artifacts):
            with contextlib.suppress(OSError):
                sizes[path] = size_of(build.root / path)
        return Summary(
            seconds=time.monotonic() - self._started,
            outcomes=outcomes,
            fresh=sum(build.known.is_fresh(name) and name not in build.outcomes for name in self._asked),
            sizes=sizes,
            removed=build.artifacts.removed,
            blocked=self._blocked,
        )

    def _write_timeline(self, path: Path) -> None:
        try:
            self._timeline.write(path)
        except OSError as error:
            self._display.note(f"{path}: cannot be written: {error.strerror}")
