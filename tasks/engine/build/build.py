"""A build: judges targets, makes the stale ones (from the store if it can), and remembers each as it ends."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from packyard.formats.errors import FormatError
from packyard.tasks.engine.build import nearest
from packyard.tasks.engine.build.artifacts import Artifacts
from packyard.tasks.engine.build.events import How, Outcome
from packyard.tasks.engine.build.folders import artifact_paths, shown_artifacts, with_files
from packyard.tasks.engine.build.nearest import Comparison
from packyard.tasks.engine.build.verdict import FRESH, NEVER_MADE, Verdict, judge
from packyard.tasks.engine.execute import sandbox
from packyard.tasks.engine.execute.action import invoke
from packyard.tasks.engine.execute.mode import Mode
from packyard.tasks.engine.execute.sandbox import Changed
from packyard.tasks.engine.graph.graph import Graph
from packyard.tasks.engine.store import runs
from packyard.tasks.engine.store.key import Ingredients, ingredients, key_of
from packyard.tasks.engine.store.runs import Run
from packyard.tasks.engine.store.store import Damaged, Result, Store, full_or
from packyard.tasks.engine.trace.trace import FOLDER, Failure, Record, Trace
from packyard.tasks.errors import ActionError
from packyard.tasks.host import process
from packyard.tasks.host.atomic import replacing
from packyard.tasks.target import keyguard
from packyard.tasks.target.target import Json, Made, Pin, Target
from packyard.tasks.workspace.memo import Look, Memo

_RESOLVED_AT_ONCE = 4  # locks
_REMEMBERED_AT_ONCE = 1000  # targets; their looks are in memory until then
_ATTEMPTS = 3  # an input may change, or a stored blob prove damaged, while a target is being made


class Build:
    """One run over one graph. `judge` and `make` expect that a target's dependencies were judged or made before;
    `make` may be called from several threads."""

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
        self.notify = notify
        self.outcomes: dict[str, Outcome] = {}
        self._open_store = store
        self._locked = locked
        self._mode = mode
        self._store: Store | None = None
        self._memo = Memo(root)
        self._artifacts = Artifacts(root, graph, self._memo)
        self._made: dict[str, Mapping[str, Made]] = {}
        self._verdicts: dict[str, Verdict] = {}
        self._waited: set[str] = set()
        self._needed = set(graph.closure(graph.final))
        self._lock = threading.RLock()
        self._resolving: dict[str, Future[None]] = {}  # both may take long, and others go on meanwhile
        self._resolver = ThreadPoolExecutor(_RESOLVED_AT_ONCE)
        self._mending = threading.RLock()  # mending may need mending

    @property
    def store(self) -> Store:
        """The store, opened when it is first needed."""
        with self._lock:
            if self._store is None:
                self._store = self._open_store()
                self._store.hold(lambda: self.notify("waiting until the store was cleaned"))
            return self._store

    def close(self) -> None:
        """Let go of the store; the sandboxes of the build are gone then."""
        self._resolver.shutdown()
        sandbox.settle()
        if self._store is not None:
            self._store.close()

    # judging -------------------------------------------------------------------------------------------------

    def plan(
        self, names: Iterable[str], *, unchanged: Collection[str] = (), remember: bool = True
    ) -> dict[str, Verdict]:
        """The verdict on `names` and everything they are made from, dependencies first.

        `unchanged` were fresh, and their own files are as they were then: they are fresh while what they are made from
        is. Only the others are looked at closely.
        """
        looked: dict[str, Mapping[str, Look] | None] = {}
        wanted = self.graph.closure(names)
        for name in wanted:
            if name in unchanged and not self._unmade(name):
                self._verdicts[name] = FRESH
            else:
                is_fresh = self.judge(name) == FRESH
                looked[name] = self._row(self.graph.targets[name], self._outputs(name)) if is_fresh else None
            if remember and len(looked) == _REMEMBERED_AT_ONCE:
                self._refresh(looked)
        if remember:
            self._refresh(looked)
        return {name: self.judge(name) for name in wanted}

    def settle(self) -> None:
        """At the end of a run: remember those that had to wait and then proved fresh."""
        late = [name for name in self._waited if self._verdicts.get(name) == FRESH and name not in self.outcomes]
        if late:
            self._refresh({name: self._row(self.graph.targets[name], self._outputs(name)) for name in late})

    def _refresh(self, looked: dict[str, Mapping[str, Look] | None]) -> None:
        """Remember how the files of targets look now, and let go of that."""
        if looked:
            self.trace.refresh(looked)
            self._memo.release(path for looks in looked.values() if looks for path in looks)
            looked.clear()

    def judge(self, name: str) -> Verdict:
        """Fresh, stale or waiting, by what is known now. A verdict of waiting is never kept."""
        if name in self._verdicts:
            return self._verdicts[name]
        for other in self.graph.nodes[name].needs:
            if self._verdicts.get(other) == FRESH:
                self._remembers(other)  # else it is not fresh after all
        if blocked := self._unmade(name):
            self._waited.add(name)
            return Verdict("waiting", tuple(f"{other} is not done" for other in blocked))
        target = self.graph.targets[name]
        record = self._recall(name)
        missing = [source.path for source in target.sources if self._memo.look(source.path) is None]
        if missing:
            unlocked = {pin.path for pin in target.pins}
            verdict = Verdict(
                "stale", tuple(f"{path} is {'not resolved yet' if path in unlocked else 'missing'}" for path in missing)
            )
        else:
            artifacts = {path: self._memo.look(path) for path in record.artifacts.values()} if record else {}
            verdict = judge(target, _moved(record, target), self._ingredients(target), artifacts)
            if verdict.state == "fresh" and record:
                self._made[name] = record.outputs
        self._verdicts[name] = verdict
        return verdict

    def nearest(self, name: str, store: Path) -> Comparison | None:
        """A planned target that is stale beside the earlier run that it shares most with, of all that the store in this
        folder knows; None when that is the last one here, or what it is made from is not all there."""
        if self._verdicts.get(name, FRESH) == FRESH or self._unmade(name):
            return None
        target = self.graph.targets[name]
        if any(self._memo.look(source.path) is None for source in target.sources):
            return None
        return nearest.compare_nearest(store, target, self._ingredients(target), self.trace.record(name))

    def _unmade(self, name: str) -> list[str]:
        """What a target is made from that is not done yet."""
        return [other for other in self.graph.nodes[name].needs if self._verdicts.get(other) != FRESH]

    def _remembers(self, name: str) -> bool:
        """Whether the trace tells what a target made that is done; one that was torn since must be made again."""
        if name not in self._made:
            record = self.trace.record(name)
            if record is None:
                self._verdicts[name] = NEVER_MADE
                return False
            self._made[name] = record.outputs
        return True

    def _recall(self, name: str) -> Record | None:
        """What a target was last made from, and with it how its files looked."""
        for _, looks, record in self.trace.recall([name]):
            for path, look in looks.items():
                self._memo.remember(path, look)
            return record
        return None

    def _outputs(self, name: str) -> Mapping[str, Made]:
        """What a target made that is done: of one that was not looked at closely, by the trace. If that has forgotten
        it, it is restored or made again."""
        if not self._remembers(name):
            with self._mending:
                if name not in self._made:
                    self.notify(f"{name}: what it made is not remembered any more, making it again")
                    self._make_again(name)
        return self._made[name]

    def _ingredients(self, target: Target) -> Ingredients:
        looks = {source.path: look for source in target.sources if (look := self._memo.look(source.path))}
        return ingredients(target, looks, self._uses(target))

    def _uses(self, target: Target) -> dict[str, Made]:
        return {f"{use.target}#{use.part}": self._outputs(use.target)[use.part] for use in target.uses}

    def _row(self, target: Target, outputs: Mapping[str, Made]) -> dict[str, Look]:
        """Every file whose stat tells whether the target may have changed: its sources, then its artifacts."""
        paths = [source.path for source in target.sources]
        paths += artifact_paths(target, outputs).values()
        return {path: look for path in paths if (look := self._memo.look(path))}

    # making --------------------------------------------------------------------------------------------------

    def make(self, name: str) -> Outcome:
        """Make a stale target: restore it, or run its action. A failure comes back as an outcome, and is
        remembered beside the trace of what was made before."""
        target = self.graph.targets[name]
        start = time.monotonic()
        log = self._log(name)
        key = ""
        try:
            key, how = self._make(target, log)
            outcome = Outcome(name=name, how=how, seconds=time.monotonic() - start, artifacts=shown_artifacts(target))
        except (ActionError, FormatError) as error:
            outcome = Outcome(name=name, how="failed", seconds=time.monotonic() - start, message=str(error))
        except OSError as error:
            message = str(full_or(error, name))
            outcome = Outcome(name=name, how="failed", seconds=time.monotonic() - start, message=message)
        except Exception as error:  # a defect of ours: said in one line, told whole in the log
            with contextlib.suppress(OSError), log.open("a", encoding="utf-8") as stream:
                traceback.print_exc(file=stream)
            message = f"internal error: {type(error).__name__}: {error}\n  hint: the traceback is in {log}"
            outcome = Outcome(name=name, how="failed", seconds=time.monotonic() - start, message=message)
        if outcome.how == "failed" and not process.stopping():
            failure = Failure(
                at=time.time(), seconds=outcome.seconds, key=key, message=outcome.message, log=os.fspath(log)
            )
            with contextlib.suppress(ActionError):  # a full disk: the failure is shown, only `why` will not know it
                self.trace.fail(name, failure)
        with self._lock:
            self.outcomes[name] = outcome
        return outcome

    def _make(self, target: Target, log: Path) -> tuple[str, How]:
        start = time.monotonic()
        for pin in target.pins:
            self._pin(target, pin)
        changes = damages = 0
        while True:
            looks = self._sources(target)
            uses = self._uses(target)
            values = ingredients(target, looks, uses)
            key = key_of(values)
            try:
                result, how = self._obtain(target, key, looks, uses, log)
                if how == "ran":
                    run = Run(key=key, at=time.time(), where=os.fspath(self.root), ingredients=values)
                    runs.remember(self.store, target.name, run)
                for path in keyguard.let_through(self.root, target):
                    self.notify(
                        f"{target.name}: holds the private key {path}, which [workspace] allow_keys lets through"
                    )
                outputs = with_files(target, result.outputs, self.store)
                artifacts = self._artifacts.place(target, outputs, self.store)
                break
            except Changed as error:
                changes += 1
                if changes == _ATTEMPTS:
                    raise ActionError(f"{error.path}: changed while it was being read") from None
                for source in target.sources:
                    self._memo.forget(source.path)
            except Damaged as error:
                damages += 1
                if damages == _ATTEMPTS + len(target.uses):  # each of them may prove damaged when its turn comes
                    raise ActionError(f"the store lost {error} while it was needed", hint="build again") from None
                self._mend(target)
        record = Record(
            key=key, ingredients=values, outputs=outputs, artifacts=artifacts,
            seconds=time.monotonic() - start if how == "ran" else result.seconds, at=time.time(), log=result.log,
        )  # fmt: skip
        self._retire(target, artifacts)
        self.trace.commit(
            target.name, record, self._row(target, outputs),
            needed=target.name in self._needed, deps=self.graph.nodes[target.name].needs,
            dependents=self.graph.dependents[target.name],
        )  # fmt: skip
        self._memo.release((*looks, *artifacts.values()))
        with self._lock:
            self._made[target.name] = outputs
            self._verdicts[target.name] = FRESH
        return key, how

    def resolve_ahead(self, names: Iterable[str]) -> None:
        """Begin to resolve what has no lock yet: the targets that need one may have to wait for others first."""
        for name in names:
            for pin in self.graph.targets[name].pins:
                self._resolution(name, pin)

    def _pin(self, target: Target, pin: Pin) -> None:
        """Wait for a lock that is not there yet; ActionError when there is no answer."""
        self._resolution(target.name, pin).result()

    def _resolution(self, name: str, pin: Pin) -> Future[None]:
        """The resolving of a lock, begun once: two targets may read the same one."""
        with self._lock:
            if pin.path not in self._resolving:
                self._resolving[pin.path] = self._resolver.submit(self._resolve, name, pin)
            return self._resolving[pin.path]

    def _resolve(self, name: str, pin: Pin) -> None:
        if self._memo.look(pin.path) is not None:
            return
        if self._locked and (pin.absent or not pin.taken):
            message = f"{pin.absent or pin.path}: is missing, and nothing may be resolved (--locked)"
            raise ActionError(message, hint="run 'packyard lock'")
        what = f"taking {pin.taken}" if pin.taken else f"resolving {', '.join(pin.requirements)}"
        self.notify(f"{name}: no lock yet, {what} into {pin.path}")
        from packyard.tasks.index import lock

        lock.resolve(pin, self.root, downloads=self.store.downloads)
        self._memo.forget(pin.path)

    def _sources(self, target: Target) -> dict[str, Look]:
        looks = {source.path: self._memo.look(source.path) for source in target.sources}
        missing = [path for path, look in looks.items() if look is None]
        if missing:
            raise ActionError("\n".join(f"{path}: is missing, {target.place} needs it" for path in missing))
        return {path: look for path, look in looks.items() if look is not None}

    def _obtain(
        self, target: Target, key: str, looks: Mapping[str, Look], uses: Mapping[str, Made], log: Path
    ) -> tuple[Result, How]:
        with self.store.making(key):
            found = self.store.result(key) if self._mode != "audit" else None  # only what runs can be watched
            if found is not None:
                return found, "restored"
            return self._run(target, key, looks, uses, log), "ran"

    def _run(self, target: Target, key: str, looks: Mapping[str, Look], uses: Mapping[str, Made], log: Path) -> Result:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
        start = time.monotonic()
        trees = {
            use.target: self.store.tree(uses[f"{use.target}#{use.part}"].digest)
            for use in target.uses
            if uses[f"{use.target}#{use.part}"].tree
        }
        with sandbox.room_for(target, key, log=log, trees=trees, downloads=self.store.downloads) as room:
            sandbox.stage(room, self.root, target, looks, uses, self.store)
            if self._mode == "strict":
                from packyard.tasks.engine.execute.strict import (
                    invoke_strictly,  # these two with much that plain builds do without
                )

                invoke_strictly(target.run, room)
            elif self._mode == "audit":
                from packyard.tasks.engine.execute.audit import invoke_audited

                for finding in invoke_audited(target.run, room):
                    self.notify(f"undeclared: {target.name} {finding}")
            else:
                invoke(target.run, room)
            outputs = sandbox.collect(room, target, self.store)
        if process.stopping():
            raise ActionError("the run was interrupted")  # the sandbox may have been removed under the action
        text = log.read_bytes()
        result = Result(outputs=outputs, seconds=time.monotonic() - start, log=self.store.put_bytes(text))
        self.store.keep(key, result)
        return result

    def _mend(self, target: Target) -> None:
        """Blobs that `target` needs are gone: take them from dist/ if they lie there, else make them again."""
        with self._mending:
            for use in target.uses:
                made = self._outputs(use.target)[use.part]
                if self.store.holds(made):
                    continue
                self.notify(f"{use.target}: its bytes in the store are gone or damaged, making it again")
                path = {output.part: output.artifact for output in self.graph.targets[use.target].outputs}[use.part]
                look = self._memo.look(path) if path else None
                if path and look and look.digest.hex() == made.digest:
                    self.store.put(self.root / path)
                else:
                    self._make_again(use.target)

    def _make_again(self, name: str) -> None:
        outcome = self.make(name)
        if outcome.how == "failed":
            raise ActionError(f"{name} could not be made again: {outcome.message}")

    # asking afterwards ---------------------------------------------------------------------------------------

    def deliver(self, name: str, place: Path) -> None:
        """Put the main artifact of a target that is done at `place`, whole or not at all; OSError when that cannot be
        written to."""
        made = self._outputs(name)[""]
        place.parent.mkdir(parents=True, exist_ok=True)
        with replacing(place) as aside:
            try:
                self.store.copy_out(made.digest, aside, executable=made.executable)
            except Damaged:
                self._make_again(name)
                aside.unlink(missing_ok=True)
                self.store.copy_out(self._outputs(name)[""].digest, aside, executable=made.executable)

    def fact(self, name: str, part: str, key: str) -> Json:
        """A value in an artifact of a target that is done: a JSON object."""
        data = self.store.read(self._outputs(name)[part].digest)
        return json.loads(data)[key]

    def details(self, outcome: Outcome) -> list[str]:
        """What was done for a target, in lines: the function, the key, and its log."""
        target = self.graph.targets[outcome.name]
        record = self.trace.record(outcome.name)
        lines = [f"{outcome.name}: {target.run}, key {record.key if record else 'none'}"]
        log = self._log(outcome.name)
        if outcome.how != "restored" and log.is_file():
            lines += [f"  {line}" for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
        return lines

    # artifacts -----------------------------------------------------------------------------------------------

    @property
    def removed(self) -> list[str]:
        """The artifacts that this run took away."""
        return self._artifacts.removed

    def discard(self, name: str, *, dry_run: bool = False) -> Iterator[tuple[str, bool]]:
        """Remove the artifacts of a target that are still what it made here; each path that is there, and whether it
        is removed (with `dry_run`: would be)."""
        return self._artifacts.discard(self.graph.targets[name], self.trace.record(name), dry_run=dry_run)

    def clean_orphans(self) -> None:
        """After a full build: remove the artifacts of targets that are gone, and the versions that are gone of targets
        which are built by name only, if they are still what we made."""
        orphans = self.trace.orphans()
        for record in (*orphans.values(), *self.trace.optional().values()):
            if record is not None:
                self._artifacts.remove(record)
        if orphans:
            self.trace.forget(orphans)

    def _retire(self, target: Target, artifacts: Mapping[str, str]) -> None:
        """Remove what this target left under other names before (a version that is gone)."""
        record = self.trace.record(target.name)
        if record is not None:
            self._artifacts.remove(record, keep=set(artifacts.values()))

    def _log(self, name: str) -> Path:
        return self.root / FOLDER / "logs" / f"{name.replace('/', '=')}.log"  # no name holds a '='


def _moved(record: Record | None, target: Target) -> Record | None:
    """The record, unless the target's artifacts have other names now: then it was never made under these."""
    return record if record is not None and dict(record.artifacts) == artifact_paths(target, record.outputs) else None
