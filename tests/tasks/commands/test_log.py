"""`packyard log`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from packyard.tasks.engine.execute import plain as building
from packyard.tasks.engine.execute.action import invoke
from packyard.tasks.errors import ActionError
from packyard.tasks.target.room import Room

from tests.tasks.commands.conftest import Space


@pytest.fixture(autouse=True)
def _talkative(monkeypatch: pytest.MonkeyPatch) -> None:
    """Actions tell what they found, and fail when a source says so."""

    def talk(run: str, room: Room) -> None:
        for path in sorted(path for path in room.inputs.rglob("*.*") if path.is_file()):
            room.say(f"found {path.relative_to(room.inputs)}")
            if path.read_bytes() == b"fail\n":
                raise ActionError("no such luck")
        invoke(run, room)

    monkeypatch.setattr(building, "invoke", talk)


def test_log_of_a_target_never_made_says_so(space: Space) -> None:
    assert space.run("log", "archive:inner") == (
        1,
        "",
        "error: archive:inner: it was never built here\n  hint: run 'packyard archive:inner'\n",
    )


def test_log_prints_what_the_action_wrote(space: Space) -> None:
    space.build()
    assert space.output("log", "archive:inner") == "found src/a.txt\n"
    assert space.output("log", "dist/inner-0.1.0.tar.gz") == "found src/a.txt\n"


def test_log_of_several_targets_names_each(space: Space) -> None:
    space.build()
    assert space.output("log", "archive:inner", "archive:outer") == (
        "==> archive:inner <==\nfound src/a.txt\n==> archive:outer <==\nfound README.md\nfound inner-0.1.0.tar.gz\n"
    )


def test_log_comes_out_of_the_store_when_the_result_did(space: Space) -> None:
    space.build()
    shutil.rmtree(space.root / ".packyard")
    shutil.rmtree(space.root / "dist")
    assert set(space.build().values()) == {"restored"}
    assert not (space.root / ".packyard/logs").exists()
    assert space.output("log", "archive:inner") == "found src/a.txt\n"


def test_log_of_a_restored_target_is_not_that_of_a_run_between(space: Space) -> None:
    space.build()
    (space.root / "src/b.txt").write_text("b\n")
    space.build()
    (space.root / "src/b.txt").unlink()
    assert space.build()["archive:inner"] == "restored"
    assert space.output("log", "archive:inner") == "found src/a.txt\n"


def test_log_of_a_failed_target_is_that_of_the_failure(space: Space) -> None:
    space.build()
    space.write("src/b.txt", "fail\n")
    assert space.build()["archive:inner"] == "failed"
    assert space.output("log", "archive:inner") == "found src/a.txt\nfound src/b.txt\n"
    assert space.output("log", "--made", "archive:inner") == "found src/a.txt\n"


def test_log_that_is_gone_says_how_to_have_it_again(space: Space, tmp_path: Path) -> None:
    space.build()
    shutil.rmtree(space.root / ".packyard/logs")
    space.output("cache", "clear")
    assert space.run("log", "archive:inner") == (
        1,
        "",
        "error: archive:inner: its log is no longer in the store\n"
        "  hint: run 'packyard forget archive:inner' and 'packyard archive:inner' to rebuild it\n",
    )
