from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import threading
import time
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from packyard.tasks.engine.build.build import Build
from packyard.tasks.engine.build.events import Outcome
from packyard.tasks.engine.build.opening import Opened
from packyard.tasks.engine.execute import plain
from packyard.tasks.engine.graph.graph import Graph
from packyard.tasks.engine.graph.stored import store_graph
from packyard.tasks.engine.store.store import Store
from packyard.tasks.engine.trace.trace import Trace
from packyard.tasks.errors import ActionError
from packyard.tasks.host import process
from packyard.tasks.nullpath import FILE, FOLDER
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Output, Prepare, Source, Target, Use
from packyard.tasks.workspace.watch import Watch

from tests.readonly import open_up

Action = Callable[[Room], None]


class Yard:
    """A workspace of hand-made targets: `x:NAME` joins its inputs; every run of `make` is a new build."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = folder / "work"
        self.root.mkdir()
        self.store = folder / "store"
        self.targets: dict[str, Target] = {}
        self.actions: dict[str, Action] = {}
        self.ran: list[str] = []
        self.said: list[str] = []
        self.build: Build | None = None
        self._lock = threading.Lock()
        monkeypatch.setattr(plain, "invoke", self._invoke)

    def write(self, path: str, text: str) -> Path:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        return place

    def target(self, name: str, *inputs: str, action: Action | None = None, kept: bool = True, **values) -> None:
        """A target of these files and targets; without `kept` its artifact is in the store alone."""
        self.targets[f"x:{name}"] = Target(
            **{
                "name": f"x:{name}", "doc": "", "place": "packyard.toml", "run": f"x:{name}",
                "sources": tuple(Source(path=path, at=path) for path in inputs if not path.startswith("x:")),
                "uses": tuple(Use(target=use, at=f"{use[2:]}.out") for use in inputs if use.startswith("x:")),
                "outputs": (Output(at=f"{name}.out", artifact=f"dist/{name}.out" if kept else None),),
                "final": True, **values,
            }
        )  # fmt: skip
        self.actions[f"x:{name}"] = action or join

    def open(self) -> Build:
        graph = Graph(self.targets)
        trace = Trace(self.root)
        Opened(self.root, graph, trace, store_graph(graph, Watch(self.root), ()), trace.graph()).keep_graph()
        self.build = Build(self.root, graph, trace, lambda: Store(self.store), self.said.append)
        return self.build

    def make(self, *names: str) -> dict[str, str]:
        """Build, one after the other; how each came out."""
        build = self.open()
        self.ran = []
        build.plan(names or self.targets)
        found: dict[str, str] = {}
        for name in build.graph.closure(names or self.targets):
            if any(found[other] == "failed" for other in build.graph.targets[name].dependencies):
                found[name] = "failed"
            else:
                found[name] = "fresh" if build.judge(name).state == "fresh" else build.make(name).how
        build.settle()
        build.clean_orphans()
        build.trace.close()
        return {name[2:]: how for name, how in found.items()}

    def states(self) -> dict[str, str]:
        build = self.open()
        plan = build.plan(self.targets, remember=False)
        build.trace.close()
        return {name[2:]: str(verdict) for name, verdict in plan.items()}

    def unsettled(self) -> list[str]:
        trace = Trace(self.root)
        found = [name for name in self.targets if name not in trace.fresh()]
        trace.close()
        return found

    def dist(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in sorted((self.root / "dist").iterdir())}

    def _invoke(self, run: str, room: Room) -> None:
        with self._lock:
            self.ran.append(run)
        self.actions[run](room)


def join(room: Room) -> None:
    inputs = sorted(path for path in room.inputs.rglob("*") if path.is_file())
    text = "".join(path.read_text() for path in inputs)
    (room.outputs / room.params.get("name", _only(room))).write_text(text)


def _only(room: Room) -> str:
    return str(room.params["out"])


def upper_of_first_word(room: Room) -> None:
    text = "".join(path.read_text() for path in sorted(room.inputs.iterdir()))
    (room.outputs / _only(room)).write_text(text.split()[0].upper())


@pytest.fixture
def yard(tmp_path, monkeypatch):
    yard = Yard(tmp_path, monkeypatch)
    target = yard.target

    def with_name(name: str, *inputs: str, params: Mapping[str, object] | None = None, **values) -> None:
        target(name, *inputs, params={"out": f"{name}.out", **(params or {})}, **values)

    yard.target = with_name  # type: ignore[method-assign]
    return yard


@pytest.fixture
def chain(yard):
    """a.txt -> a (its first word) -> b -> c"""
    yard.write("a.txt", "one two\n")
    yard.write("b.txt", "b\n")
    yard.target("a", "a.txt", action=upper_of_first_word)
    yard.target("b", "x:a", "b.txt")
    yard.target("c", "x:b")
    return yard


# what runs ---------------------------------------------------------------------------------------------------


def test_build_makes_then_finds_fresh(chain):
    assert chain.make() == {"a": "ran", "b": "ran", "c": "ran"}
    assert chain.dist() == {"a.out": "ONE", "b.out": "ONEb\n", "c.out": "ONEb\n"}
    assert chain.make() == {"a": "fresh", "b": "fresh", "c": "fresh"}
    assert chain.unsettled() == []


def test_equal_output_stops_the_build_there(chain):
    chain.make()
    chain.write("a.txt", "one three\n")
    assert chain.states() == {
        "a": "stale: a.txt changed",
        "b": "waiting: x:a is not done",
        "c": "waiting: x:b is not done",
    }
    assert chain.make() == {"a": "ran", "b": "fresh", "c": "fresh"}
    assert chain.ran == ["x:a"]


def test_equal_output_leaves_every_target_settled(chain):
    """So the null path answers at once after such a build."""
    chain.make()
    chain.write("a.txt", "one three\n")
    chain.make()
    assert chain.unsettled() == []


def test_edit_runs_its_dependants_only(chain):
    chain.make()
    chain.write("b.txt", "bb\n")
    assert chain.make() == {"a": "fresh", "b": "ran", "c": "ran"}


def test_edit_undone_is_restored(chain):
    chain.make()
    chain.write("a.txt", "two\n")
    chain.make()
    chain.write("a.txt", "one two\n")
    assert chain.make() == {"a": "restored", "b": "restored", "c": "restored"}
    assert chain.ran == []


def test_parameter_changed_runs(chain):
    chain.make()
    chain.target("c", "x:b", params={"level": 2})
    assert chain.states()["c"] == "stale: level changed from null to 2"
    assert chain.make() == {"a": "fresh", "b": "fresh", "c": "ran"}


def test_selection_judges_only_its_own(chain):
    chain.make()
    chain.write("a.txt", "two\n")
    chain.write("b.txt", "bb\n")
    assert chain.make("x:a") == {"a": "ran"}
    assert chain.unsettled() == ["x:b"]
    assert chain.make() == {"a": "fresh", "b": "ran", "c": "ran"}


def test_touch_is_remembered_without_a_run(chain):
    chain.make()
    old = time.time() - 100
    os.utime(chain.root / "a.txt", (old, old))
    assert set(chain.make().values()) == {"fresh"}
    assert chain.unsettled() == []


def test_targets_with_the_same_key_share_one_run(yard):
    yard.write("a.txt", "a")
    yard.target("a", "a.txt", params={"out": "o"}, run="x:a", outputs=(Output(at="o", artifact="dist/a"),))
    yard.target("b", "a.txt", params={"out": "o"}, run="x:a", outputs=(Output(at="o", artifact="dist/b"),))
    assert yard.make() == {"a": "ran", "b": "restored"}
    assert yard.dist() == {"a": "a", "b": "a"}


def test_chain_of_five_hundred_is_made_and_fresh(yard):
    yard.write("a.txt", "a")
    yard.target("0", "a.txt", kept=False)
    for number in range(1, 500):
        yard.target(str(number), f"x:{number - 1}", kept=number == 499)
    assert set(yard.make().values()) == {"ran"}
    assert set(yard.make().values()) == {"fresh"}
    assert yard.dist() == {"499.out": "a"}


# artifacts ---------------------------------------------------------------------------------------------------


def test_artifact_renamed_leaves_no_old_one(chain):
    chain.make()
    chain.target("c", "x:b", outputs=(Output(at="c.out", artifact="dist/new.out"),))
    assert chain.make()["c"] == "restored"
    assert sorted(chain.dist()) == ["a.out", "b.out", "new.out"]


def test_artifact_of_target_gone_is_removed_if_unchanged(chain):
    chain.make()
    del chain.targets["x:c"]
    chain.make()
    assert sorted(chain.dist()) == ["a.out", "b.out"]
    assert chain.build.artifacts.removed == ["dist/c.out"]


def test_artifact_of_target_gone_stays_if_altered(chain):
    chain.make()
    chain.write("dist/c.out", "mine")
    del chain.targets["x:c"]
    chain.make()
    assert chain.dist()["c.out"] == "mine"


def test_artifact_is_written_whole_over_a_reader(chain):
    chain.make()
    with (chain.root / "dist/c.out").open() as reader:
        chain.write("b.txt", "bb\n")
        chain.make()
        assert reader.read() == "ONEb\n"


def test_artifact_keeps_its_executable_bit(yard):
    def tool(room: Room) -> None:
        (room.outputs / "t.out").write_text("x")
        (room.outputs / "t.out").chmod(0o711)

    yard.target("t", action=tool)
    yard.make()
    place = yard.root / "dist/t.out"
    assert place.stat().st_mode & 0o777 == 0o755
    place.chmod(0o644)
    assert yard.states()["t"] == "stale: dist/t.out was changed"
    assert yard.make() == {"t": "restored"}
    assert place.stat().st_mode & 0o777 == 0o755


# the store ---------------------------------------------------------------------------------------------------


def test_store_gone_changes_nothing_until_something_runs(chain):
    chain.make()
    shutil.rmtree(chain.store)
    assert set(chain.make().values()) == {"fresh"}
    chain.write("b.txt", "bb\n")
    assert chain.make() == {"a": "fresh", "b": "ran", "c": "ran"}
    assert chain.said == ["x:a: stored output is missing or corrupt; rebuilding"]
    assert "x:a" not in chain.ran  # taken from dist/


def test_store_gone_makes_again_what_lies_nowhere_else(yard):
    for number in range(6):
        yard.write(f"p{number}.txt", str(number))
        yard.target(f"p{number}", f"p{number}.txt", kept=False)
    yard.target("all", *(f"x:p{number}" for number in range(6)), "b.txt")
    yard.write("b.txt", "b\n")
    yard.make()
    shutil.rmtree(yard.store)
    yard.write("b.txt", "bb\n")
    assert yard.make()["all"] == "ran"
    assert len(yard.ran) == 7


def test_store_blob_of_an_input_altered_is_made_again(yard):
    yard.write("a.txt", "a" * 200)
    yard.target("a", "a.txt", kept=False)
    yard.target("b", "x:a", "b.txt")
    yard.write("b.txt", "b")
    yard.make()
    for path in (yard.store / "v2/blob").rglob("*"):
        if path.is_file() and path.stat().st_size == 200:
            path.chmod(0o644)
            path.write_text("A" * 200)
    yard.write("b.txt", "bb")
    assert yard.make() == {"a": "fresh", "b": "ran"}
    assert yard.dist() == {"b.out": "a" * 200 + "bb"}


def test_tree_is_used_where_it_lies_and_made_again_when_damaged(yard):
    def tree(room: Room) -> None:
        (room.outputs / "t").mkdir()
        (room.outputs / "t/tool").write_text("tool\n")

    def use(room: Room) -> None:
        (room.outputs / "u.out").write_text((room.trees["x:t"] / "tool").read_text())

    yard.target("t", action=tree, outputs=(Output(at="t", tree=True),))
    yard.target("u", "b.txt", action=use, uses=(Use(target="x:t"),))
    yard.write("b.txt", "b")
    yard.make()
    (tree_of_t,) = (yard.store / "v2/tree").iterdir()
    (open_up(tree_of_t) / "tool").unlink()
    assert set(yard.make().values()) == {"fresh"}
    yard.write("b.txt", "bb")
    assert yard.make() == {"t": "fresh", "u": "ran"}
    assert yard.ran == ["x:t", "x:u"]
    assert yard.dist() == {"u.out": "tool\n"}


# what goes wrong ---------------------------------------------------------------------------------------------


def test_failure_is_remembered_and_tried_again(chain):
    chain.make()

    def fail(room: Room) -> None:
        raise ActionError("it broke", detail="line 1", hint="mend it")

    before = dict(chain.actions)
    chain.actions["x:b"] = fail
    chain.write("b.txt", "bb\n")
    assert chain.make() == {"a": "fresh", "b": "failed", "c": "failed"}
    assert chain.build.outcomes["x:b"].message == "it broke\nline 1\n  hint: mend it"
    assert chain.dist()["b.out"] == "ONEb\n"
    assert chain.make()["b"] == "failed"
    assert chain.ran == ["x:b"]
    chain.write("b.txt", "b\n")  # undone: what was made before still holds
    assert set(chain.make().values()) == {"fresh"}
    chain.actions.update(before)
    chain.write("b.txt", "bb\n")
    assert chain.make() == {"a": "fresh", "b": "ran", "c": "ran"}


def test_defect_of_an_action_is_one_line_and_its_traceback_is_in_the_log(chain):
    chain.actions["x:a"] = lambda room: 1 / 0
    assert chain.make("x:a") == {"a": "failed"}
    log = chain.root / ".packyard/logs/x:a.log"
    assert chain.build.outcomes["x:a"].message == (
        f"internal error: ZeroDivisionError: division by zero\n  hint: the traceback is in {log}"
    )
    assert "ZeroDivisionError" in log.read_text()


def test_action_that_leaves_nothing_fails(chain):
    chain.actions["x:a"] = lambda room: None
    assert chain.make("x:a") == {"a": "failed"}
    assert chain.build.outcomes["x:a"].message == "the action succeeded but left no file 'a.out'"


def test_source_missing_is_named(chain):
    (chain.root / "b.txt").unlink()
    assert chain.states()["b"] == "waiting: x:a is not done"
    assert chain.make()["b"] == "failed"
    assert chain.build.outcomes["x:b"].message == "b.txt: is missing; packyard.toml needs it"


def test_source_changed_while_it_is_staged_is_taken_as_it_is_now(chain):
    build = chain.open()
    build.plan(chain.targets)
    chain.write("a.txt", "new words\n")
    assert build.make("x:a").how == "ran"
    build.trace.close()
    assert chain.dist() == {"a.out": "NEW"}
    assert chain.make()["a"] == "fresh"


def test_source_that_never_stands_still_is_named(chain, monkeypatch):
    from packyard.tasks.engine.execute import sandbox

    real = sandbox.stage
    count = 0

    def stage(*how) -> None:
        nonlocal count
        count += 1
        chain.write("a.txt", f"word{count}\n")
        real(*how)

    monkeypatch.setattr(sandbox, "stage", stage)
    assert chain.make("x:a") == {"a": "failed"}
    assert chain.build.outcomes["x:a"].message == "a.txt: changed while being read"


def test_source_changed_by_its_own_action_is_seen_next_time(chain):
    def rewrite(room: Room) -> None:
        upper_of_first_word(room)
        chain.write("a.txt", "late edit\n")

    chain.actions["x:a"] = rewrite
    assert chain.make()["a"] == "ran"
    chain.actions["x:a"] = upper_of_first_word
    assert chain.make()["a"] == "ran"
    assert chain.dist()["a.out"] == "LATE"


def test_interrupted_action_stores_nothing(chain, monkeypatch):
    """Its sandbox may have been removed under it: what it made of the rest is not its result."""

    def half(room: Room) -> None:
        monkeypatch.setattr(process._groups, "stopping", True)
        (room.outputs / "a.out").write_text("half")

    chain.actions["x:a"] = half
    assert chain.make("x:a") == {"a": "failed"}
    monkeypatch.setattr(process._groups, "stopping", False)
    chain.actions["x:a"] = upper_of_first_word
    assert chain.open().trace.failure("x:a") is None
    chain.build.trace.close()
    assert chain.make("x:a") == {"a": "ran"}
    assert chain.dist() == {"a.out": "ONE"}


def test_unchanged_targets_can_be_made_all_the_same(chain):
    """`doit --always` after the null path has vouched for everything."""
    chain.make()
    build = chain.open()
    build.trust(chain.targets)
    build.plan(chain.targets)
    assert [build.judge(name).state for name in chain.targets] == ["fresh"] * 3
    assert [build.make(name).how for name in chain.targets] == ["restored"] * 3
    build.trace.close()


def test_unchanged_targets_are_not_looked_at(chain, monkeypatch):
    chain.make()
    chain.write("a.txt", "another")
    build = chain.open()
    recalled: list[str] = []
    recall = build.trace.recall
    monkeypatch.setattr(build.trace, "recall", lambda names: recalled.extend(names) or recall(names))
    build.trust(["x:b", "x:c"])
    verdicts = build.plan(chain.targets)
    assert {name: verdict.state for name, verdict in verdicts.items()} == {
        "x:a": "stale", "x:b": "waiting", "x:c": "waiting",
    }  # fmt: skip
    assert recalled == ["x:a"]
    build.trace.close()


def test_unchanged_target_whose_record_is_torn_is_made_again(chain):
    chain.make()
    chain.write("b.txt", "another")
    chain.build.trace.close()
    db = sqlite3.connect(chain.root / FOLDER / FILE)
    db.execute("UPDATE target SET record = 'torn' WHERE name = 'x:a'")
    db.commit()
    db.close()
    build = chain.open()
    build.trust(["x:a"])
    verdicts = build.plan(chain.targets)
    assert {name: verdict.state for name, verdict in verdicts.items()} == {
        "x:a": "stale", "x:b": "waiting", "x:c": "waiting",
    }  # fmt: skip
    assert [build.make(name).how for name in chain.targets] == ["restored", "ran", "ran"]
    build.trace.close()


def test_torn_record_is_found_while_another_dependency_is_stale(yard):
    yard.write("a.txt", "a")
    yard.write("b.txt", "b")
    yard.target("a", "a.txt")
    yard.target("b", "b.txt")
    yard.target("c", "x:a", "x:b")
    yard.make()
    yard.write("a.txt", "another")
    db = sqlite3.connect(yard.root / FOLDER / FILE)
    db.execute("UPDATE target SET record = 'torn' WHERE name = 'x:b'")
    db.commit()
    db.close()
    build = yard.open()
    build.trust(["x:b"])
    verdicts = build.plan(yard.targets)
    assert {name: verdict.state for name, verdict in verdicts.items()} == {
        "x:a": "stale", "x:b": "stale", "x:c": "waiting",
    }  # fmt: skip
    assert [build.make(name).how for name in yard.targets] == ["ran", "restored", "ran"]
    build.trace.close()


def test_outcomes_name_artifacts_and_time(chain):
    chain.make("x:a")
    outcome = chain.build.outcomes["x:a"]
    assert outcome == Outcome(name="x:a", how="ran", seconds=outcome.seconds, artifacts=("dist/a.out",))
    assert 0 < outcome.seconds < 10


# several threads ---------------------------------------------------------------------------------------------


def test_targets_made_by_many_threads(yard):
    yard.write("a.txt", "a")
    for number in range(40):
        yard.target(str(number), "a.txt", params={"n": number})
    build = yard.open()
    build.plan(yard.targets)
    threads = [threading.Thread(target=build.make, args=(name,)) for name in yard.targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {outcome.how for outcome in build.outcomes.values()} == {"ran"}
    build.trace.close()
    assert set(yard.make().values()) == {"fresh"}


def lock(path: str, **more: Any) -> Prepare:
    return Prepare(run=f"{__name__}:write_lock", params={"path": path}, path=path, doing=f"making {path}", **more)


def write_lock(params: Mapping[str, Any], root: Path, *, downloads: Path) -> None:
    """Stands for what resolves a lock; the tests put another in its place."""
    raise NotImplementedError


@pytest.fixture
def writing(monkeypatch):
    """Sets what makes a lock."""
    me = types.ModuleType(__name__)
    monkeypatch.setitem(sys.modules, __name__, me)
    return lambda function: setattr(me, "write_lock", function)


def test_lock_being_made_does_not_stop_other_targets(yard, writing):
    asked, may_go_on = threading.Event(), threading.Event()

    def write(params: Mapping[str, Any], root: Path, *, downloads: Path) -> None:
        asked.set()
        assert may_go_on.wait(20)
        (root / params["path"]).write_text("lock\n")

    writing(write)
    yard.write("a.txt", "a")
    yard.target("a", "lock.toml", prepares=(lock("lock.toml"),))
    yard.target("b", "a.txt")
    build = yard.open()
    verdicts = build.plan(yard.targets)
    assert str(verdicts["x:a"]) == "stale: lock.toml is not there yet"
    thread = threading.Thread(target=build.make, args=("x:a",))
    thread.start()
    assert asked.wait(20)
    assert build.make("x:b").how == "ran"
    may_go_on.set()
    thread.join()
    assert build.outcomes["x:a"].how == "ran"
    assert yard.said == ["x:a: making lock.toml"]
    build.trace.close()
    assert yard.dist()["a.out"] == "lock\n"


def test_lock_is_made_while_its_target_waits_and_a_failure_is_told_by_that(yard, writing):
    asked: list[str] = []
    made = threading.Event()

    def write(params: Mapping[str, Any], root: Path, *, downloads: Path) -> None:
        asked.append(params["path"])
        if params["path"] == "bad.toml":
            raise ActionError("bad.toml: no versions found")
        (root / params["path"]).write_text("lock\n")
        made.set()

    writing(write)
    yard.target("a", "lock.toml", prepares=(lock("lock.toml"),))
    yard.target("b", "bad.toml", prepares=(lock("bad.toml"),))
    build = yard.open()
    build.plan(yard.targets)
    build.prepare(yard.targets)
    assert made.wait(20)  # before anybody asked for a target
    assert build.make("x:a").how == "ran"
    assert build.make("x:b").message == "bad.toml: no versions found"
    assert sorted(asked) == ["bad.toml", "lock.toml"]
    build.close()
    build.trace.close()


def test_lock_missing_is_an_error_when_nothing_may_be_resolved(yard):
    prepare = lock("ours.toml", refusal="lock.toml: is missing (--locked)", hint="commit it", settled=False)
    yard.target("a", "ours.toml", prepares=(prepare,))
    build = yard.open()
    strict = Build(yard.root, build.graph, build.trace, lambda: Store(yard.store), yard.said.append, locked=True)
    assert strict.make("x:a").message == "lock.toml: is missing (--locked)\n  hint: commit it"
    build.trace.close()
