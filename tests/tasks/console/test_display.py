from __future__ import annotations

import io
import json

from packyard.tasks.console.display import Json, Plain, count_line, summary_lines
from packyard.tasks.console.live import Live
from packyard.tasks.engine.build.events import Outcome, Summary

RAN = Outcome(name="x:a", how="ran", seconds=1.234, artifacts=("dist/a",))
RESTORED = Outcome(name="x:b", how="restored", seconds=0.01)
FAILED = Outcome(name="x:c", how="failed", seconds=2, message="'tool' ended with status 1\nlast line")
FRESH = Outcome(name="x:d", how="fresh", seconds=0)
SUMMARY = Summary(
    seconds=3.5, outcomes=[RAN, RESTORED, FAILED], fresh=4, sizes={"dist/a": 1234567},
    removed=["dist/old"], blocked=["x:e", "x:f"],
)  # fmt: skip
LINES = [
    "made     dist/a  1.2 MB",
    "removed  dist/old",
    "",
    "x:c failed:",
    "  'tool' ended with status 1",
    "  last line",
    "  to run it alone: packyard x:c",
    "",
    "skipped because of that: x:e, x:f",
    "",
    "1 ran, 1 restored, 4 fresh, 1 failed, 2 skipped in 3.50 s",
]


def show(display) -> None:
    display.begin(8)
    display.start("x:a")
    display.note("a note")
    for outcome in (RAN, RESTORED, FAILED, FRESH):
        display.end(outcome)
    display.finish(SUMMARY)


def test_summary_tells_failures_and_counts_last():
    assert summary_lines(SUMMARY) == LINES


def test_summary_of_very_much_is_short():
    summary = Summary(
        seconds=1, outcomes=[FAILED], fresh=0, sizes={f"dist/{n}": 1000 for n in range(41)},
        blocked=[f"x:{n}" for n in range(30)],
    )  # fmt: skip
    lines = summary_lines(summary)
    assert lines[0] == "made     41 artifacts, 41.0 kB (--json lists them)"
    assert lines[-3] == f"skipped because of that: {', '.join(f'x:{n}' for n in range(20))} and 10 more"


def test_plain_gives_a_line_for_each_target_made():
    out = io.StringIO()
    show(Plain(out))
    assert out.getvalue().splitlines() == [
        "a note",
        "ran      x:a  1.23 s",
        "restored x:b  0.01 s",
        "failed   x:c  2.00 s",
        *LINES,
    ]


def test_json_gives_an_object_for_each_event():
    out = io.StringIO()
    display = Json(out)
    show(display)
    display.stop()
    events = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [event["event"] for event in events] == [
        "begin", "start", "note", "end", "end", "end", "end", "finish", "interrupted",
    ]  # fmt: skip
    assert events[0] == {"event": "begin", "total": 8}
    assert events[3] == {
        "event": "end", "name": "x:a", "how": "ran", "seconds": 1.234, "artifacts": ["dist/a"], "message": "",
    }  # fmt: skip
    assert events[7] == {
        "event": "finish", "seconds": 3.5, "fresh": 4, "ran": 1, "restored": 1, "failed": 1,
        "blocked": ["x:e", "x:f"], "artifacts": {"dist/a": 1234567}, "removed": ["dist/old"],
    }  # fmt: skip


def test_live_shows_the_same_lines_above_the_bar():
    out = io.StringIO()
    show(Live(out))
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    assert lines[0] == "a note"
    assert lines[1:4] == ["ran      x:a  1.23 s", "restored x:b  0.01 s", "failed   x:c  2.00 s"]
    assert lines[-len(LINES) :] == LINES


def test_count_line_says_nothing_to_do():
    assert count_line(Summary(seconds=0.05, outcomes=[], fresh=7, sizes={})) == (
        "nothing to do: 7 targets are fresh (0.05 s)"
    )
    assert count_line(Summary(seconds=0.05, outcomes=[], fresh=0, sizes={})) == (
        "nothing to do: the workspace has no final artifact yet (0.05 s)"
    )
