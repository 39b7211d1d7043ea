"""The audit, with real strace: everything undeclared is listed, nothing that is declared."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from packyard.tasks.engine.execute import audit, sandbox
from packyard.tasks.engine.execute.audit import invoke_audited
from packyard.tasks.errors import ActionError
from packyard.tasks.target.target import Target

_ACTIONS = """\
import os, socket
from pathlib import Path
from packyard.tasks.errors import ActionError

def honest(room):
    (room.outputs / "out").write_bytes((room.inputs / "in.txt").read_bytes() + Path(room.params["file"]).read_bytes())
    Path("/sys/devices/system/cpu/online").read_bytes()  # as runtimes do that count processors
    room.run(["sh", "-c", "cat in.txt; ls . >../tmp/listing"])

def spoiled(room):
    away = Path("/" + "/".join(room.params["parts"]))
    (away / "read").read_bytes()
    (away / "written").write_text("x")
    (away / "folder").mkdir()
    room.run(["sh", "-c", f"cat {away}/by-a-tool; cd {away} && rm removed && mv moved 'to here'"])
    try:
        socket.create_connection(("127.0.0.1", 9), timeout=1)
    except OSError:
        pass

def fail(room):
    raise ActionError("no luck", hint="try again")
"""


@pytest.fixture
def audited(tmp_path: Path) -> Callable[..., list[str]]:
    """Audits one of these actions; what was found."""
    try:
        audit.strace()
    except ActionError as error:
        pytest.skip(str(error))
    (tmp_path / "code").mkdir()
    (tmp_path / "code/acting.py").write_text(_ACTIONS)
    log = tmp_path / "log"
    log.touch()

    def run(action: str, **params: object) -> list[str]:
        target = Target(name="x:y", doc="", place="", run=f"acting:{action}", params=params)
        with sandbox.room_for(target, os.urandom(8).hex(), log=log, trees={}) as room:
            (room.inputs / "in.txt").write_text("input\n")
            found = invoke_audited(target.run, room, path=(tmp_path / "code",))
            assert sorted(path.name for path in room.inputs.parent.iterdir()) == ["home", "in", "out", "tmp"]
        return found

    return run


def test_audit_of_honest_action_finds_nothing(audited: Callable[..., list[str]], tmp_path: Path) -> None:
    (tmp_path / "declared").write_text("by a parameter")
    assert audited("honest", file=str(tmp_path / "declared")) == []


def test_audit_lists_every_read_write_and_connection(audited: Callable[..., list[str]], tmp_path: Path) -> None:
    away = tmp_path / "away"
    away.mkdir()
    for name in ("read", "by-a-tool", "removed", "moved"):
        (away / name).write_text("x")
    assert audited("spoiled", parts=away.parts[1:]) == sorted(
        [
            "connects to 127.0.0.1 port 9",
            f"reads {away}/by-a-tool",
            f"reads {away}/read",
            f"writes {away}/folder",
            f"writes {away}/moved",
            f"writes {away}/removed",
            f"writes {away}/to here",
            f"writes {away}/written",
        ]
    )
    assert "input" not in (tmp_path / "log").read_text()


def test_audit_tells_the_failure_of_the_action_as_it_is(audited: Callable[..., list[str]]) -> None:
    with pytest.raises(ActionError) as caught:
        audited("fail")
    assert str(caught.value) == "no luck\n  hint: try again"


def test_audit_of_a_build_runs_what_the_store_has(audited: Callable[..., list[str]], built) -> None:  # type: ignore[no-untyped-def]
    built.packyard("forget", "archive:inner")
    done = built.packyard("--sandbox=audit", "archive:inner")
    assert done.ran == ["archive:inner"]
    assert "undeclared" not in done.out
    built.expect_nothing()
