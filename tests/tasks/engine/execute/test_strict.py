"""The strict sandbox, with real bubblewrap: what is declared can be seen, everything else cannot."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from packyard.tasks.engine.execute import sandbox
from packyard.tasks.engine.execute.strict import bubblewrap, invoke_strictly
from packyard.tasks.errors import ActionError
from packyard.tasks.target.target import Target

_ACTIONS = """\
import os, socket, subprocess
from pathlib import Path
from packyard.tasks.errors import ActionError

def read(room):
    (room.outputs / "out").write_bytes(Path(room.params["file"]).read_bytes())

def read_by_part(room):
    (room.outputs / "out").write_bytes(Path("/" + "/".join(room.params["parts"])).read_bytes())

def tool(room):
    room.run(["sh", "-c", "cat in.txt && ls /"])
    room.say(" ".join(sorted(os.environ)))

def tree(room):
    (room.outputs / "out").write_bytes((room.trees["tool:x"] / "data").read_bytes())
    (room.trees["tool:x"] / "more").write_text("")

def write(room):
    Path("/" + "/".join(room.params["parts"])).write_text("undeclared")

def connect(room):
    socket.create_connection(("127.0.0.1", room.params["port"]), timeout=2).close()

def fail(room):
    raise ActionError("no luck", detail="line 1", hint="try again")

def crash(room):
    os.abort()

def variable(room):
    (room.outputs / "out").write_text(str(os.environ.get("A_SECRET")) + str(os.environ.get("OTHER")))
"""


Strict = Callable[..., Path]


@pytest.fixture
def strict(tmp_path: Path) -> Strict:
    """Runs one of these actions strictly; the folder of what it made."""
    try:
        bubblewrap()
    except ActionError as error:
        pytest.skip(str(error))
    (tmp_path / "code").mkdir()
    (tmp_path / "code/acting.py").write_text(_ACTIONS)
    log = tmp_path / "log"
    log.write_bytes(b"")

    def run(action: str, params: dict | None = None, *, network: bool = False, tree: Path | None = None, local=None):
        target = Target(
            name="x:y",
            doc="",
            place="",
            run=f"acting:{action}",
            params=params or {},
            network=network,
            local=local or {},
        )
        trees = {"tool:x": tree} if tree else {}
        with sandbox.room_for(target, os.urandom(8).hex(), log=log, trees=trees) as room:
            (room.inputs / "in.txt").write_text("input\n")
            invoke_strictly(target.run, room, path=[tmp_path / "code"])
            made = tmp_path / "made"
            room.outputs.rename(made)
        return made

    return run


def parts(path: Path) -> dict:
    return {"parts": path.parts[1:]}


def test_strict_action_sees_what_its_parameters_name(strict: Strict, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("content")
    assert (strict("read", {"file": str(tmp_path / "key")}) / "out").read_text() == "content"


def test_strict_action_reading_what_is_not_declared_fails(strict: Strict, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("content")
    with pytest.raises(ActionError, match="FileNotFoundError") as caught:
        strict("read_by_part", parts(tmp_path / "secret"))
    assert str(tmp_path / "secret") in str(caught.value)


def test_strict_action_writing_elsewhere_leaves_nothing(strict: Strict, tmp_path: Path) -> None:
    for path in (tmp_path / "spoiled", Path("/etc/packyard-spoiled"), tmp_path / "code/spoiled"):
        with contextlib.suppress(ActionError):  # a write into the sandbox's own /tmp goes well
            strict("write", parts(path))
            shutil.rmtree(tmp_path / "made")
        assert not path.exists()


def test_strict_action_runs_tools_that_see_as_little(strict: Strict, tmp_path: Path) -> None:
    strict("tool")
    ran, content, *rest = (tmp_path / "log").read_text().splitlines()
    assert (ran, content) == ("$ sh -c 'cat in.txt && ls /'", "input")
    system = {"bin", "dev", "etc", "lib", "lib32", "lib64", "proc", "root", "sbin", "tmp", "usr"}
    own = {Path(place).parts[1] for place in (sys.prefix, sys.base_prefix, sandbox.__file__)}  # Python and Packyard
    assert {*rest[:-1]} <= system | own
    assert "PACKYARD_CACHE_DIR" not in rest[-1]


def test_strict_action_reads_its_trees_and_cannot_change_them(strict: Strict, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/data").write_text("tool")
    with pytest.raises(ActionError, match="Read-only file system"):
        strict("tree", tree=tmp_path / "tree")
    assert [path.name for path in (tmp_path / "tree").iterdir()] == ["data"]


@pytest.mark.parametrize("network", [True, False])
def test_strict_action_has_a_network_only_if_it_declares_it(strict: Strict, network: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = {"port": server.getsockname()[1]}
        if network:
            strict("connect", port, network=True)
        else:
            with pytest.raises(ActionError, match=r"ConnectionRefusedError|unreachable"):
                strict("connect", port)


def test_strict_action_tells_its_failure_as_it_is(strict: Strict) -> None:
    with pytest.raises(ActionError) as caught:
        strict("fail")
    assert (caught.value.message, caught.value.detail, caught.value.hint) == ("no luck", "line 1", "try again")


def test_strict_action_that_crashes_is_said(strict: Strict) -> None:
    with pytest.raises(ActionError, match=r"'bwrap' (ended with status 134|crashed)"):
        strict("crash")


@pytest.mark.parametrize(("local", "expected"), [(True, "xNone"), (False, "NoneNone")])
def test_strict_action_gets_a_secret_only_when_it_is_local(
    strict: Strict, monkeypatch: pytest.MonkeyPatch, local: bool, expected: str
) -> None:
    monkeypatch.setenv("A_SECRET", "x")
    monkeypatch.setenv("OTHER", "y")
    made = strict("variable", {"variable": "A_SECRET"}, local={"variable": "A_SECRET"} if local else {})
    assert (made / "out").read_text() == expected


def test_room_is_left_as_an_action_leaves_it(strict: Strict, tmp_path: Path) -> None:
    made = strict("read", {"file": str(tmp_path / "log")})
    assert [path.name for path in made.iterdir()] == ["out"]
