"""The targets that the words of a command name."""

from __future__ import annotations

from pathlib import Path

import pytest
from packyard.tasks.console.selection import choose_targets
from packyard.tasks.errors import UsageError

KNOWN = ("archive:tools", "bundle:tools", "mojo:shapes")
OWNERS = {"dist/tools-1.0.zip": "archive:tools"}


def chosen(root: Path, *words: str, commands: tuple[str, ...] = ()) -> list[str]:
    return choose_targets(words, KNOWN, OWNERS, root, commands=commands)


def hint(root: Path, word: str, commands: tuple[str, ...] = ()) -> str:
    with pytest.raises(UsageError) as caught:
        chosen(root, word, commands=commands)
    assert repr(word) in str(caught.value)
    return caught.value.problems[0].hint


def test_target_is_named_by_its_name_or_by_its_artifact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dist").mkdir()
    monkeypatch.chdir(tmp_path)
    assert chosen(tmp_path, "mojo:shapes", "dist/tools-1.0.zip", "all") == ["mojo:shapes", "archive:tools", "all"]
    assert chosen(tmp_path, f"{tmp_path}/dist/tools-1.0.zip") == ["archive:tools"]
    monkeypatch.chdir(tmp_path / "dist")
    assert chosen(tmp_path, "tools-1.0.zip", "../dist/tools-1.0.zip") == ["archive:tools", "archive:tools"]


def test_word_that_names_nothing_proposes_what_may_be_meant(tmp_path: Path) -> None:
    assert hint(tmp_path, "tools") == "did you mean 'archive:tools' or 'bundle:tools'?"
    assert hint(tmp_path, "mojo:shape") == "did you mean 'mojo:shapes'?"
    assert hint(tmp_path, "plam", ("plan", "why")) == "did you mean 'plan'?"
    assert hint(tmp_path, "something else") == "'packyard list' shows them"
