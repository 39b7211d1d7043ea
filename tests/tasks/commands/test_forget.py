"""`packyard forget`."""

from __future__ import annotations

import json

import pytest

from tests.tasks.commands.conftest import Space


def test_forget_of_a_target_makes_it_stale_and_the_build_restores_it(space: Space) -> None:
    space.build()
    assert space.output("forget", "archive:inner") == "forgot 1 target\n"
    (planned,) = json.loads(space.output("plan", "archive:inner", "--json"))
    assert (planned["state"], planned["reasons"]) == ("stale", ["it was never built here"])
    assert planned["nearest"]["differences"] == []  # the store still knows of the run
    assert space.build() == {"archive:inner": "restored"}


def test_forget_of_one_never_made_forgets_nothing(space: Space) -> None:
    assert space.output("forget", "archive:inner") == "forgot 0 targets\n"


@pytest.mark.parametrize("word", ["all", "--all", "-a"])
def test_forget_of_all_drops_every_record(space: Space, word: str) -> None:
    space.build()
    assert space.output("forget", word) == "forgot 2 targets\n"
    assert space.output("dumpdb") == ""


def test_forget_of_all_works_in_a_broken_workspace(space: Space) -> None:
    space.build()
    space.write("packyard.toml", "no TOML")
    assert space.output("forget", "--all") == "forgot 2 targets\n"


@pytest.mark.parametrize("words", [(), ("archive:inner", "--all")])
def test_forget_wants_targets_or_all(space: Space, words: tuple[str, ...]) -> None:
    assert space.run("forget", *words) == (
        2,
        "",
        "usage: packyard forget [-h] [-a] [target ...]\npackyard forget: error: name targets, or give --all\n",
    )
