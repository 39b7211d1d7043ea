from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.tasks.host import gitfiles, process
from packyard.tasks.workspace.tracked import tracked, tracked_of
from packyard.tasks.workspace.watch import GIT, Watch


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with the workspace in its folder `work`."""
    root = tmp_path / "top/work"
    for path in ("a/x.py", "a/x.log", "gen/y", "gen/pyproject.toml", "gen/y.tmp"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    (tmp_path / "top/.gitignore").write_text("*.log\n")
    (root / ".gitignore").write_text("gen/\n")
    subprocess.run(["git", "init", "-q", tmp_path / "top"], check=True)
    return root


def test_git_is_asked_once_and_what_decides_is_watched(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    capture = process.capture
    monkeypatch.setattr(process, "capture", lambda argv, **more: (asked.append(argv[-1]), capture(argv, **more))[1])
    watch = Watch(root)
    assert [tracked(watch).keeps(path) for path in ("a/x.py", "a/x.log", "gen/y")] == [True, False, False]
    assert asked == ["--exclude-standard"]
    top = root.parent.resolve()
    inputs = {os.fspath(top / path) for path in (".git/index", ".git/info/exclude", ".gitignore", "work/.git/HEAD")}
    assert watch.seen.keys() == {*inputs, "", ".gitignore", "a", "gen"}


def test_index_that_says_the_same_lets_the_graph_stand(root: Path) -> None:
    watch = Watch(root)
    tracked(watch)
    index = os.fspath(root.parent.resolve() / ".git/index")
    answer = watch.answer(index)
    assert answer is not None and answer[0] == GIT
    subprocess.run(["git", "-C", root, "add", "a/x.py"], check=True)
    assert Watch(root).tells_the_same(index, answer)
    subprocess.run(["git", "-C", root, "add", "-f", "a/x.log"], check=True)
    assert not Watch(root).tells_the_same(index, answer)


def test_member_that_git_ignores_is_a_folder_without_git(root: Path) -> None:
    (root / "gen/.gitignore").write_text("*.tmp\n")
    member = tracked_of(Watch(root), "gen", "gen/pyproject.toml")
    assert [member.keeps(path) for path in ("gen/y", "gen/y.tmp", "gen/pyproject.toml")] == [True, False, True]


def test_folder_outside_of_the_workspace_is_asked_where_it_is(root: Path) -> None:
    beside = root.parent / "beside"
    beside.mkdir()
    for name in ("m.py", "m.log"):
        (beside / name).write_text("")
    member = tracked_of(Watch(root), "../beside", "../beside/pyproject.toml")
    assert [member.keeps(f"../beside/{name}") for name in ("m.py", "m.log")] == [True, False]


def test_folder_is_ignored_as_a_whole(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "logs").mkdir()
    (root / "logs/a.log").write_text("")
    assert [tracked(Watch(root)).ignores(path) for path in ("gen", "logs", "a", "none")] == [True, False, False, False]
    monkeypatch.setattr(gitfiles.shutil, "which", lambda _: None)
    assert [tracked(Watch(root)).ignores(path) for path in ("gen", "logs", "a", "none")] == [True, False, False, False]


def test_gitignore_counts_where_there_is_no_git(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gitfiles.shutil, "which", lambda _: None)
    (root / "a/.gitignore").write_text("x.py\n")
    watch = Watch(root)
    assert [tracked(watch).keeps(path) for path in ("a/x.py", "a/x.log", "gen/y")] == [False, True, False]
    assert watch.answer("a/.gitignore") is not None


def test_repository_that_git_cannot_read_is_told(root: Path) -> None:
    (root.parent / ".git/index").write_bytes(b"damaged beyond all hope, and long enough")
    with pytest.raises(FormatError) as error:
        tracked(Watch(root))
    assert str(error.value).startswith(".: git cannot tell which files belong to it: 'git' ended with status 128")
