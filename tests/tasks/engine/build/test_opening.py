"""Opening a workspace: its manifests are read again only when they may say something else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from packyard.tasks.engine.build.opening import open_workspace
from packyard.tasks.engine.graph import stored
from packyard.tasks.engine.trace.trace import Trace
from packyard.tasks.host.closure import Closure
from packyard.tasks.kinds import TABLE


def opened_as(root: Path, *, readonly: bool = False) -> str:
    opened = open_workspace(root, TABLE, readonly=readonly)
    assert opened.stored is not None
    if not readonly:
        opened.keep_graph()
    opened.trace.close()
    return opened.stored.identity  # has a new salt each time that the manifests are read


def test_artifacts_that_come_or_go_let_the_graph_stand(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "packyard.toml").write_text(
        '[workspace]\nname = "w"\n[[archive]]\nname = "a"\nversion = "1.0.0"\ninclude = ["a"]\n'
    )
    first = opened_as(tmp_path)
    (tmp_path / "dist").mkdir(exist_ok=True)
    (tmp_path / "dist/a-1.0.0.tar.gz").write_text("")
    assert opened_as(tmp_path) == first
    shutil.rmtree(tmp_path / "dist")
    assert opened_as(tmp_path) == first
    (tmp_path / "b").write_text("b")
    assert opened_as(tmp_path) != first


def test_looking_makes_no_folder(tmp_path: Path) -> None:
    (tmp_path / "packyard.toml").write_text('[workspace]\nname = "w"\n')
    opened_as(tmp_path, readonly=True)
    assert [path.name for path in tmp_path.iterdir()] == ["packyard.toml"]


def test_another_packyard_leaves_fresh_what_it_would_make_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep, judged = Trace.keep_graph, list[list[str]]()

    def keep_graph(self: Trace, graph: object, needed: object, changed: object, **more: object) -> None:
        judged.append(sorted(changed))  # type: ignore[call-overload]
        keep(self, graph, needed, changed, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Trace, "keep_graph", keep_graph)
    (tmp_path / "packyard.toml").write_text(
        '[workspace]\nname = "w"\n[[archive]]\nname = "a"\nversion = "1.0.0"\ninclude = ["a"]\n'
    )
    (tmp_path / "a").write_text("a")
    opened_as(tmp_path)
    monkeypatch.setattr(stored, "own_digest", lambda: "of a mended help text")
    (tmp_path / "b").write_text("lets the graph be read again")
    opened_as(tmp_path)
    monkeypatch.setattr(stored, "closure_of", lambda module: Closure(digest="mended", files=(), libraries=()))
    (tmp_path / "c").write_text("lets the graph be read again")
    opened_as(tmp_path)
    monkeypatch.setattr("platform.python_version", lambda: "3.99.0")
    (tmp_path / "d").write_text("lets the graph be read again")
    opened_as(tmp_path)
    assert judged == [["archive:a"], [], ["archive:a"], ["archive:a"]]
