"""What differs from a revision of a real repository, and its files as they were."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.tasks.host.gitstate import read_revision

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def space(tmp_path: Path) -> Path:
    """A workspace in a folder of a repository, with one commit."""
    space = tmp_path / "repository/a space"
    space.mkdir(parents=True)
    (space / "kept.txt").write_text("kept\n")
    (space / "edited.txt").write_text("then\n")
    (space / "gone.txt").write_text("gone\n")
    (space / ".gitignore").write_text("*.log\n")
    (space.parent / "above.txt").write_text("then\n")
    git(space.parent, "init", "--quiet", "--initial-branch=main")
    git(space.parent, "add", "--all")
    git(space.parent, "commit", "--quiet", "--message=first")
    return space


def test_revision_has_a_commit_and_a_place(space: Path) -> None:
    revision = read_revision(space, "main")
    assert (revision.root, revision.top, revision.prefix) == (space, space.parent, "a space/")
    assert revision.commit == git(space, "rev-parse", "HEAD")
    assert read_revision(space.parent, "HEAD").prefix == ""


def test_nothing_differs_after_a_commit(space: Path) -> None:
    assert read_revision(space, "HEAD").changed() == set()


def test_files_that_differ_are_told_by_their_path_in_the_workspace(space: Path) -> None:
    (space / "edited.txt").write_text("now\n")
    (space / "gone.txt").unlink()
    (space / "new ä\n.txt").write_text("new\n")
    (space / "ignored.log").write_text("ignored\n")
    (space.parent / "above.txt").write_text("now\n")
    wanted = {"edited.txt", "gone.txt", "new ä\n.txt", str(space.parent / "above.txt")}
    assert read_revision(space, "main").changed() == wanted
    git(space, "add", "--all", ".")
    git(space, "commit", "--quiet", "--message=second")
    assert read_revision(space, "HEAD").changed() == {str(space.parent / "above.txt")}
    assert read_revision(space, "HEAD~1").changed() == wanted


def test_files_are_as_they_were_and_git_is_left_as_it_is(space: Path) -> None:
    (space / "edited.txt").write_text("now\n")
    (space / "gone.txt").unlink()
    git(space, "add", "--all", ".")
    before = git(space, "status", "--porcelain")
    with read_revision(space, "main").files() as folder:
        assert folder is not None
        texts = {path.name: path.read_text() for path in folder.iterdir()}
    assert texts == {"kept.txt": "kept\n", "edited.txt": "then\n", "gone.txt": "gone\n", ".gitignore": "*.log\n"}
    assert not folder.exists()
    assert git(space, "status", "--porcelain") == before


def test_workspace_that_was_not_there_has_no_files(space: Path) -> None:
    later = space.parent / "later"
    later.mkdir()
    with read_revision(later, "main").files() as folder:
        assert folder is None


@pytest.mark.parametrize("name", ["other", "--all", "main:a space", ""])
def test_name_that_is_no_commit_is_refused(space: Path, name: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_revision(space, name)
    assert str(caught.value).startswith(f"{name!r} is ")


def test_folder_without_a_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError) as caught:
        read_revision(tmp_path, "main")
    assert str(caught.value).startswith(f"{tmp_path} is not in a git repository: ")
