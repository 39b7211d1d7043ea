"""`packyard help`."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from packyard.tasks.commands.table import COMMANDS, Group

from tests.tasks.commands.conftest import Space


def test_help_lists_every_command_in_its_group(space: Space) -> None:
    out = space.output("help")
    for group in get_args(Group):
        rows = out.partition(f"\n{group}:\n")[2].partition("\n\n")[0]
        assert re.findall(r"^  (\S+)", rows, re.M) == [one.name for one in COMMANDS if one.group == group]
    assert space.run("--help") == (0, out, "")


def test_help_is_no_wider_than_the_terminal(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert max(map(len, space.output("help").splitlines())) <= 60


@pytest.mark.parametrize("name", ["list", "info", "clean", "plan"])
def test_help_of_a_command_needs_no_workspace(space: Space, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(space.root.parent)
    assert space.output("help", name).startswith(f"usage: packyard {name} [-h]")


def test_help_of_a_target_tells_what_it_is(space: Space) -> None:
    assert space.output("help", "archive:inner") == "archive:inner  the archive inner-0.1.0.tar.gz\n"
    assert space.output("help", "dist/inner-0.1.0.tar.gz") == space.output("help", "archive:inner")
    assert space.output("help", "all") == "all  every final artifact\n"


@pytest.mark.parametrize(
    ("word", "hint"), [("nope", "'packyard list' shows them"), ("completoin", "did you mean 'completion'?")]
)
def test_help_of_an_unknown_word_is_a_usage_error(space: Space, word: str, hint: str) -> None:
    message = f"error: {word!r} is neither a target nor a command\n  hint: {hint}\n"
    assert space.run("help", word) == (2, "", message)
