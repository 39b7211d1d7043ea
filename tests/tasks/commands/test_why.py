"""`packyard why`."""

from __future__ import annotations

import json
import shutil
import time

import pytest
from packyard.formats.units import duration_text, size_text
from packyard.tasks.engine.store.runs import recall
from packyard.tasks.engine.trace.record import Record
from packyard.tasks.engine.trace.trace import Failure, Trace

from tests.tasks.commands.conftest import Space


def remembered(space: Space, name: str) -> Record:
    trace = Trace(space.root, readonly=True)
    record = trace.record(name)
    trace.close()
    assert record is not None
    return record


def made(space: Space, name: str, inputs: str) -> str:
    """The lines about what a target was last made from."""
    record = remembered(space, name)
    (path,) = record.artifacts.values()
    artifact = record.outputs[""]
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.at))
    return (
        f"  made      {when}, in {duration_text(record.seconds)}\n"
        f"  from      {inputs}\n"
        f"  key       {record.key}\n"
        f"  artifact  {path}  {size_text(artifact.size)}  sha256:{artifact.digest}\n"
    )


def when(space: Space, name: str) -> str:
    """The time of a target's youngest run, as it is shown."""
    run = next(recall(space.root.parent / "cache/store", name))
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(run.at))


def test_why_never_made_says_so(space: Space) -> None:
    assert space.output("why", "archive:inner") == "archive:inner is stale\n  because   it was never built here\n"


def test_why_fresh_tells_what_it_was_made_from(space: Space) -> None:
    space.build()
    assert space.output("why", "archive:outer") == (
        "archive:outer is fresh\n" + made(space, "archive:outer", "1 file, 1 artifact of other targets")
    )


def test_why_stale_tells_every_change(space: Space) -> None:
    space.write("src/b.txt", "b\n")
    space.build()
    space.write("src/a.txt", "other\n")
    (space.root / "src/b.txt").unlink()
    (space.root / "dist/inner-0.1.0.tar.gz").write_text("tampered")
    assert space.output("why", "archive:inner") == (
        "archive:inner is stale\n"
        "  because   src/a.txt changed\n"
        "            src/b.txt is gone\n"
        "            dist/inner-0.1.0.tar.gz was changed\n"
        + made(space, "archive:inner", "2 files, 0 artifacts of other targets")
    )


def test_why_waiting_leads_to_the_cause(space: Space) -> None:
    space.build()
    (space.root / "src/a.txt").chmod(0o755)
    assert space.output("why", "dist/outer-0.2.0.zip") == (
        "archive:outer is waiting\n"
        "  because   archive:inner is not done\n"
        + made(space, "archive:outer", "1 file, 1 artifact of other targets")
        + "\narchive:inner is stale\n  because   src/a.txt changed its mode\n"
    )


@pytest.mark.parametrize("log", [True, False])
def test_why_after_a_failure_shows_it_and_its_log(space: Space, log: bool) -> None:
    path = space.root / ".packyard/logs/archive:inner.log"
    if log:
        space.write(".packyard/logs/archive:inner.log", "all of it\n")
    trace = Trace(space.root)
    trace.fail("archive:inner", Failure(at=0.0, seconds=1.5, key="", message="one\n  hint: two", log=str(path)))
    trace.close()
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(0))
    assert space.output("why", "archive:inner") == (
        "archive:inner is stale\n"
        "  because   it was never built here\n"
        f"  failed    {when}, after 1.50 s\n"
        "            one\n"
        "              hint: two\n" + ("  log       .packyard/logs/archive:inner.log\n" if log else "")
    )


def test_why_as_json_has_all_ingredients(space: Space) -> None:
    space.build()
    space.write("src/a.txt", "other\n")
    values = json.loads(space.output("why", "archive:outer", "--json"))
    ingredients = values["made"].pop("ingredients")
    assert sorted(ingredients["inputs"]) == ["README.md"]
    assert sorted(ingredients["uses"]) == ["archive:inner#"]
    assert values["made"]["key"] == remembered(space, "archive:outer").key
    del values["made"]
    assert values == {
        "name": "archive:outer",
        "state": "waiting",
        "reasons": ["archive:inner is not done"],
        "stale": {"archive:inner": ["src/a.txt changed"]},
        "failed": None,
        "nearest": None,
    }


def test_why_compares_with_the_nearest_earlier_run(space: Space) -> None:
    space.write("src/b.txt", "b\n")
    space.build()
    first = when(space, "archive:inner")
    space.write("src/a.txt", "other\n")
    space.write("src/b.txt", "other too\n")
    space.build()
    space.write("src/b.txt", "b\n")
    about = made(space, "archive:inner", "2 files, 0 artifacts of other targets")
    assert space.output("why", "archive:inner") == (
        "archive:inner is stale\n  because   src/b.txt changed\n" + about  # no earlier run is nearer than the last one
    )
    space.write("src/a.txt", "a\n")
    assert space.output("why", "archive:inner") == (
        "archive:inner is stale\n"
        "  because   src/a.txt changed\n"
        "            src/b.txt changed\n"
        f"  nearest   {first} here\n"
        "            nothing differs: it is restored from the store\n" + about
    )
    assert space.build() == {"archive:inner": "restored", "archive:outer": "restored"}


def test_why_compares_with_a_run_in_another_workspace(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    space.write("src/b.txt", "b\n")
    space.build()
    first = when(space, "archive:inner")
    other = space.root.with_name("other")
    shutil.copytree(space.root, other, ignore=lambda *_: [".packyard", "dist"])
    monkeypatch.chdir(other)
    (other / "src/b.txt").write_text("other\n")
    assert space.output("why", "archive:outer") == (
        "archive:outer is waiting\n"
        "  because   archive:inner is not done\n"
        "\n"
        "archive:inner is stale\n"
        "  because   it was never built here\n"
        f"  nearest   {first} in {space.root}\n"
        "            src/b.txt changed\n"
    )
    values = json.loads(space.output("why", "archive:inner", "--json"))["nearest"]
    record = remembered(space, "archive:inner")
    assert values.pop("at") == pytest.approx(record.at, abs=5)
    assert values == {"where": str(space.root), "key": record.key, "differences": ["src/b.txt changed"]}


def test_why_without_a_target_is_a_usage_error(space: Space) -> None:
    assert space.run("why") == (
        2,
        "",
        "usage: packyard why [-h] [--json] target\npackyard why: error: the following arguments are required: target\n",
    )
