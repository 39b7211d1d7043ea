"""`packyard affected`, over real repositories."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.tasks.commands.conftest import MANIFEST, Space

MORE = '\n[[archive]]\nname = "apart"\nversion = "0.1.0"\ninclude = ["apart"]\n'


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(space: Space, monkeypatch: pytest.MonkeyPatch) -> Space:
    """The workspace, and a third archive apart from the others, committed."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    space.write("packyard.toml", MANIFEST + MORE)
    space.write("apart/c.txt", "c\n")
    space.write("src/b.txt", "b\n")
    space.write(".gitignore", "*.log\n/.packyard\n/dist\n")
    git(space.root, "init", "--quiet", "--initial-branch=main")
    commit(space)
    return space


def commit(space: Space) -> str:
    git(space.root, "add", "--all")
    git(space.root, "commit", "--quiet", "--message=x")
    return git(space.root, "rev-parse", "HEAD")


def names(space: Space, *words: str) -> list[str]:
    return space.output("affected", "--since", "main", *words).split()


def test_affected_by_nothing_is_nothing(repository: Space) -> None:
    assert names(repository) == []
    repository.build()
    assert names(repository) == []


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda root: (root / "README.md").write_text("other\n"), ["archive:outer"]),
        (lambda root: (root / "src/a.txt").write_text("other\n"), ["archive:inner", "archive:outer"]),
        (lambda root: (root / "src/a.txt").chmod(0o755), ["archive:inner", "archive:outer"]),
        (lambda root: (root / "src/a.txt").unlink(), ["archive:inner", "archive:outer"]),
        (lambda root: (root / "src/new.txt").write_text("new\n"), ["archive:inner", "archive:outer"]),
        (lambda root: (root / "src/a.txt").rename(root / "a.txt"), ["archive:inner", "archive:outer"]),
        (lambda root: (root / "src/ä\n.txt").write_text("x"), ["archive:inner", "archive:outer"]),
        (lambda root: (root / "src/x.log").write_text("ignored by git\n"), []),
        (lambda root: (root / "other.txt").write_text("of no target\n"), []),
        (lambda root: (root / "src/a.txt").touch(), []),
    ],
    ids=["leaf", "root", "mode", "removal", "addition", "move", "name", "ignored", "unused", "touch"],
)  # fmt: skip
@pytest.mark.parametrize("when", ["edited", "staged", "committed"])
def test_affected_by_a_file(repository: Space, edit, expected: list[str], when: str) -> None:
    git(repository.root, "branch", "before")
    edit(repository.root)
    if when != "edited":
        git(repository.root, "add", "--all")
    if when == "committed":
        git(repository.root, "commit", "--quiet", "--allow-empty", "--message=x")
    assert repository.output("affected", "--since", "before").split() == expected


def test_affected_by_a_declaration_names_that_target_alone(repository: Space) -> None:
    text = (MANIFEST + MORE).replace('name = "apart"\nversion = "0.1.0"', 'name = "apart"\nversion = "0.2.0"')
    repository.write("packyard.toml", text)
    assert repository.output("affected", "--since", "main", "--why") == (
        "archive:apart\n  its declaration changed (packyard.toml)\n"
    )


def test_affected_by_a_new_target_says_so(repository: Space) -> None:
    repository.write("packyard.toml", MANIFEST + MORE + MORE.replace("apart", "more"))
    repository.write("more/d.txt", "d\n")
    assert repository.output("affected", "--since", "main", "--why") == "archive:more\n  it is new\n"


def test_affected_tells_its_reasons_as_json(repository: Space) -> None:
    (repository.root / "src/a.txt").unlink()
    repository.write("src/b.txt", "other\n")
    assert json.loads(repository.output("affected", "--since", "main", "--json")) == {
        "since": git(repository.root, "rev-parse", "main"),
        "changed": ["src/a.txt", "src/b.txt"],
        "targets": [
            {"name": "archive:inner", "final": True, "reasons": ["src/b.txt changed", "src/a.txt is gone"]},
            {"name": "archive:outer", "final": True, "reasons": ["made from archive:inner"]},
        ],
    }


@pytest.mark.parametrize("text", [None, "[workspace\n"], ids=["none", "broken"])
def test_affected_since_no_workspace_is_everything(repository: Space, text: str | None) -> None:
    manifest = (repository.root / "packyard.toml").read_text()
    (repository.root / "packyard.toml").unlink()
    if text is not None:
        repository.write("packyard.toml", text)
    commit(repository)
    repository.write("packyard.toml", manifest)
    assert names(repository) == ["archive:apart", "archive:inner", "archive:outer"]


def test_affected_in_a_folder_of_a_larger_repository(repository: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository.root
    (root / "inner").mkdir()
    for name in ("packyard.toml", "src", "apart", "README.md"):
        (root / name).rename(root / "inner" / name)
    commit(repository)
    monkeypatch.chdir(root / "inner")
    assert names(repository) == []
    (root / "inner/apart/c.txt").write_text("other\n")
    (root / "elsewhere.txt").write_text("x\n")
    assert names(repository) == ["archive:apart"]


def test_affected_leaves_the_repository_as_it_was(repository: Space) -> None:
    repository.write("src/b.txt", "staged\n")
    git(repository.root, "add", "--all")
    repository.write("src/b.txt", "edited\n")
    before = git(repository.root, "status", "--porcelain=v2"), git(repository.root, "worktree", "list")
    names(repository)
    assert (git(repository.root, "status", "--porcelain=v2"), git(repository.root, "worktree", "list")) == before


@pytest.mark.parametrize("name", ["nowhere", "--all", "main:src/a.txt"])
def test_affected_since_no_commit_is_a_usage_error(repository: Space, name: str) -> None:
    status, out, err = repository.run("affected", f"--since={name}")
    assert (status, out) == (2, "")
    assert err == f"error: {name!r} is not a commit in the repository at {repository.root}\n"


def test_affected_outside_a_repository_says_so(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    status, out, err = space.run("affected", "--since", "main")
    assert (status, out) == (2, "")
    assert err.startswith(f"error: {space.root} is not in a git repository: fatal: not a git repository")
