"""What git ignores, as users meet it: it stays out, it makes nothing stale, and one notice tells of it."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.conftest import Space

BOTH = ["archive:inner", "archive:outer"]
NOTICE = """\
warning: 2 files that git ignores stay out of what is built: src/.env, src/secret/token.key
  hint: include = [...] in [tool.packyard] of a pyproject.toml brings files into its member; archives and slots take \
a file that they name without a wildcard
"""


def git(space: Space, *words: str) -> None:
    named = ("-c", "user.name=n", "-c", "user.email=n@n")
    subprocess.run(["git", "-C", space.root, *named, *words], check=True, capture_output=True)


def packed(space: Space) -> list[str]:
    with tarfile.open(space.root / "dist/inner-0.1.0.tar.gz") as archive:
        return [member.name for member in archive]


@pytest.fixture
def ignoring(space: Space) -> Space:
    """The workspace of two archives, committed, with two files that git ignores."""
    space.write(".gitignore", "/.packyard/\n/dist/\n.env\n*.key\n*.log\n")
    space.write("src/.env", "PASSWORD=x\n")
    space.write("src/secret/token.key", "x")
    git(space, "init", "-q")
    git(space, "add", "-A")
    git(space, "commit", "-qm", "x")
    return space


def test_ignored_files_stay_out_and_are_told_of_once(ignoring: Space) -> None:
    before = packed_without(ignoring)
    done = ignoring.packyard()
    assert done.ran == BOTH
    assert NOTICE in done.out
    assert packed(ignoring) == before
    ignoring.expect_nothing()
    ignoring.append("packyard.toml", "# read again\n")
    assert "warning" not in ignoring.packyard().out


def test_clone_gives_the_same_bytes(ignoring: Space) -> None:
    ignoring.packyard()
    made = ignoring.files("dist")
    clone = ignoring.beside("clone", PACKYARD_CACHE_DIR=str(ignoring.home / "other"))
    for path in ("src/.env", "src/secret/token.key"):
        clone.remove(path)
    clone.packyard()
    assert clone.files("dist") == made


def test_files_that_come_and_change_and_are_ignored_make_nothing_stale(ignoring: Space) -> None:
    ignoring.packyard()
    ignoring.write("src/.env", "PASSWORD=y\n")
    ignoring.expect_nothing()
    for path in ("src/run.log", "src/deep/er/run.log"):
        ignoring.write(path, "x\n")
    done = ignoring.packyard()
    assert (done.ran, done.restored) == ([], [])
    assert "warning: 4 files that git ignores stay out" in done.out
    ignoring.expect_nothing()


def test_edited_gitignore_and_added_files_are_noticed(ignoring: Space) -> None:
    ignoring.packyard()
    ignoring.write("src/.gitignore", "!.env\n")
    assert ignoring.packyard().ran == BOTH
    assert {"src/.env", "src/.gitignore"} <= set(packed(ignoring))
    ignoring.remove("src/.gitignore")
    assert ignoring.packyard().restored == BOTH
    git(ignoring, "add", "-f", "src/secret/token.key")
    assert ignoring.packyard().ran == BOTH
    assert "src/secret/token.key" in packed(ignoring)
    git(ignoring, "rm", "-q", "--cached", "src/secret/token.key")
    assert ignoring.packyard().restored == BOTH
    ignoring.write(".git/info/exclude", "a.txt\n")  # which git tracks already
    ignoring.write("src/new.txt", "x\n")
    assert ignoring.packyard().ran == BOTH
    ignoring.write(".git/info/exclude", "new.txt\n")
    assert ignoring.packyard().restored == BOTH


def test_index_that_git_only_refreshed_changes_nothing(ignoring: Space) -> None:
    ignoring.packyard()
    for path in ignoring.root.glob("src/*.txt"):
        path.write_bytes(path.read_bytes())
    git(ignoring, "update-index", "--refresh", "-q")
    git(ignoring, "commit", "-q", "--allow-empty", "-m", "y")
    ignoring.expect_nothing()


def test_repository_that_comes_later_is_noticed(space: Space) -> None:
    space.write("src/run.log", "x\n")
    space.packyard()
    assert "src/run.log" in packed(space)
    git(space, "init", "-q")
    Path(space.root / ".git/info").mkdir(exist_ok=True)
    space.write(".git/info/exclude", "*.log\n")
    assert space.packyard().ran == BOTH
    assert "src/run.log" not in packed(space)


def packed_without(space: Space) -> list[str]:
    """What the archive holds where there are no ignored files."""
    clean = space.beside("clean", PACKYARD_CACHE_DIR=str(space.home / "clean"))
    for path in ("src/.env", "src/secret/token.key", ".git"):
        clean.remove(path)
    clean.packyard()
    return packed(clean)
