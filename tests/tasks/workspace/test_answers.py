from __future__ import annotations

import os
from pathlib import Path

import pytest
from packyard.tasks.workspace import answers
from packyard.tasks.workspace.memo import PACKED_STAT, pack_stat


@pytest.fixture
def looks(tmp_path: Path) -> dict[str, bytes]:
    """Looks at a file and a folder, long after they were written."""
    (tmp_path / "f").write_text("one")
    os.utime(tmp_path / "f", (1, 1))
    return {path: PACKED_STAT.pack(*pack_stat((tmp_path / path).stat())) for path in ("f",)}


def test_answer_is_recalled_while_nothing_changes(tmp_path: Path, looks: dict[str, bytes]) -> None:
    answers.keep(tmp_path, "a", "question", looks, {"x": [1]})
    assert answers.recall(tmp_path, "a", "question") == {"x": [1]}
    assert answers.recall(tmp_path, "a", "other question") is None
    assert answers.recall(tmp_path, "b", "question") is None


@pytest.mark.parametrize("how", ["written", "gone", "damaged"])
def test_answer_is_forgotten_when_something_changes(tmp_path: Path, looks: dict[str, bytes], how: str) -> None:
    answers.keep(tmp_path, "a", "question", looks, "answer")
    if how == "written":
        (tmp_path / "f").write_text("two")
    elif how == "gone":
        (tmp_path / "f").unlink()
    else:
        (tmp_path / ".packyard/answers/a.json").write_text("{")
    assert answers.recall(tmp_path, "a", "question") is None


def test_answer_that_cannot_be_kept_is_no_error(tmp_path: Path) -> None:
    (tmp_path / ".packyard").write_text("a file")
    answers.keep(tmp_path, "a", "question", {}, "answer")
    assert answers.recall(tmp_path, "a", "question") is None
