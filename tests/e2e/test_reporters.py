"""Stock doit, however it was started: with any reporter, any number of jobs and any settings a run takes the lock of
the workspace, plans, sweeps, and says why something failed; what only asks writes nothing."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading

import pytest

from tests.conftest import Ran, Space

OTHERS = ("console", "executed-only", "json", "zero", "error-only")
BOTH = {"dist/inner-0.1.0.tar.gz", "dist/outer-0.2.0.zip"}
BROKEN = "archive:inner failed:\n  dist/inner-0.1.0.tar.gz: cannot be written: File exists"


def afresh(space: Space) -> None:
    """Nothing that a build left but the store."""
    for folder in ("dist", ".packyard"):
        shutil.rmtree(space.root / folder, ignore_errors=True)


def said(reporter: str, done: Ran) -> str:
    """What reached standard error: the reporter for programs shows that in its document."""
    return str(json.loads(done.out)["err"]) + done.err if reporter == "json" else done.err


@pytest.mark.parametrize("reporter", OTHERS)
def test_run_with_another_reporter_is_a_run(built: Space, reporter: str) -> None:
    wanted = {path: built.read(path) for path in BOTH}
    afresh(built)
    built.write("dist/none", "")  # a folder for artifacts that is not ours is not a hindrance
    assert built.doit("-r", reporter).err.rpartition(" in ")[0] == "2 restored"
    assert {path: built.read(path) for path in BOTH} == wanted
    assert built.doit("-r", reporter).err == ""
    built.expect_nothing()


@pytest.mark.parametrize("reporter", [*OTHERS, ""], ids=lambda name: name or "ours")
def test_failure_is_told_with_its_reason(built: Space, reporter: str) -> None:
    afresh(built)
    built.write("dist", "in the way")
    done = built.doit(*(["-r", reporter] if reporter else []), status=2)
    told = said(reporter, done) if reporter else done.out
    assert f"{BROKEN}" in told
    assert "Traceback" not in told


@pytest.mark.parametrize("words", [("-n", "0"), ("-n", "1"), ("-n", "4"), ("-n", "2", "-P", "thread")], ids=" ".join)
def test_run_with_any_number_of_jobs_is_a_run(built: Space, words: tuple[str, ...]) -> None:
    built.append("src/a.txt", "more\n")
    assert built.doit("-r", "executed-only", *words).err.rpartition(" in ")[0] == "2 ran"
    built.expect_nothing()


def test_processes_are_refused_with_any_reporter(built: Space) -> None:
    built.append("src/a.txt", "more\n")
    done = built.doit("-r", "console", "-n", "2", "-P", "process", status=2)
    assert "processes cannot share a build; use '-P thread'" in done.err


SETTINGS = {
    "dodo.py": ("dodo.py", 'from packyard.tasks import task_packyard\n\nDOIT_CONFIG = {"default_tasks": ["all"]}\n'),
    "doit.cfg": ("doit.cfg", "[GLOBAL]\nreporter = executed-only\nnum_process = 2\npar_type = thread\n"),
    "pyproject.toml": ("pyproject.toml", '[tool.doit]\nreporter = "executed-only"\nverbosity = 2\n'),
}


@pytest.mark.parametrize("where", SETTINGS)
def test_run_with_settings_of_the_user_is_a_run(built: Space, where: str) -> None:
    built.doit("list")  # writes the dodo.py that everybody has
    afresh(built)
    built.write(*SETTINGS[where])
    built.doit()
    assert set(built.files("dist")) == BOTH
    assert list((built.root / ".packyard/tmp").iterdir()) == []
    built.expect_nothing()


@pytest.mark.parametrize("words", [("list", "--status"), ("info", "archive:inner")], ids=" ".join)
def test_question_writes_nothing_and_waits_for_nobody(built: Space, words: tuple[str, ...]) -> None:
    built.doit("list")
    afresh(built)
    built.doit(*words, status=1 if words[0] == "info" else 0)
    assert not (built.root / ".packyard").exists()
    assert not (built.root / "dist").exists()


def test_question_with_settings_of_the_user_writes_nothing(built: Space) -> None:
    built.doit("list")
    built.write("doit.cfg", "[GLOBAL]\nverbosity = 2\nreporter = console\n")
    afresh(built)
    built.doit("list", "--status")
    assert not (built.root / ".packyard").exists()


def test_second_run_waits_for_the_first(built: Space) -> None:
    built.append("src/a.txt", "more\n")
    with subprocess.Popen(
        [sys.executable, "-m", "packyard.tasks", "--json", "-n", "1"],
        cwd=built.root, env=built.environment, text=True, stdout=subprocess.PIPE,
    ) as first:  # fmt: skip
        assert first.stdout is not None
        first.stdout.readline()
        first.send_signal(signal.SIGSTOP)  # so that it is not through before doit has started
        timer = threading.Timer(4, first.send_signal, [signal.SIGCONT])
        timer.start()
        done = built.doit("-r", "console")
        timer.cancel()
        first.communicate(timeout=60)
    assert "waiting: another build is running here\n" in done.err
    built.expect_nothing()


def test_selection_of_another_reporter_builds_only_that_and_removes_nothing(built: Space) -> None:
    built.append("src/a.txt", "more\n")
    before = built.read("dist/outer-0.2.0.zip")
    assert built.doit("-r", "zero", "archive:inner").err.rpartition(" in ")[0] == "1 ran"
    assert built.read("dist/outer-0.2.0.zip") == before
    built.replace("packyard.toml", '"archive:inner", "LICENSE"', '"LICENSE"')
    built.replace(
        "packyard.toml", '[[archive]]\nname = "inner"\nversion = "0.1.0"\ninclude = ["src", "README.md"]\n', ""
    )
    done = built.doit("-r", "zero", "archive:outer")
    assert "removed" in done.err  # it is all that is left, so this was a whole build
    assert set(built.files("dist")) == {"dist/outer-0.2.0.zip"}


def test_tasks_of_the_user_stand_before_ours(built: Space) -> None:
    """What they write before the first of ours is asked is seen."""
    built.write(
        "dodo.py",
        "from packyard.tasks import *\n\n\ndef task_note():\n    return {'actions': ['echo noted >src/a.txt']}\n",
    )
    done = built.doit("-n", "0", "note", "archive:inner")
    assert done.ran == ["archive:inner"]
    clean = built.beside("clean", PACKYARD_CACHE_DIR=str(built.home / "clean-cache"))
    clean.packyard("archive:inner")
    assert clean.read("dist/inner-0.1.0.tar.gz") == built.read("dist/inner-0.1.0.tar.gz")
