"""What `packyard bump` prints, asks and refuses; what it changes is in tests/tasks/publish/test_bump.py."""

from __future__ import annotations

import io
import json

import pytest

from tests.tasks.commands.conftest import Space

PLAN = """\
packyard.toml  archive[0].version  0.1.0 -> 0.2.0
CHANGELOG.md                       Unreleased -> [inner 0.2.0] - 2026-11-25
"""
CHANGES = "## [Unreleased]\n\n- It.\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def changed(space: Space, monkeypatch: pytest.MonkeyPatch) -> Space:
    monkeypatch.setattr("time.strftime", lambda form, when: "2026-11-25")
    space.write("CHANGELOG.md", CHANGES)
    return space


def version(space: Space) -> str:
    return (space.root / "packyard.toml").read_text().partition('version = "')[2][:5]


def test_bump_shows_the_plan_and_writes_it(changed: Space) -> None:
    assert changed.output("bump", "minor", "inner", "--dry-run") == PLAN
    assert version(changed) == "0.1.0"
    assert changed.output("bump", "minor", "inner") == PLAN + "wrote 2 files\n"
    assert version(changed) == "0.2.0"
    assert (changed.root / "CHANGELOG.md").read_text() == "## [Unreleased]\n\n## [inner 0.2.0] - 2026-11-25\n\n- It.\n"


def test_bump_as_json_is_the_plan(changed: Space) -> None:
    plan = json.loads(changed.output("bump", "major", "outer", "--json"))
    assert plan["versions"] == [["outer", "1.0.0"]]
    assert plan["texts"] == ["CHANGELOG.md", "packyard.toml"]
    assert plan["changes"][0] == {
        "place": "packyard.toml", "key": "archive[1].version", "before": "0.2.0", "after": "1.0.0", "why": "",
    }  # fmt: skip


@pytest.mark.parametrize(("answer", "status", "after"), [("y\n", 0, "0.2.0"), ("\n", 1, "0.1.0"), ("", 1, "0.1.0")])
def test_bump_asks_at_a_terminal(
    changed: Space, monkeypatch: pytest.MonkeyPatch, answer: str, status: int, after: str
) -> None:
    out = Terminal()
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    monkeypatch.setattr("sys.stdout", out)
    assert changed.run("bump", "minor", "inner")[0] == status
    assert version(changed) == after
    assert out.getvalue().startswith(PLAN + "write this? [y/N] ")
    assert out.getvalue().endswith("wrote 2 files\n" if after == "0.2.0" else "nothing was written\n")


def test_bump_without_words_shows_what_is_due(space: Space) -> None:
    assert space.output("bump") == "no step is due\n"
    assert json.loads(space.output("bump", "--json")) == {"due": []}


def test_bump_refuses_words_that_mean_nothing(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(space.root.parent))
    assert space.run("bump", "minor") == (2, "", "error: MEMBER: is missing; expected the name of a member\n")
    assert space.run("bump", "huge", "inner")[0] == 2
    assert space.run("bump", "minor", "iner") == (
        2, "",
        "error: 'iner' is not a member, meta-package, archive or site of this workspace\n"
"  hint: did you mean 'inner'?\n",
    )  # fmt: skip
    status, out, err = space.run("bump", "minor", "inner", "--tag")
    assert (status, out) == (1, "")
    assert err.startswith(f"error: {space.root} is not in a git repository: ")
    assert version(space) == "0.1.0"
