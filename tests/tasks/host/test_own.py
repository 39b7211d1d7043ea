"""What this Packyard is: its files and their digest."""

from __future__ import annotations

from pathlib import Path

import pytest
from packyard.tasks.host import own
from packyard.tasks.host.own import own_digest, own_files


def test_own_digest_follows_own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = own_digest()
    (tmp_path / "a.py").write_text("1")
    monkeypatch.setattr(own, "TASKS", tmp_path / "tasks")
    monkeypatch.setattr(own, "own_files", lambda: [tmp_path / "a.py"])
    own_digest.cache_clear()
    try:
        one = own_digest()
        (tmp_path / "a.py").write_text("2")
        own_digest.cache_clear()
        assert len({before, one, own_digest()}) == 3
    finally:
        own_digest.cache_clear()


def test_own_files_are_those_of_tasks_and_formats() -> None:
    names = {path.relative_to(own.TASKS.parent).as_posix() for path in own_files()}
    assert {"tasks/engine/execute/action.py", "formats/archive/tarball.py", "tasks/__init__.py"} <= names
