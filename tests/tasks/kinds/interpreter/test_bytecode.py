from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
from packyard.formats.python.module import cached_path
from packyard.tasks.kinds.interpreter.bytecode import compile_modules, worth_compiling
from packyard.tasks.kinds.interpreter.choice import RUNNING
from packyard.tasks.target.params import NoParams
from packyard.tasks.target.room import Room


def compiled(folder: Path, files: dict[str, str]) -> tuple[dict[str, bytes], str]:
    """The bytecode by path, and the log."""
    room = Room(
        inputs=folder, outputs=folder, scratch=folder, home=folder, params=NoParams(), log=folder / "log",
    )  # fmt: skip
    room.log.touch()
    made = compile_modules(room, Path(sys.executable), {path: text.encode() for path, text in files.items()}, RUNNING)
    assert set(made) <= set(files)
    return {entry.path: entry.data() for entry in made.values()}, room.log.read_text()


def test_bytecode_is_unchecked_and_the_same_in_another_folder(tmp_path: Path) -> None:
    files = {
        "lib/b.py": "def f(x):\n    return x in {'a', 'b', 'c'}\n",
        "lib/a/__init__.py": "import b\nnames = frozenset({'x', 'y', 1, None})\n",
    }
    (tmp_path / "a longer name").mkdir()
    (tmp_path / "one").mkdir()
    one, _ = compiled(tmp_path / "one", files)
    other, _ = compiled(tmp_path / "a longer name", dict(reversed(files.items())))
    assert one == other
    assert set(one) == {cached_path(path, RUNNING) for path in files}
    for data in one.values():
        assert data[:4] == importlib.util.MAGIC_NUMBER
        assert data[4:8] == b"\1\0\0\0"  # by hash, not to be checked
        assert str(tmp_path).encode() not in data


def test_file_that_is_no_module_is_told_and_left(tmp_path: Path) -> None:
    made, log = compiled(tmp_path, {"good.py": "x = 1\n", "old.py": "print 'x'\n", "nul.py": "x = '\0'\n"})
    assert list(made) == [cached_path("good.py", RUNNING)]
    assert [line.partition(":")[0] for line in log.splitlines()[-2:]] == [
        "nul.py is not a module for this Python",
        "old.py is not a module for this Python",
    ]


def test_nothing_to_compile_starts_nothing(tmp_path: Path) -> None:
    assert compiled(tmp_path, {}) == ({}, "")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.py", True),
        ("click/core.py", True),
        ("click/core.pyi", False),
        ("click/py.typed", False),
        ("pip/__init__.py", False),
        ("pipeline/__init__.py", True),
        ("pandas/tests/test_x.py", False),
        ("test/x.py", False),
        ("sqlalchemy/testing/x.py", False),
        ("testing.py", True),
        ("cookie/{{name}}/x.py", False),
        ("cookie/two-words.py", False),
        ("click-8.dist-info/x.py", False),
    ],
)
def test_worth_compiling_is_what_a_start_may_import(path: str, expected: bool) -> None:
    assert worth_compiling(path) is expected


@pytest.mark.parametrize(
    ("source", "cached"),
    [("a.py", "__pycache__/a.cpython-312.pyc"), ("x/y/__init__.py", "x/y/__pycache__/__init__.cpython-312.pyc")],
)
def test_cached_path_is_beside_the_source(source: str, cached: str) -> None:
    assert cached_path(source, "3.12") == cached
