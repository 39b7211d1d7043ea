"""`packyard dumpdb`."""

from __future__ import annotations

import json

from tests.tasks.commands.conftest import Space


def test_dumpdb_prints_one_object_a_line(space: Space) -> None:
    space.build()
    first, second = map(json.loads, space.output("dumpdb").splitlines())
    assert (first["name"], second["name"]) == ("archive:inner", "archive:outer")
    assert first["artifacts"] == {"": "dist/inner-0.1.0.tar.gz"}
    assert list(first["ingredients"]["inputs"]) == ["src/a.txt"]
    assert space.output("dumpdb", "all") == space.output("dumpdb")  # was a traceback


def test_dumpdb_of_a_target_prints_it_alone(space: Space) -> None:
    space.build()
    assert json.loads(space.output("dumpdb", "archive:outer"))["name"] == "archive:outer"


def test_dumpdb_of_nothing_made_prints_nothing(space: Space) -> None:
    assert space.output("dumpdb") == ""
