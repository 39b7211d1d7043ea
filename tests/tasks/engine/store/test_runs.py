"""Earlier runs: remembered beside the store, compared by what they share, and not believed when they were altered."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packyard.tasks.engine.build.nearest import compare_nearest
from packyard.tasks.engine.store import runs
from packyard.tasks.engine.store.key import Ingredients, key_of
from packyard.tasks.engine.store.runs import Run, recall, remember
from packyard.tasks.engine.store.store import Store
from packyard.tasks.engine.trace.record import Record
from packyard.tasks.target.target import Source, Target

TARGET = Target(
    name="slot:app/data", doc="", place="", run="m:f", sources=(Source(path="src/a", at="a"), Source(path="b", at="b"))
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    yield Store(tmp_path / "store")


def made_from(params: dict[str, Any] | None = None, /, **inputs: str) -> Ingredients:
    return {
        "run": "m:f", "params": params or {}, "outputs": [], "inputs": {at: f"- {text}" for at, text in inputs.items()},
        "uses": {}, "packyard": "p", "python": "3",
    }  # fmt: skip


def ran(store: Store, ingredients: Ingredients, *, at: float) -> Path:
    """Remember a run at that second; its file."""
    run = Run(key=key_of(ingredients), at=at, where="/w", ingredients=ingredients)
    remember(store, TARGET.name, run)
    path = store.folder / "run/slot:app=data" / run.key
    os.utime(path, (at, at))
    return path


def nearest(store: Store, now: Ingredients, last: Ingredients | None = None) -> tuple[float, tuple[str, ...]] | None:
    """When the nearest run was, and what differs."""
    record = Record(key="", ingredients=last, outputs={}) if last else None
    found = compare_nearest(store.folder.parent, TARGET, now, record)
    return found and (found.run.at, found.differences)


def test_run_comes_back_as_it_was(store: Store) -> None:
    ingredients = made_from({"names": ["\udcff", 1]}, a="1")
    ran(store, ingredients, at=5.5)
    run = Run(key=key_of(ingredients), at=5.5, where="/w", ingredients=ingredients)
    assert list(recall(store.folder.parent, TARGET.name)) == [run]


def test_runs_of_a_target_or_store_that_is_not_there_are_none(store: Store, tmp_path: Path) -> None:
    assert not list(recall(store.folder.parent, "slot:other/data"))
    assert not list(recall(tmp_path / "nowhere", TARGET.name))
    assert not (tmp_path / "nowhere").exists()


def test_nearest_shares_most_and_then_is_the_youngest(store: Store) -> None:
    for at, ingredients in enumerate((made_from(a="1", b="1"), made_from(a="1", b="2"), made_from(a="2", b="3"))):
        ran(store, ingredients, at=at)
    assert nearest(store, made_from(a="1", b="1")) == (0.0, ())
    assert nearest(store, made_from(a="1", b="4")) == (1.0, ("b changed",))
    assert nearest(store, made_from(a="2", b="1")) == (2.0, ("b changed",))


def test_nearest_counts_parameters_by_their_text(store: Store) -> None:
    ran(store, made_from({"level": 1}), at=0)
    assert nearest(store, made_from({"level": True})) is None
    assert nearest(store, made_from({"level": 1}, a="1")) == (0.0, ("src/a is new",))


def test_run_that_shares_nothing_is_not_near(store: Store) -> None:
    ran(store, made_from(a="1"), at=0)
    assert nearest(store, made_from(a="2")) is None


def test_last_run_here_goes_before_one_that_shares_as_much(store: Store) -> None:
    ran(store, made_from(a="1", b="1"), at=0)
    assert nearest(store, made_from(a="1", b="2"), made_from(a="2", b="2")) is None
    assert nearest(store, made_from(a="1", b="2"), made_from(a="2", b="3")) == (0.0, ("b changed",))


def test_last_run_here_that_shares_all_is_the_nearest(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ran(store, made_from(a="1", b="1"), at=0)
    monkeypatch.setattr(runs, "recall", lambda store, name: pytest.fail("there is nothing to look for"))
    assert nearest(store, made_from(a="1", b="1"), made_from(a="1", b="1") | {"packyard": "other"}) is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"at":0,"where":"/w","ingredients":[]}'])
def test_run_that_is_no_run_is_passed_over(store: Store, text: str) -> None:
    path = ran(store, made_from(a="1"), at=0)
    path.chmod(0o600)
    path.write_text(text)
    assert nearest(store, made_from(a="1")) is None


def test_run_that_was_altered_is_passed_over(store: Store) -> None:
    path = ran(store, made_from(a="1", b="1"), at=0)
    path.chmod(0o600)
    path.write_text(path.read_text().replace('"b":"- 1"', '"b":"- 2"'))
    assert nearest(store, made_from(a="1", b="1")) is None
