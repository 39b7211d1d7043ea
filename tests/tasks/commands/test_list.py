"""`packyard list`."""

from __future__ import annotations

import pytest

from tests.tasks.commands.conftest import Space


def test_list_shows_every_target(space: Space) -> None:
    assert space.output("list") == (
        "all             every final artifact\n"
        "archive:inner   the archive inner-0.1.0.tar.gz\n"
        "archive:outer   the archive outer-0.2.0.zip\n"
    )
    assert space.output("list", "--quiet", "--sort", "definition").split() == ["archive:inner", "archive:outer", "all"]


def test_list_of_an_artifact_shows_its_target(space: Space) -> None:
    assert space.output("list", "-q", "dist/inner-0.1.0.tar.gz").split() == ["archive:inner"]


def test_list_shows_what_would_run(space: Space) -> None:
    assert space.output("list", "--status", "--quiet", "archive:inner").split() == ["R", "archive:inner"]
    space.build()
    assert space.output("list", "--status", "--quiet", "archive:inner").split() == ["U", "archive:inner"]


def test_list_takes_a_template(space: Space) -> None:
    assert space.output("list", "--template", "a={name}", "archive:inner") == "a=archive:inner\n"


@pytest.mark.parametrize("template", ["{nope}", "{name", "{0}", "{name.x}"])
def test_list_refuses_what_is_no_template(space: Space, template: str) -> None:  # doit showed a traceback
    status, out, err = space.run("list", "--template", template)
    expected = f"{template!r} is not a template; expected {{name}}, {{doc}}, {{status}}"
    assert (status, out) == (2, "")
    assert err.splitlines()[-1] == f"packyard list: error: argument --template: {expected}"


@pytest.mark.parametrize("option", ["--json", "--db-file=x", "--backend=json", "--private"])
def test_list_refuses_options_that_mean_nothing(space: Space, option: str) -> None:
    status, out, err = space.run("list", option)
    assert (status, out) == (2, "")
    assert err.splitlines()[-1] == f"packyard list: error: unrecognized arguments: {option}"


def test_list_of_an_unknown_target_is_a_usage_error(space: Space) -> None:
    message = "error: 'inner' is neither a target nor a command\n  hint: did you mean 'archive:inner'?\n"
    assert space.run("list", "inner") == (2, "", message)
