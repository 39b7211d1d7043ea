from __future__ import annotations

import dataclasses

import pytest
from packyard.tasks.engine.build.verdict import FRESH, Verdict, judge
from packyard.tasks.engine.trace.record import Record
from packyard.tasks.target.target import Made, Output, Source, Target
from packyard.tasks.workspace.memo import Look

TARGET = Target(
    name="x:a", doc="", place="", run="m:f",
    sources=(Source(path="src/a.txt", at="a.txt"), Source(path="src/b.txt", at="b.txt")),
    outputs=(Output(at="o", artifact="dist/o"),),
)  # fmt: skip
DIGEST = "00" * 32
NOW = {
    "run": "m:f",
    "params": {"epoch": 0, "deep": {"list": [1]}},
    "outputs": [["", "o", False]],
    "inputs": {"a.txt": f"- {DIGEST}"},
    "uses": {"x:b#": ["b", f"- {DIGEST}"], "x:b#part": ["c", f"- {DIGEST}"]},
    "packyard": "1",
    "python": "3.12.1",
}
RECORD = Record(key="", ingredients=NOW, outputs={"": Made(digest=DIGEST, size=0)}, artifacts={"": "dist/o"})
LOOK = Look((0, 0, 0, 0), False, bytes(32), bytes(16))
WHOLE = {"dist/o": LOOK}


def test_verdict_without_a_record_is_stale():
    assert judge(TARGET, None, NOW, {}) == Verdict("stale", ("it was never built here",))


def test_verdict_on_nothing_changed_is_fresh():
    assert judge(TARGET, RECORD, NOW, WHOLE) is FRESH
    assert str(FRESH) == "fresh"


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        ({"inputs": {"a.txt": "- 11"}}, "src/a.txt changed"),
        ({"inputs": {"a.txt": f"x {DIGEST}"}}, "src/a.txt changed its mode"),
        ({"inputs": {"a.txt": f"- {DIGEST}", "b.txt": "- 00"}}, "src/b.txt is new"),
        ({"inputs": {}}, "src/a.txt is gone"),
        ({"uses": {**NOW["uses"], "x:b#": ["b", "- 11"]}}, "x:b changed"),
        ({"uses": {**NOW["uses"], "x:b#part": ["c", "- 11"]}}, "x:b#part changed"),
        ({"uses": {"x:b#": NOW["uses"]["x:b#"]}}, "x:b#part is gone"),
        ({"params": {"epoch": 1, "deep": {"list": [1]}}}, "epoch changed from 0 to 1"),
        ({"params": {"epoch": 0, "deep": {"list": [1, "é"]}}}, 'deep.list changed from [1] to [1, "é"]'),
        ({"params": {"epoch": 0}}, 'deep changed from {"list": [1]} to null'),
        ({"params": {"epoch": False, "deep": {"list": [1]}}}, "epoch changed from 0 to false"),
        ({"run": "m:g"}, "the build function or its declared outputs changed"),
        ({"outputs": []}, "the build function or its declared outputs changed"),
        ({"packyard": "2"}, "Packyard itself changed"),
        ({"python": "3.13.0"}, "Python changed from 3.12.1 to 3.13.0"),
    ],
)
def test_verdict_names_what_changed(now, reason):
    assert judge(TARGET, RECORD, {**NOW, **now}, WHOLE) == Verdict("stale", (reason,))


def test_verdict_cuts_long_values():
    now = {**NOW, "params": {**NOW["params"], "epoch": "x" * 100}}
    assert judge(TARGET, RECORD, now, WHOLE).reasons == (f'epoch changed from 0 to "{"x" * 56}...',)


@pytest.mark.parametrize(
    ("look", "reason"),
    [
        (None, "dist/o is missing"),
        (dataclasses.replace(LOOK, digest=bytes(31) + b"1"), "dist/o was changed"),
        (dataclasses.replace(LOOK, executable=True), "dist/o was changed"),
    ],
)
def test_verdict_names_artifacts_that_are_not_as_made(look, reason):
    assert judge(TARGET, RECORD, NOW, {"dist/o": look}) == Verdict("stale", (reason,))


def test_verdict_lists_all_reasons():
    now = {**NOW, "inputs": {"a.txt": "- 11"}, "packyard": "2"}
    assert str(judge(TARGET, RECORD, now, {"dist/o": None})) == (
        "stale: src/a.txt changed; Packyard itself changed; dist/o is missing"
    )
