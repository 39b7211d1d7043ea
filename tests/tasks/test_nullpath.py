from __future__ import annotations

import os
import shutil
import sqlite3
import struct
import subprocess
import sys
import time

import pytest
from packyard.tasks import nullpath
from packyard.tasks.workspace import memo, workspace

SLOW = (
    "doit", "networkx", "rich", "cryptography", "dataclasses", "tomllib", "importlib.metadata", "typing", "pathlib",
    "inspect", "subprocess", "threading", "json", "yaml", "packaging", "packyard.tasks.engine",
    "packyard.tasks.console", "packyard.tasks.commands",
)  # fmt: skip

MANIFEST = """\
[workspace]
name = "w"
[[archive]]
name = "inner"
version = "0.1.0"
include = ["a.txt", "src"]
[[archive]]
name = "outer"
version = "0.1.0"
include = ["b.txt", "archive:inner"]
"""
TRACE = ".packyard/trace.sqlite"


@pytest.fixture(scope="module")
def settled(space_in):
    """A workspace whose null path answers: built, and the clock's grain is over. Only its trace may be changed."""
    space = space_in("settled")
    space.write("packyard.toml", MANIFEST)
    for name in ("a.txt", "b.txt", "src/c.txt"):
        space.write(name, name)
    space.packyard()
    settle(space)
    return space


def settle(space) -> None:
    time.sleep(0.03)
    space.packyard()


@pytest.fixture
def fresh(settled, monkeypatch):
    """Asks the null path in the environment of the command."""
    for name in nullpath.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PACKYARD_CONFIG_DIR", settled.environment["PACKYARD_CONFIG_DIR"])
    return lambda names=None: nullpath.fresh_targets(str(settled.root), names)


@pytest.fixture
def trace_kept(settled):
    """Puts the trace back after a test that changes it."""
    before = settled.read(TRACE)
    yield
    settled.write(TRACE, before)


def test_names_are_those_of_the_modules_that_write():
    assert nullpath.MANIFEST == workspace.MANIFEST
    assert nullpath.ABSENT == memo.ABSENT


def test_path_where_nothing_is_stands_still_until_something_comes(tmp_path):
    nothing = struct.pack("<4q", *nullpath.ABSENT)
    folder = os.open(tmp_path, os.O_RDONLY)
    assert nullpath._changed(folder, b"python3.12", nothing) == []
    (tmp_path / "python3.12").touch()
    assert nullpath._changed(folder, b"python3.12", nothing) == [0]
    os.close(folder)


def test_null_path_imports_nothing_slow(settled):
    code = (
        "import sys; sys.argv = ['packyard']; from packyard.tasks.__main__ import main; before = main()\n"
        f"print([name for name in {SLOW!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {[*map(str, sys.path)]!r}\n{code}"],
        cwd=settled.root, env=settled.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    first, second = done.stdout.splitlines()
    assert first.startswith("nothing to do: 2 targets are fresh")
    assert second == "[]"


def test_null_path_counts_the_targets_asked_for(fresh):
    assert fresh() == 2
    assert fresh(["archive:inner"]) == 1
    assert fresh(["archive:outer"]) == 2
    assert fresh(["archive:outer", "archive:inner"]) == 2


def test_null_path_knows_no_unknown_target(fresh):
    assert fresh(["archive:none"]) is None


@pytest.mark.parametrize(
    "script",
    [
        "UPDATE target SET fresh = 0 WHERE name = 'archive:inner'",
        "UPDATE target SET needed = -1 WHERE name = 'archive:outer'; DELETE FROM graph",
        "DELETE FROM target WHERE name = 'archive:outer'",
        "UPDATE target SET stats = zeroblob(32)",
        "UPDATE target SET paths = x'ff'",
        "UPDATE graph SET stats = zeroblob(length(stats))",
        "PRAGMA user_version = 1",
        "INSERT INTO target VALUES ('archive:gone', -1, 1, '', x'', x'', x'', '{}')",
    ],
)
def test_null_path_does_not_answer_by_another_trace(settled, fresh, trace_kept, script):
    assert fresh() == 2
    sql(settled, script)
    assert fresh() is None


@pytest.mark.parametrize("content", ["torn", "", None])
def test_null_path_does_not_answer_without_a_trace(settled, fresh, trace_kept, content):
    settled.remove(TRACE) if content is None else settled.write(TRACE, content)
    assert fresh() is None


def test_null_path_answers_after_a_build_again_and_not_after_any_change(settled, fresh):
    """One workspace through all changes, settled in between."""
    changes = {
        "content": lambda: settled.append("a.txt", "x"),
        "touch": lambda: os.utime(settled.root / "a.txt"),
        "mode": lambda: (settled.root / "a.txt").chmod(0o600),
        "new file": lambda: settled.write("src/new.txt", ""),
        "file gone": lambda: settled.remove("src/new.txt"),
        "artifact gone": lambda: settled.remove("dist/outer-0.1.0.tar.gz"),
        "artifact touched": lambda: os.utime(settled.root / "dist/outer-0.1.0.tar.gz"),
        "manifest touched": lambda: os.utime(settled.root / "packyard.toml"),
    }
    for what, change in changes.items():
        change()
        assert fresh() is None, what
        settled.packyard()
        settle(settled)
        assert fresh() == 2, what


def sql(space, script: str) -> None:
    db = sqlite3.connect(space.root / ".packyard/trace.sqlite")
    db.executescript(script)
    db.close()


@pytest.mark.parametrize("name", ["SOURCE_DATE_EPOCH", "PACKYARD_KEY_SEED", "PACKYARD_CONFIG_DIR"])
def test_null_path_does_not_answer_in_another_environment(fresh, monkeypatch, name):
    monkeypatch.setenv(name, "1")
    assert fresh() is None


def test_null_path_leaves_the_working_folder(fresh):
    before = os.getcwd()
    fresh()
    assert os.getcwd() == before


def test_identity_holds_no_variable_in_the_clear(monkeypatch):
    monkeypatch.setenv("PACKYARD_KEY_SEED", "secret")
    one, other = (nullpath.identity(["PACKYARD_KEY_SEED"], salt) for salt in ("1", "2"))
    assert "secret" not in one
    assert one.partition(":")[2] != other.partition(":")[2]


def test_root_is_found_from_below(space):
    assert nullpath.find_root(str(space.root / "src/deep")) == str(space.root)
    shutil.rmtree(space.root / "src")
    assert nullpath.find_root(str(space.root.parent)) is None


def test_command_from_a_folder_below_is_the_same(settled):
    done = subprocess.run(
        settled.command, cwd=settled.root / "src", env=settled.environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("nothing to do: 2 targets are fresh")
