"""Opening a workspace: its manifests are read again only when they may say something else."""

from __future__ import annotations

import shutil
from pathlib import Path

from packyard.tasks.engine.build.opening import open_workspace
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
