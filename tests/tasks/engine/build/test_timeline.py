"""The timeline of a run, as a trace file."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from packyard.tasks.engine.build.timeline import Timeline


def events(timeline: Timeline, path: Path) -> list[dict]:
    timeline.write(path)
    return [event for event in json.loads(path.read_text())["traceEvents"] if event["ph"] == "X"]


def test_span_tells_what_and_when(tmp_path: Path) -> None:
    timeline = Timeline()
    with timeline.span("archive:a", "archive") as details:
        details["how"] = "ran"
    (event,) = events(timeline, tmp_path / "trace.json")
    assert (event["name"], event["cat"], event["tid"], event["args"]) == ("archive:a", "archive", 0, {"how": "ran"})
    assert event["ts"] >= 0
    assert event["dur"] >= 0
    assert [path.name for path in tmp_path.iterdir()] == ["trace.json"]


def test_spans_at_once_have_rows_of_their_own(tmp_path: Path) -> None:
    timeline = Timeline()
    inside, leave = threading.Barrier(3), threading.Event()

    def one(name: str) -> None:
        with timeline.span(name, "x"):
            inside.wait(5)
            leave.wait(5)

    threads = [threading.Thread(target=one, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    inside.wait(5)
    leave.set()
    for thread in threads:
        thread.join()
    with timeline.span("c", "x"):
        pass
    found = {event["name"]: event["tid"] for event in events(timeline, tmp_path / "t")}
    assert {found["a"], found["b"]} == {0, 1}
    assert found["c"] == 0


def test_span_that_fails_is_kept(tmp_path: Path) -> None:
    timeline = Timeline()
    with pytest.raises(ZeroDivisionError), timeline.span("a", "x"):
        raise ZeroDivisionError
    assert [event["name"] for event in events(timeline, tmp_path / "t")] == ["a"]


def test_timeline_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        Timeline().write(tmp_path / "nowhere" / "t")
