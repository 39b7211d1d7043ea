"""Which files git tracks or would track, in repositories as people have them, and where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from packyard.tasks.errors import ActionError
from packyard.tasks.host.gitfiles import is_ignored, read_gitfiles

FILES = ("a.py", "a.log", "b/c.py", "b/deep/x.log", "gen/out/x", "odd \n\u00e9 name", "keep/forced.log")
BELONG = {"a.py", "b/c.py", "odd \n\u00e9 name"}


def git(folder: Path, *words: str) -> None:
    named = ("-c", "user.name=n", "-c", "user.email=n@n", "-c", "protocol.file.allow=always")
    subprocess.run(["git", "-C", folder, *named, *words], check=True, capture_output=True)


def write(root: Path, *paths: str, ignore: str = "*.log\n/gen/\n") -> Path:
    for path in paths or FILES:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    (root / ".gitignore").write_text(ignore)
    return root


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = write(tmp_path / "repository")
    git(root, "init", "-q")
    return root


def files(root: Path) -> set[str]:
    found = read_gitfiles(root)
    assert found is not None
    return set(found.files) - {".gitignore"}


def test_files_are_those_that_git_tracks_or_would_track(repository: Path) -> None:
    assert files(repository) == BELONG
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "x")
    assert files(repository) == BELONG


def test_files_that_were_added_although_they_are_ignored_belong(repository: Path) -> None:
    git(repository, "add", "-f", "keep/forced.log")
    assert files(repository) == BELONG | {"keep/forced.log"}


def test_files_of_a_gitignore_in_a_folder_and_of_the_exclude_file_of_the_clone(repository: Path) -> None:
    (repository / "b/.gitignore").write_text("c.py\n!x.log\n")
    (repository / ".git/info/exclude").write_text("odd*\n")
    assert files(repository) == {"a.py", "b/.gitignore", "b/deep/x.log"}


def test_files_that_only_one_user_ignores_belong(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ignore").write_text("*.py\n")
    (tmp_path / "gitconfig").write_text(f"[core]\nexcludesFile = {tmp_path}/ignore\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.fspath(tmp_path / "gitconfig"))
    (tmp_path / "git").mkdir()
    (tmp_path / "git/ignore").write_text("*.py\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", os.fspath(tmp_path))
    assert files(repository) == BELONG


def test_files_are_not_those_of_the_repository_that_a_hook_of_git_runs_for(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "-q", "other")
    monkeypatch.setenv("GIT_DIR", os.fspath(tmp_path / "other/.git"))
    monkeypatch.setenv("GIT_INDEX_FILE", os.fspath(tmp_path / "other/index"))
    assert files(repository) == BELONG


def test_files_of_a_worktree_depend_on_its_own_index(repository: Path, tmp_path: Path) -> None:
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "x")
    git(repository, "worktree", "add", "-q", os.fspath(tmp_path / "tree"))
    write(tmp_path / "tree")
    git(tmp_path / "tree", "add", "-f", "a.log")
    found = read_gitfiles(tmp_path / "tree")
    assert found is not None and set(found.files) == BELONG | {".gitignore", "a.log"}
    assert set(found.inputs) == {
        os.fspath(repository / ".git/worktrees/tree/index"),
        os.fspath(repository / ".git/info/exclude"),
    }
    shutil.rmtree(repository)  # as in a container that has the worktree alone
    assert files(tmp_path / "tree") == BELONG


def test_files_of_submodules_and_of_other_repositories_inside(repository: Path, tmp_path: Path) -> None:
    library = write(tmp_path / "library", "lib.py", "lib.tmp", ignore="*.tmp\n")
    git(library, "init", "-q")
    git(library, "add", "-A")
    git(library, "commit", "-qm", "x")
    git(repository, "submodule", "--quiet", "add", os.fspath(library), "sub/lib")
    write(repository / "sub/lib", "lib.py", "lib.tmp", "new.log", ignore="*.tmp\n")
    write(repository / "own", "own.py", "own.log", ignore="*.py\n")
    git(repository / "own", "init", "-q")
    sub = {"sub/lib/.gitignore", "sub/lib/lib.py", "sub/lib/new.log"}
    assert files(repository) == BELONG | sub | {".gitmodules", "own/.gitignore", "own/own.log"}
    found = read_gitfiles(repository)
    assert found is not None and os.fspath(repository / ".git/modules/sub/lib/index") in found.inputs


def test_files_of_a_folder_in_a_repository_depend_on_what_lies_above(repository: Path) -> None:
    found = read_gitfiles(repository / "b")
    assert found is not None and found.files == {"c.py"}
    assert set(found.inputs) == {
        *(os.fspath(repository / path) for path in (".git/index", ".git/info/exclude", ".gitignore", "b/.git/HEAD"))
    }


def test_files_of_an_export_follow_its_gitignore(tmp_path: Path) -> None:
    root = write(tmp_path / "export")
    assert files(root) == BELONG
    found = read_gitfiles(root)
    assert found is not None and os.fspath(root / ".git/HEAD") in found.inputs  # a repository may come


def test_files_of_a_folder_that_a_repository_around_it_ignores(repository: Path) -> None:
    """A home folder that is kept in git, with everything else ignored."""
    root = write(repository / "gen/work")
    assert files(root) == BELONG


def test_files_are_not_known_without_git(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.fspath(repository))
    assert read_gitfiles(repository) is None


@pytest.mark.skipif(os.getuid() != 0, reason="is about root")
def test_files_of_a_repository_of_another_user(repository: Path) -> None:
    for path in (repository, repository / ".git"):
        os.chown(path, 65534, 65534)
    assert files(repository) == BELONG


def test_damaged_repository_is_an_error(repository: Path) -> None:
    (repository / ".git/index").write_bytes(b"damaged beyond all hope, and long enough")
    with pytest.raises(ActionError) as error:
        read_gitfiles(repository)
    assert "index file" in str(error.value) or "bad signature" in str(error.value)


@pytest.mark.parametrize("kept_in_git", [True, False])
def test_folder_is_ignored_as_a_whole_or_only_what_is_in_it(tmp_path: Path, kept_in_git: bool) -> None:
    root = write(tmp_path / "work", "gen/x", "logs/a.log", "b/c.py")
    if kept_in_git:
        git(root, "init", "-q")
    found = read_gitfiles(root)
    assert found is not None and found.is_repository is kept_in_git
    assert [is_ignored(root, path, found) for path in ("gen", "gen/x", "logs", "b")] == [True, True, False, False]


def test_checksum_is_that_of_the_files(repository: Path) -> None:
    before = read_gitfiles(repository)
    git(repository, "add", "a.py")
    after = read_gitfiles(repository)
    assert before is not None and after is not None and before.checksum == after.checksum
    git(repository, "add", "-f", "a.log")
    forced = read_gitfiles(repository)
    assert forced is not None and forced.checksum != after.checksum
