"""A build: judges the targets of a graph, makes those that are stale, and remembers each as it ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache, partial
from pathlib import Path

from packyard.tasks.engine.build import nearest
from packyard.tasks.engine.build.artifacts import Artifacts
from packyard.tasks.engine.build.events import Outcome
from packyard.tasks.engine.build.folders import artifact_paths
from packyard.tasks.engine.build.known import Known
from packyard.tasks.engine.build.make import Maker
from packyard.tasks.engine.build.nearest import Comparison
from packyard.tasks.engine.build.prepare import Preparation
from packyard.tasks.engine.build.steps import Steps
from packyard.tasks.engine.build.verdict import FRESH, Verdict, judge
from packyard.tasks.engine.execute import sandbox
from packyard.tasks.engine.execute.mode import Mode, executor
from packyard.tasks.engine.graph.graph import Graph
from packyard.tasks.engine.store.holding import Holding
from packyard.tasks.engine.store.key import ingredients
from packyard.tasks.engine.store.store import Store
from packyard.tasks.engine.trace.record import Record
from packyard.tasks.engine.trace.trace import Trace
from packyard.tasks.target.target import Target
from packyard.tasks.workspace.memo import Look

_REMEMBERED_AT_ONCE = 1000  # targets; their looks are in memory until then


class Build:
    """One run over one graph. `judge` and `make` expect that a target's dependencies were judged or made before;
    `make` may be called from several threads. `locked` refuses to resolve what has no lock yet, `mode` tells how each
    action is kept to what it declares."""

    def __init__(
        self,
        root: Path,
        graph: Graph,
        trace: Trace,
        store: Callable[[], Store],
        notify: Callable[[str], None],
        *,
        locked: bool = False,
        mode: Mode = "plain",
    ) -> None:
        self.root = root
        self.graph = graph
        self.trace = trace
        self.known = Known(root, graph, trace)
        self.holding = holding = Holding(store, lambda: notify("waiting: another process is cleaning the store"))
        self.artifacts = Artifacts(root, graph, self.known.memo)
        self._preparation = Preparation(
            root, self.known.memo, notify, downloads=lambda: holding.store.downloads, locked=locked
        )
        steps = Steps(
            root=root, known=self.known, preparation=self._preparation, holding=holding,
            executor=cache(partial(executor, mode, root, notify=notify)), artifacts=self.artifacts,
        )  # fmt: skip
        self.maker = Maker(steps, notify)
        self._unchanged: set[str] = set()
        self._late: set[str] = set()  # proved fresh by a close look that is not remembered yet

    @property
    def outcomes(self) -> Mapping[str, Outcome]:
        """How each target came out that was made."""
        return self.maker.outcomes

    def plan(self, names: Iterable[str], *, remember: bool = True) -> dict[str, Verdict]:
        """The verdict on `names` and everything they are made from, dependencies first; with `remember`, how their
        files look is kept for the next run."""
        wanted = self.graph.closure(names)
        looked: list[str] = []
        for name in wanted:
            self.judge(name)
            if name in self._unchanged:
                continue
            looked.append(name)
            if remember and len(looked) == _REMEMBERED_AT_ONCE:
                self._remember(looked)
                looked = []
        if remember:
            self._remember(looked)
        return {name: self.judge(name) for name in wanted}

    def trust(self, unchanged: Collection[str]) -> None:
        """These were fresh, and their own files are as they were then: they are fresh while what they are made from is.
        Only the others are looked at closely."""
        self._unchanged = set(unchanged)

    def judge(self, name: str) -> Verdict:
        """Fresh, stale or waiting, by what is known now. A verdict of waiting is never kept."""
        known = self.known
        if name in known.verdicts:
            return known.verdicts[name]
        if self._is_trusted(name):
            verdict = FRESH
        else:
            self._unchanged.discard(name)
            for other in self.graph.nodes[name].needs:
                if known.is_fresh(other):
                    known.remembers(other)  # else it is not fresh after all
            if blocked := known.unmade(name):
                return Verdict("waiting", tuple(f"{other} is not done" for other in blocked))
            verdict = self._compare(self.graph.targets[name])
        known.verdicts[name] = verdict
        return verdict

    def prepare(self, names: Iterable[str]) -> None:
        """Begin to make what targets wait for (locks): they may have to wait for others first."""
        for name in names:
            self._preparation.begin(self.graph.targets[name])

    def make(self, name: str) -> Outcome:
        """Make a stale target (Maker.make)."""
        return self.maker.make(name)

    def settle(self) -> None:
        """At the end of a run: remember those that were found fresh since the plan."""
        self._remember([name for name in self._late if name not in self.outcomes])

    def clean_orphans(self) -> None:
        """After a full build: remove the artifacts of targets that are gone, and the versions that are gone of targets
        which are built by name only, if they are still what we made."""
        orphans = self.trace.orphans()
        for record in (*orphans.values(), *self.trace.optional().values()):
            self.artifacts.retire(record)
        if orphans:
            self.trace.forget(orphans)

    def close(self) -> None:
        """Let go of the store; the sandboxes of the build are gone then."""
        self._preparation.close()
        sandbox.settle()
        self.holding.close()

    def nearest(self, name: str, store: Path) -> Comparison | None:
        """A planned target that is stale beside the earlier run that it shares most with, of all that the store in this
        folder knows; None when that is the last one here, or what it is made from is not all there."""
        target, known = self.graph.targets[name], self.known
        if known.verdicts.get(name, FRESH) == FRESH or known.unmade(name) or known.missing(target):
            return None
        inputs = known.inputs(target)
        values = ingredients(target, inputs.looks, inputs.uses)
        return nearest.compare_nearest(store, target, values, self.trace.record(name))

    def _is_trusted(self, name: str) -> bool:
        if name not in self._unchanged or self.known.unmade(name):
            return False
        return not any(other in self.outcomes for other in self.graph.nodes[name].needs)

    def _compare(self, target: Target) -> Verdict:
        """The verdict on a target by its files and its record; its dependencies are done."""
        known = self.known
        record = known.recall(target.name)
        if missing := known.missing(target):
            coming = {prepare.path for prepare in target.prepares}
            words = {True: "not there yet", False: "missing"}
            return Verdict("stale", tuple(f"{path} is {words[path in coming]}" for path in missing))
        artifacts = {path: known.memo.look(path) for path in record.artifacts.values()} if record else {}
        inputs = known.inputs(target)
        now = ingredients(target, inputs.looks, inputs.uses)
        verdict = judge(target, _unmoved(record, target), now, artifacts)
        if verdict.state == "fresh" and record:
            known.keep(target.name, record.outputs)
            self._late.add(target.name)
        return verdict

    def _remember(self, names: Iterable[str]) -> None:
        """Keep for the next run how the files of targets look that are fresh, and which are not; let go of that."""
        looked: dict[str, Mapping[str, Look] | None] = {}
        for name in names:
            is_fresh = self.known.is_fresh(name)
            looked[name] = self.known.row(self.graph.targets[name], self.known.made(name)) if is_fresh else None
            self._late.discard(name)
        if looked:
            self.trace.refresh(looked)
            self.known.memo.release(path for looks in looked.values() if looks for path in looks)


def _unmoved(record: Record | None, target: Target) -> Record | None:
    """The record, unless the target's artifacts have other names now: then it was never made under these."""
    return record if record is not None and dict(record.artifacts) == artifact_paths(target, record.outputs) else None
