"""Where an action finds the Python that it runs: what is local to this machine decides first."""

from __future__ import annotations

from pathlib import Path

import pytest
from packyard.tasks.kinds.interpreter.choice import Interpreter, python_for
from packyard.tasks.kinds.interpreter.program import PythonParams, program_in
from packyard.tasks.target.params import NoParams
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Use

RUNTIME = "runtime:cpython-3.12-linux_amd64"


@pytest.mark.parametrize(
    ("local", "program", "wanted"),
    [
        ({"python": "/here/python3.12"}, "", "/here/python3.12"),
        ({}, "/opt/bin/python3.12", "/opt/bin/python3.12"),
        ({}, "", "/store/home/bin/python3.12"),
    ],
)
def test_program_is_local_or_given_or_in_the_runtime_s_tree(
    tmp_path: Path, local: dict[str, str], program: str, wanted: str
) -> None:
    places = {name: tmp_path / name for name in ("inputs", "outputs", "scratch", "home", "log")}
    room = Room(params=NoParams(), local=local, trees={RUNTIME: Path("/store/home")}, **places)
    assert program_in(room, PythonParams(version="3.12", program=program, runtime=RUNTIME)) == Path(wanted)


def test_installed_python_is_named_by_its_program_and_an_archive_by_its_tree() -> None:
    installed = Interpreter(version="3.12", platform="linux_amd64", kind="folder", place="/opt")
    archive = Interpreter(version="3.12", platform="linux_amd64", kind="file", place="a.tar.gz", sha256="0" * 64)
    assert python_for(installed) == (
        PythonParams(version="3.12", program="/opt/bin/python3.12", runtime=RUNTIME),
        (),
    )
    assert python_for(archive) == (
        PythonParams(version="3.12", program="", runtime=RUNTIME),
        (Use(target=RUNTIME, part="home"),),
    )
