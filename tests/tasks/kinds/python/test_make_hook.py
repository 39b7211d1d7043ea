"""What a hook finds on its path: the commands of the distributions that the application needs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from packyard.formats.archive.entry import Entry
from packyard.formats.archive.piece import write_piece
from packyard.tasks.errors import ActionError
from packyard.tasks.host.machine import host_platform
from packyard.tasks.kinds.interpreter.choice import RUNNING
from packyard.tasks.kinds.interpreter.program import PythonParams
from packyard.tasks.kinds.python.make_hook import HookParams, make_pre_build
from packyard.tasks.target.room import Room

SITE = f"lib/python{RUNNING}/site-packages"
MODULE = "def main():\n    print('the command of the dependency')\n\nclass App:\n    run = staticmethod(main)\n"


def run_hook(root: Path, points: str, *commands: list[str]) -> str:
    """The log of hooks with one dependency, whose entry_points.txt is `points`."""
    room = Room(
        inputs=root / "in", outputs=root / "out", scratch=root / "tmp", home=root / "home", log=root / "log",
        params=HookParams(
            commands=tuple(tuple(command) for command in commands), tools="", platform=host_platform(), epoch=0,
            python=PythonParams(version=RUNNING, program=sys.executable, runtime=""),
        ),
    )  # fmt: skip
    for folder in (room.inputs, room.outputs, room.scratch, room.home):
        folder.mkdir(parents=True)
    entries = [
        Entry(f"{SITE}/tool.py", MODULE.encode()),
        Entry(f"{SITE}/tool-1.0.dist-info/entry_points.txt", points.encode()),
    ]
    with (room.inputs / "env.tar.gz").open("wb") as out:
        write_piece(entries, out, epoch=0, level=4)
    make_pre_build(room)
    return room.log.read_text()


def test_hook_runs_the_commands_of_its_dependencies(tmp_path: Path) -> None:
    said = run_hook(tmp_path, "[console_scripts]\ntool = tool:App.run [extra]\n", ["tool"])
    assert "the command of the dependency\n" in said
    assert sorted(os.listdir(tmp_path / "tmp/bin")) == ["python", "tool"]


@pytest.mark.parametrize("name", ["python", "Python"])
def test_hook_keeps_its_own_interpreter(tmp_path: Path, name: str) -> None:
    """A command of a dependency would run in its place, on some systems whatever the case of its letters."""
    said = run_hook(tmp_path, f"[console_scripts]\n{name} = tool:main\n", ["python", "-c", "print('its own')"])
    assert "\nits own\n" in said
    assert "the command of the dependency" not in said
    assert said.startswith(
        f"tool-1.0.dist-info/entry_points.txt: its command {name!r} is left out: hooks run the Python of the "
        "application\n"
    )
    assert os.listdir(tmp_path / "tmp/bin") == ["python"]


@pytest.mark.parametrize("absolute", [False, True])
def test_hook_writes_no_command_outside_its_folder(tmp_path: Path, absolute: bool) -> None:
    name = str(tmp_path / "escaped") if absolute else "../escaped"
    with pytest.raises(ActionError) as caught:
        run_hook(tmp_path, f"[console_scripts]\n{name} = tool:main\n", ["python", "-V"])
    assert str(caught.value) == (
        f"the commands of a dependency cannot be used: tool-1.0.dist-info/entry_points.txt: console_scripts: "
        f"{name!r} contains a control character or slash; expected a plain file name\n"
        "  hint: choose another version of that distribution, and tell its authors"
    )
    assert not list(tmp_path.rglob("escaped"))


@pytest.mark.parametrize(
    ("points", "wrong"),
    [
        ("a = b:c\n", "line 1: 'a = b:c' stands in no group; expected a line like '[console_scripts]' above it"),
        (
            "[console_scripts]\na = b:c\na = b:d\n",
            "line 3: 'a' stands twice in the group 'console_scripts'; expected each name once",
        ),
    ],
)
def test_hook_says_what_is_wrong_with_the_commands_of_a_dependency(tmp_path: Path, points: str, wrong: str) -> None:
    with pytest.raises(ActionError) as caught:
        run_hook(tmp_path, points)
    assert caught.value.message == (
        f"the commands of a dependency cannot be used: tool-1.0.dist-info/entry_points.txt: {wrong}"
    )
