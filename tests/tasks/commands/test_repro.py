"""`packyard repro`: real builds of which some look at what is not an input of theirs."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.tasks.commands.conftest import Space

# Python imports this in every build: it lets the inner archive's action spoil its artifact.
_SPOILING = """\
import packyard.tasks.engine.execute.plain as building

honest = building.invoke

def invoke(run, room):
    honest(run, room)
    for path in room.outputs.glob("inner-*"):
        import os, pathlib, time
        with path.open("ab") as stream:
            stream.write({expression})

building.invoke = invoke
"""


@pytest.fixture
def spoil(space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Makes actions write what an expression gives."""

    def spoil(expression: str) -> None:
        (tmp_path / "spoiling").mkdir()
        (tmp_path / "spoiling/sitecustomize.py").write_text(_SPOILING.format(expression=expression))
        monkeypatch.setattr(sys, "path", [str(tmp_path / "spoiling"), *sys.path])

    return spoil


def test_repro_of_all_where_there_is_nothing_is_a_usage_error(space: Space) -> None:
    space.write("packyard.toml", '[workspace]\nname = "new"\n')
    assert space.run("repro", "--all") == (2, "", "error: --all: the workspace has no final artifact yet\n")


def test_repro_of_honest_targets_finds_nothing(space: Space) -> None:
    lines = space.output("repro", "--all").splitlines()
    assert lines[0] == "building under circumstances: plain"
    assert lines[1].startswith(
        "building under circumstances: different path, time zone, locale, umask, HOME, hash seed, "
    )
    assert lines[2:] == ["2 targets came out identical, byte for byte"]
    assert sorted(path.name for path in space.root.iterdir()) == ["README.md", "packyard.toml", "src"]


@pytest.mark.real
@pytest.mark.long
@pytest.mark.parametrize(
    ("expression", "cause"),
    [
        ('os.environ.get("TZ", "").encode()', "time zone"),
        ('os.environ.get("HOME", "").encode()', "HOME"),
        ('str(hash("text")).encode()', "hash seed"),
        ("oct((room.scratch / 'x').touch() or (room.scratch / 'x').stat().st_mode).encode()", "umask"),
        ("os.getcwd().encode()", "path"),
        ('os.environ.get("LANG", "").encode()', "locale"),
        pytest.param(
            'str(int(time.time()) // 1_000_000).encode()', "clock",
            marks=pytest.mark.skipif(not shutil.which("faketime"), reason="faketime is not installed"),
        ),
    ],
)  # fmt: skip
def test_repro_names_the_cause(space: Space, spoil, expression: str, cause: str) -> None:
    spoil(expression)
    status, out, err = space.run("repro", "--json", "dist/outer-0.2.0.zip")
    assert (status, err) == (1, "")
    (finding,) = json.loads(out)["findings"]
    assert finding["name"] == "archive:inner"
    assert finding["causes"] == [cause]
    assert finding["followers"] == ["archive:outer"]
    (difference,) = finding["differences"]
    assert difference.startswith("dist/inner-0.1.0.tar.gz: byte")


def test_repro_of_chance_says_that_nothing_causes_it(space: Space, spoil) -> None:
    spoil("os.urandom(8)")
    status, out, err = space.run("repro", "archive:inner")
    assert (status, err) == (1, "")
    lines = out.splitlines()
    start = lines.index("differs  archive:inner")
    assert lines[start + 2 :] == [
        "  cause: none of these; it differs from run to run",
        "1 target of 1 cannot be reproduced",
    ]


def test_repro_of_what_cannot_be_built_says_so(space: Space, spoil) -> None:
    spoil("1 / 0")
    status, out, err = space.run("repro", "archive:inner")
    assert (status, out) == (1, "building under circumstances: plain\n")
    assert err.startswith("error: the build failed under other circumstances: plain\n")
    assert "ZeroDivisionError" in err


@pytest.mark.parametrize("words", [(), ("--all", "archive:inner")])
def test_repro_of_nothing_or_too_much_is_a_usage_error(space: Space, words: tuple[str, ...]) -> None:
    status, _, err = space.run("repro", *words)
    assert status == 2
    assert err.endswith("name targets, or give --all\n")
