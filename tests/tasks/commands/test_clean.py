"""`packyard clean`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tasks.commands.conftest import Space

INNER, OUTER = "dist/inner-0.1.0.tar.gz", "dist/outer-0.2.0.zip"


@pytest.mark.parametrize(
    ("words", "removed"),
    [
        ((), [OUTER, INNER]),
        (("--clean-all",), [OUTER, INNER]),
        (("archive:outer",), [OUTER]),
        (("archive:outer", "--clean-dep"), [OUTER, INNER]),
        ((OUTER,), [OUTER]),
        (("archive:i*",), [INNER]),
    ],
)
def test_clean_removes_artifacts(space: Space, words: tuple[str, ...], removed: list[str]) -> None:
    space.build()
    assert sorted(space.output("clean", "--dry-run", *words).splitlines()) == sorted(f"removing {it}" for it in removed)
    assert all(Path(path).is_file() for path in removed)
    assert sorted(space.output("clean", *words).splitlines()) == sorted(f"removing {path}" for path in removed)
    assert {path for path in (INNER, OUTER) if Path(path).exists()} == {INNER, OUTER} - {*removed}


def test_clean_keeps_what_was_not_made_here(space: Space) -> None:
    space.build()
    Path(INNER).write_text("mine")
    assert space.output("clean", "archive:inner") == f"keeping {INNER}: it is not what Packyard made\n"
    assert Path(INNER).read_text() == "mine"


@pytest.mark.parametrize("word", ["nope", "nope:*"])
def test_clean_of_what_is_no_target_is_a_usage_error(space: Space, word: str) -> None:
    message = f"error: {word!r} is neither a target nor a command\n  hint: 'packyard list' shows them\n"
    assert space.run("clean", word) == (2, "", message)
