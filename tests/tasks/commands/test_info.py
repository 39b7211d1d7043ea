"""`packyard info`."""

from __future__ import annotations

from tests.tasks.commands.conftest import Space


def test_info_shows_a_target_as_doit_sees_it(space: Space) -> None:
    status, out, err = space.run("info", "archive:outer")
    assert (status, err) == (1, "")  # it would run
    assert out.startswith("\narchive:outer\n\nthe archive outer-0.2.0.zip\n\nstatus     : run\n")
    assert out.endswith("\ntask_dep   : \n - archive:inner\n\ntargets    : \n - dist/outer-0.2.0.zip\n")


def test_info_of_a_fresh_target_ends_well(space: Space) -> None:
    space.build()
    assert "\nstatus     : up-to-date\n" in space.output("info", "archive:outer")
    assert space.output("info", "dist/outer-0.2.0.zip") == space.output("info", "archive:outer")


def test_info_without_status_does_not_look(space: Space) -> None:
    assert "status" not in space.output("info", "--no-status", "archive:outer")


def test_info_wants_one_target(space: Space) -> None:
    usage = "usage: packyard info [-h] [--no-status] target\npackyard info: error: "
    assert space.run("info") == (2, "", f"{usage}the following arguments are required: target\n")
    message = "error: 'inner' is neither a target nor a command\n  hint: did you mean 'archive:inner'?\n"
    assert space.run("info", "inner") == (2, "", message)
