from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time

import pytest
from packyard.tasks import null, trace, workspace

SLOW = (
    "doit", "networkx", "rich", "cryptography", "dataclasses", "tomllib", "importlib.metadata", "typing", "pathlib",
    "inspect", "subprocess", "threading", "json", "yaml", "packaging", "packyard.tasks.trace", "packyard.tasks.cli",
)  # fmt: skip


@pytest.fixture
def built(space):
    """A workspace whose null path answers: built, and the clock's grain is over."""
    space.packyard()
    time.sleep(0.03)
    space.packyard()
    assert null.fresh_targets(str(space.root)) is None  # another environment is another identity
    return space


@pytest.fixture
def fresh(built, monkeypatch):
    for name in null.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PACKYARD_CONFIG_DIR", built.environment["PACKYARD_CONFIG_DIR"])
    return lambda names=None: null.fresh_targets(str(built.root), names)


def test_names_are_those_of_the_modules_that_write():
    assert (null.FOLDER, null.FILE, null.VERSION) == (trace.FOLDER, trace.FILE, trace.VERSION)
    assert null.MANIFEST == workspace.MANIFEST


def test_null_path_imports_nothing_slow(built):
    code = (
        "import sys; sys.argv = ['packyard']; from packyard.tasks.__main__ import main; before = main()\n"
        f"print([name for name in {SLOW!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {[*map(str, sys.path)]!r}\n{code}"],
        cwd=built.root, env=built.environment, capture_output=True, text=True, check=True,
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
    "change",
    [
        lambda space: space.append("src/a.txt", "x"),
        lambda space: os.utime(space.root / "src/a.txt"),
        lambda space: (space.root / "src/a.txt").chmod(0o600),
        lambda space: space.remove("src/a.txt"),
        lambda space: space.write("src/new.txt", ""),
        lambda space: space.remove("dist/outer-0.2.0.zip"),
        lambda space: os.utime(space.root / "dist/outer-0.2.0.zip"),
        lambda space: os.utime(space.root / "packyard.toml"),
        lambda space: space.remove(".packyard/trace.sqlite"),
        lambda space: space.write(".packyard/trace.sqlite", "torn"),
        lambda space: space.write(".packyard/trace.sqlite", ""),
        lambda space: sql(space, "UPDATE target SET fresh = 0 WHERE name = 'archive:inner'"),
        lambda space: sql(space, "UPDATE target SET needed = -1 WHERE name = 'archive:outer'; DELETE FROM graph"),
        lambda space: sql(space, "DELETE FROM target WHERE name = 'archive:outer'"),
        lambda space: sql(space, "UPDATE target SET stats = zeroblob(32)"),
        lambda space: sql(space, "UPDATE target SET paths = x'ff'"),
        lambda space: sql(space, "PRAGMA user_version = 2"),
        lambda space: sql(space, "INSERT INTO target VALUES ('archive:gone', -1, 1, '', x'', x'', x'', '{}')"),
    ],
)
def test_null_path_does_not_answer_after_a_change(built, fresh, change):
    change(built)
    assert fresh() is None


def sql(space, script: str) -> None:
    db = sqlite3.connect(space.root / ".packyard/trace.sqlite")
    db.executescript(script)
    db.close()


@pytest.mark.parametrize("name", ["SOURCE_DATE_EPOCH", "PACKYARD_KEY_SEED", "PACKYARD_CONFIG_DIR"])
def test_null_path_does_not_answer_in_another_environment(fresh, monkeypatch, name):
    monkeypatch.setenv(name, "1")
    assert fresh() is None


def test_null_path_after_a_change_undone_answers_when_built(built, fresh):
    built.append("src/a.txt", "x")
    assert fresh() is None
    built.packyard()
    time.sleep(0.03)
    built.packyard()
    assert fresh() == 2


def test_null_path_leaves_the_working_folder(fresh):
    before = os.getcwd()
    fresh()
    assert os.getcwd() == before


def test_identity_holds_no_variable_in_the_clear(monkeypatch):
    monkeypatch.setenv("PACKYARD_KEY_SEED", "secret")
    one, other = (null.identity(["PACKYARD_KEY_SEED"], salt) for salt in ("1", "2"))
    assert "secret" not in one
    assert one.partition(":")[2] != other.partition(":")[2]


def test_root_is_found_from_below(space):
    assert null.find_root(str(space.root / "src/deep")) == str(space.root)
    shutil.rmtree(space.root / "src")
    assert null.find_root(str(space.root.parent)) is None


def test_command_from_a_folder_below_is_the_same(built):
    done = subprocess.run(
        built.command, cwd=built.root / "src", env=built.environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("nothing to do: 2 targets are fresh")
