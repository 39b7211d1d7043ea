"""Runs over graphs that no manifest describes: what is fresh is decided without a stored graph."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from packyard.tasks.console.display import Plain
from packyard.tasks.engine.build.opening import Opened
from packyard.tasks.engine.build.session import Session
from packyard.tasks.engine.execute import sandbox
from packyard.tasks.engine.graph.graph import Graph
from packyard.tasks.engine.trace.trace import Trace
from packyard.tasks.target.kinds import Kinds
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Output, Target


def write(room: Room) -> None:
    (room.outputs / "a").write_text(room.params["text"])


def remaining(root: Path, text: str) -> list[str]:
    """What a run over one target with this text has to look at; it is made."""
    target = Target(
        name="x:a", doc="", place="", run="x:write", params={"text": text}, final=True,
        outputs=(Output(at="a", artifact="dist/a"),),
    )  # fmt: skip
    session = Session(
        root, Kinds(), Plain(io.StringIO()), opened=lambda: Opened(root, Graph({"x:a": target}), Trace(root))
    )
    try:
        session.lock()
        found = session.begin(["x:a"]).remaining
        for name in found:
            assert session.make(name).how == "ran"
        session.finish()
        return found
    finally:
        session.close()


def test_declaration_changed_is_seen_where_no_graph_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKYARD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(sandbox, "base", lambda: tmp_path / "rooms")
    monkeypatch.setattr("packyard.tasks.engine.execute.plain.invoke", lambda run, room: write(room))
    (tmp_path / "rooms").mkdir()
    assert remaining(tmp_path, "one") == ["x:a"]
    assert remaining(tmp_path, "one") == []
    assert remaining(tmp_path, "two") == ["x:a"]
    assert (tmp_path / "dist/a").read_text() == "two"
    assert remaining(tmp_path, "two") == []
