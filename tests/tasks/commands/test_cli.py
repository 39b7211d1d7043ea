"""The command line: which command is meant, and what the exit status says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tasks.commands.conftest import Space


def test_first_word_that_is_no_command_is_a_target(space: Space) -> None:
    space.build()
    for words in (["archive:inner"], ["run", "archive:inner"], ["dist/inner-0.1.0.tar.gz"]):
        assert space.output(*words).startswith("nothing to do: 1 targets are fresh (")


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("nope", "'packyard list' shows them"),
        ("complete", "did you mean 'completion'?"),
        ("inner", "did you mean 'archive:inner'?"),
        ("reset-dp", "'packyard list' shows them"),  # that one would only be refused
    ],
)
def test_word_that_names_nothing_is_a_usage_error(space: Space, word: str, hint: str) -> None:
    message = f"error: {word!r} is neither a target nor a command\n  hint: {hint}\n"
    assert space.run(word) == (2, "", message)


def test_command_is_not_proposed_where_a_target_is_wanted(space: Space) -> None:
    message = "error: 'plam' is neither a target nor a command\n  hint: 'packyard list' shows them\n"
    assert space.run("why", "plam") == (2, "", message)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            "bump minor nope",
            "error: 'nope' is not a member, meta-package, archive or site of this workspace\n"
"  hint: known: inner, outer\n",
        ),
        ("bump minor", "error: MEMBER: is missing; expected the name of a member\n"),
        ("lock nope", "error: 'nope' is not a member of this workspace\n  hint: there are: none\n"),
        ("check nope", "error: 'nope' has no items\n  hint: 'packyard check' lists all\n"),
        ("lint nope", "error: 'nope' is not a morloc package of this workspace\n  hint: there are: none\n"),
        ("trust remove nope", "error: 'nope' is not a trusted key\n  hint: there are: none\n"),
        ("uninstall nope --to home", "error: nope: is not installed\n"),
        ("verify --plane home", "error: home: has no plane 'default'\n  hint: choose one with --name\n"),
        ("extract app.psp out --slot nope", "error: app.psp: 'nope' is not a slot of this bundle; expected one of "
            "notes\n"),
        ("cache gc", "error: no size limit is set\n"
"  hint: set [cache] limit in packyard.toml, or give --limit\n"),
        ("serve", "error: this workspace has no site\n"
"  hint: add '[[docs]]' with name and version to packyard.toml\n"),
    ],
)  # fmt: skip
def test_name_that_nothing_bears_is_a_usage_error(
    space: Space, bundle: Path, monkeypatch: pytest.MonkeyPatch, words: str, message: str
) -> None:
    monkeypatch.setenv("PACKYARD_CONFIG_DIR", str(space.root / "config"))
    (space.root / "home").mkdir()
    assert space.run(*words.split()) == (2, "", message)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("bump nope", "argument patch|minor|major: invalid choice: 'nope' (choose from 'patch', 'minor', 'major')"),
        ("serve --port 70000", "argument --port: '70000' is not a port; expected 0 to 65535"),
        ("watch --nope", "unrecognized arguments: --nope"),
        ("ignore --nope", "unrecognized arguments: --nope"),
        ("ci nope", "unrecognized arguments: nope"),
    ],
)
def test_option_or_value_that_is_unknown_is_a_usage_error(space: Space, words: str, message: str) -> None:
    status, out, err = space.run(*words.split())
    assert (status, out) == (2, "")
    assert err.splitlines()[-1] == f"packyard {words.split(maxsplit=1)[0]}: error: {message}"


def test_package_that_cannot_be_named_so_is_a_usage_error(space: Space) -> None:
    status, out, err = space.run("install", "Not:valid", "web.psp")
    assert (status, out) == (2, "")
    assert [line.partition(";")[0].partition(",")[0] for line in err.splitlines() if line.startswith("error: ")] == [
        "error: 'Not:valid' is not a repository",
        "error: 'web.psp' is neither a Mojo nor a morloc package",
    ]


@pytest.mark.parametrize("words", ["inspect nope", "diff nope nope", "extract nope out", "verify nope"])
def test_file_that_is_not_there_is_no_usage_error(space: Space, words: str) -> None:
    assert space.run(*words.split())[0] == 1
