from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

import pytest
from packyard.tasks.engine.trace.record import Record
from packyard.tasks.engine.trace.trace import Failure, StoredGraph, Trace
from packyard.tasks.errors import ActionError
from packyard.tasks.nullpath import FILE, FOLDER
from packyard.tasks.target.target import Made
from packyard.tasks.workspace.memo import Look

LOOK = Look((7, 1, 2, 3), True, bytes(range(32)), bytes(range(16)))
OTHER = Look((-1, -5, 2, (1 << 63) - 1), False, bytes(32), bytes(16))
RECORD = Record(
    key="k", ingredients={"inputs": {"a": "- 00"}, "params": {"n": [1, None, "é"]}},
    outputs={"": Made(digest="00", size=3), "tree": Made(digest="11", size=4, tree=True)},
    artifacts={"": "dist/a"}, seconds=0.25, at=12.5, log="22",
)  # fmt: skip


def graph(text: bytes = b"{}", needed: int = 1) -> StoredGraph:
    return StoredGraph(
        identity="salt:1", variables=("A", "B"), needed=needed, maker="this", paths=b"a\0\xff", stats=bytes(64),
        questions=("bytes",), answers=bytes(34), text=text,
    )  # fmt: skip


def commit(trace: Trace, name: str, deps: tuple[str, ...] = (), dependents: tuple[str, ...] = ()) -> None:
    trace.commit(name, RECORD, {"a": LOOK}, needed=True, deps=deps, dependents=dependents)


@pytest.fixture
def trace(tmp_path: Path):
    trace = Trace(tmp_path)
    yield trace
    trace.close()


def looks(trace: Trace, names: list[str]) -> dict[str, dict[str, Look]]:
    return {name: found for name, found, _ in trace.recall(names)}


def test_record_committed_is_read_by_the_next_run(trace, tmp_path):
    trace.commit("x:a", RECORD, {"a": LOOK, "ü/\udcfe": OTHER}, needed=True, deps=(), dependents=())
    trace.close()
    later = Trace(tmp_path)
    assert later.record("x:a") == RECORD
    assert looks(later, ["x:a", "x:none"]) == {"x:a": {"a": LOOK, "ü/\udcfe": OTHER}}
    assert later.record("x:none") is None
    assert later.records() == {"x:a": RECORD}
    later.close()


def test_target_without_files_has_no_looks(trace):
    trace.commit("x:a", RECORD, {}, needed=True, deps=(), dependents=())
    assert looks(trace, ["x:a"]) == {"x:a": {}}


def test_commit_marks_itself_fresh_and_its_dependents_not(trace):
    for name in ("x:a", "x:b", "x:c"):
        commit(trace, name)
    assert trace.fresh() == {"x:a", "x:b", "x:c"}
    commit(trace, "x:a", dependents=("x:b",))
    assert trace.fresh() == {"x:a", "x:c"}


def test_refresh_keeps_the_record(trace):
    commit(trace, "x:a")
    commit(trace, "x:b")
    trace.refresh({"x:a": {"a": OTHER}, "x:b": None})
    assert looks(trace, ["x:a"]) == {"x:a": {"a": OTHER}}
    assert trace.fresh() == {"x:a"}
    assert trace.record("x:b") == RECORD


def test_failure_is_kept_until_success(trace):
    commit(trace, "x:a")
    failure = Failure(at=1.0, seconds=2.0, key="k", message="why \udcff", log="log")
    trace.fail("x:a", failure)
    found = trace.failure("x:a")
    assert found is not None
    assert (found.message, found.log) == ("why \\udcff", "log")
    assert trace.record("x:a") == RECORD
    commit(trace, "x:a")
    assert trace.failure("x:a") is None


def test_graph_kept_is_read(trace):
    assert trace.graph() is None
    trace.keep_graph(graph(), {"x:a": True}, [])
    assert trace.graph() == graph()


def test_graph_changed_makes_what_changed_unsure_and_those_gone_orphans(trace):
    for name in ("x:a", "x:b", "x:c"):
        commit(trace, name)
    trace.keep_graph(graph(b"one"), {"x:a": True, "x:b": True, "x:c": False}, ["x:b"])
    assert trace.fresh() == {"x:a", "x:c"}
    trace.keep_graph(graph(b"two", needed=2), {}, [], text=False)  # only the stats of what it was read from
    assert trace.graph() == graph(b"one", needed=2)
    assert trace.fresh() == {"x:a", "x:c"}
    trace.keep_graph(graph(b"two"), {"x:b": True, "x:c": False}, [])
    assert trace.fresh() == {"x:c"}
    assert trace.orphans() == {"x:a": RECORD}
    trace.forget(["x:a"])
    assert trace.orphans() == {}


def test_trace_written_by_many_threads(trace):
    def work(number: int) -> None:
        for index in range(10):
            commit(trace, f"x:{number}-{index}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(trace.records()) == 80


def test_readonly_makes_nothing(tmp_path):
    trace = Trace(tmp_path, readonly=True)
    assert (trace.graph(), trace.records()) == (None, {})
    trace.close()
    assert list(tmp_path.iterdir()) == []


def test_trace_damaged_is_set_aside(tmp_path):
    place = tmp_path / FOLDER / FILE
    place.parent.mkdir()
    place.write_bytes(b"no database at all" * 100)
    trace = Trace(tmp_path)
    aside = next(place.parent.glob("*.aside"))
    assert trace.notice == (
        f".packyard/trace.sqlite: is corrupt (file is not a database); it was set aside as {aside.name}; artifacts "
        "are restored from the store"
    )
    commit(trace, "x:a")
    trace.close()
    assert Trace(tmp_path).notice == ""


def test_trace_damaged_is_not_set_aside_by_a_question(tmp_path):
    place = tmp_path / FOLDER / FILE
    place.parent.mkdir()
    place.write_bytes(b"no database at all" * 100)
    assert Trace(tmp_path, readonly=True).records() == {}
    assert os.listdir(place.parent) == [FILE]


def test_trace_of_other_version_is_set_aside(trace, tmp_path):
    commit(trace, "x:a")
    trace.close()
    db = sqlite3.connect(tmp_path / FOLDER / FILE)
    db.execute("PRAGMA user_version = 3")
    db.close()
    later = Trace(tmp_path)
    assert "was written by another version (format 3, this is 2)" in later.notice
    assert later.records() == {}
    later.close()


def test_trace_whose_place_is_taken_is_said(tmp_path):
    (tmp_path / FOLDER).write_text("a file")
    with pytest.raises(ActionError, match=r"\.packyard: cannot be made: File exists"):
        Trace(tmp_path)


def test_trace_that_cannot_be_opened_is_said_and_stays(tmp_path):
    (tmp_path / FOLDER / FILE).mkdir(parents=True)
    with pytest.raises(ActionError) as caught:
        Trace(tmp_path)
    assert str(caught.value) == ".packyard/trace.sqlite: cannot be opened: unable to open database file"
    assert (tmp_path / FOLDER / FILE).is_dir()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"outputs": {"": {}}}', '{"outputs": {}, "other": 1}'])
def test_record_torn_is_none(trace, tmp_path, text):
    commit(trace, "x:a")
    db = sqlite3.connect(tmp_path / FOLDER / FILE)
    db.execute("UPDATE target SET record = ?, stats = x'00'", (text,))
    db.commit()
    db.close()
    assert trace.record("x:a") is None
    assert trace.records() == {}
    assert looks(trace, ["x:a"]) == {"x:a": {}}
    trace.keep_graph(graph(), {}, [])
    assert trace.orphans() == {"x:a": None}
