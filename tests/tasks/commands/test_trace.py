"""doit's commands about its database: `forget`, `dumpdb`, and those refused."""

from __future__ import annotations

import json

import pytest
from packyard.tasks.console.names import COMMANDS, DOIT_COMMANDS, TRACE_COMMANDS

from tests.tasks.commands.conftest import Space


def test_forget_of_a_target_makes_it_stale_and_the_build_restores_it(space: Space) -> None:
    space.build()
    assert space.output("forget", "archive:inner") == "forgot 1 target\n"
    (planned,) = json.loads(space.output("plan", "archive:inner", "--json"))
    assert (planned["state"], planned["reasons"]) == ("stale", ["it was never made here"])
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


def test_dumpdb_prints_one_object_a_line(space: Space) -> None:
    space.build()
    first, second = map(json.loads, space.output("dumpdb").splitlines())
    assert (first["name"], second["name"]) == ("archive:inner", "archive:outer")
    assert first["artifacts"] == {"": "dist/inner-0.1.0.tar.gz"}
    assert list(first["ingredients"]["inputs"]) == ["src/a.txt"]


def test_dumpdb_of_a_target_prints_it_alone(space: Space) -> None:
    space.build()
    assert json.loads(space.output("dumpdb", "archive:outer"))["name"] == "archive:outer"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            "ignore",
            "error: ignore: a target that is passed over would leave a stale artifact that looks fresh\n"
            "  hint: build others by name: 'packyard TARGET...'\n",
        ),
        (
            "reset-dep",
            "error: reset-dep: an artifact is fresh when it was made from its inputs, which cannot be declared "
            "afterwards\n  hint: run 'packyard': what the store has is restored, nothing runs twice\n",
        ),
        (
            "strace",
            "error: strace: an action runs in a folder that holds its declared inputs alone, there is nothing to "
            "trace\n  hint: 'packyard dumpdb TARGET' prints what it was made from\n",
        ),
    ],
)
def test_command_that_would_lie_is_refused(space: Space, command: str, message: str) -> None:
    assert space.run(command, "archive:inner") == (1, "", message)


@pytest.mark.parametrize("command", TRACE_COMMANDS)
def test_command_explains_itself(space: Space, command: str) -> None:
    status, out, _ = space.run(command, "--help")
    assert status == 0
    assert TRACE_COMMANDS[command].split()[0] in out


def test_help_lists_every_command(space: Space) -> None:
    out = space.output("help")
    assert [line.split()[0] for line in out.partition("commands (")[2].splitlines()[1:]] == [
        *COMMANDS,
        *DOIT_COMMANDS,
        *TRACE_COMMANDS,
    ]


@pytest.mark.parametrize("name", ["list", "info", "clean"])
def test_help_of_a_command_of_doit_needs_no_workspace(space: Space, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(space.root.parent)
    out = space.output(name, "--help")
    assert f"\n\nOPTIONS\n\n    {name}\n" in out
    assert space.output("help", name) == out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["list", "--json"], "list: option --json not recognized\n  hint: 'packyard help list' shows its options"),
        (["clean", "-x"], "clean: option -x not recognized\n  hint: 'packyard help clean' shows its options"),
        (["info"], "info: one target was expected\n  hint: 'packyard list' shows them"),
        (["info", "inner"], "'inner' is neither a target nor a command\n  hint: did you mean 'archive:inner'?"),
        (["clean", "nope"], "'nope' is neither a target nor a command\n  hint: 'packyard list' shows them"),
        (["help", "nope"], "'nope' is neither a target nor a command\n  hint: 'packyard list' shows them"),
    ],
)
def test_commands_of_doit_refuse_words_in_our_voice(space: Space, words: list[str], said: str) -> None:
    assert space.run(*words) == (2, "", f"error: {said}\n")


def test_help_of_a_command_is_its_own(space: Space) -> None:
    assert space.run("help", "forget") == space.run("forget", "--help")
