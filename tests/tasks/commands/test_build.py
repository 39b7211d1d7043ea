"""`packyard [run]`: its options. What a build does is tried where it is done."""

from __future__ import annotations

import pytest
from packyard.tasks.host.own import version

from tests.tasks.commands.conftest import Space


@pytest.mark.parametrize("words", [("--version",), ("run", "--version")])
def test_version_is_printed(space: Space, words: tuple[str, ...]) -> None:
    assert space.output(*words) == f"packyard {version()}\n"


@pytest.mark.parametrize("jobs", ["0", "-1", "many"])
def test_number_of_jobs_that_is_none_is_a_usage_error(space: Space, jobs: str) -> None:
    usage = "usage: packyard [OPTION...] [TARGET...]\n       packyard COMMAND [WORD...]\n"
    message = f"argument -n/--jobs: {jobs!r} is not a number of jobs; expected 1 or more, or 'auto'\n"
    assert space.run(f"--jobs={jobs}") == (2, "", f"{usage}packyard: error: {message}")
