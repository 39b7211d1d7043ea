"""`packyard watch`: a real process that builds whenever a file changes."""

from __future__ import annotations

import signal
import subprocess

import pytest


def until(watching: subprocess.Popen[str], start: str) -> list[str]:
    """The lines up to the one that begins so."""
    lines: list[str] = []
    assert watching.stdout is not None
    for line in watching.stdout:
        lines.append(line.rstrip("\n"))
        if line.startswith(start):
            return lines
    raise AssertionError(f"ended: {lines}")


@pytest.fixture
def watching(space):
    child = space.start("watch")
    yield child
    child.kill()
    child.communicate()


def test_watch_builds_after_each_edit_and_ends_when_interrupted(space, watching):
    made = until(watching, "watching")
    assert sum(line.startswith("ran ") for line in made) == 2
    space.append("src/a.txt", "more\n")
    made = until(watching, "watching")
    assert [line.split()[1] for line in made if line.startswith("ran ")] == ["archive:inner", "archive:outer"]
    space.append("LICENSE", "more\n")
    made = until(watching, "watching")
    assert [line.split()[1] for line in made if line.startswith("ran ")] == ["archive:outer"]
    space.remove("dist/outer-0.2.0.zip")
    made = until(watching, "watching")
    assert [line.split()[1] for line in made if line.startswith("restored ")] == ["archive:outer"]
    watching.send_signal(signal.SIGINT)
    assert watching.wait(10) == 130
    space.expect_nothing()


def test_watch_goes_on_after_a_broken_manifest(space, watching):
    until(watching, "watching")
    whole = space.text("packyard.toml")
    space.write("packyard.toml", "[workspace\n")
    until(watching, "watching")
    space.write("packyard.toml", whole.replace('"0.2.0"', '"0.3.0"'))
    until(watching, "watching")
    assert (space.root / "dist/outer-0.3.0.zip").exists()
