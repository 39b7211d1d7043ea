"""Kills, races and full disks: nothing wrong is delivered, nothing finished is lost, nothing is left behind."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from packyard.tasks.host.filelock import try_exclusive

COUNT = 20


@pytest.fixture
def slow(make_space):
    """A workspace of 20 archives in which each takes some hundredths of a second; the last holds all others."""
    space = make_space("slow")
    _write_slow(space)
    return space


def _write_slow(space) -> None:
    chance = random.Random(1)
    lines = ['[workspace]\nname = "slow"\n']
    for number in range(COUNT - 1):
        space.write(f"data/{number}.txt", chance.randbytes(100_000).hex())
        lines.append(f'[[archive]]\nname = "a{number:02}"\nversion = "1.0.0"\ninclude = ["data/{number}.txt"]\n')
    held = ", ".join(f'"archive:a{number:02}"' for number in range(COUNT - 1))
    lines.append(f'[[archive]]\nname = "last"\nversion = "1.0.0"\nformat = "zip"\ninclude = [{held}]\n')
    space.write("packyard.toml", "".join(lines))


@pytest.fixture(scope="session")
def wanted(space_in):
    """What a build of `slow` gives when nobody disturbs it."""
    space = space_in("undisturbed")
    _write_slow(space)
    space.packyard()
    return space.files("dist")


def _finished(build: subprocess.Popen[str], count: int) -> set[str]:
    """The targets that a `--json` build has ended, as soon as they are `count`."""
    ended: set[str] = set()
    assert build.stdout is not None
    for line in build.stdout:
        event = json.loads(line)
        if event["event"] == "end":
            ended.add(event["name"])
            if len(ended) == count:
                break
    return ended


def _end(build: subprocess.Popen[str], number: signal.Signals) -> int:
    build.send_signal(number)
    build.communicate(timeout=20)
    return build.returncode


# kill and interrupt ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "count"),
    [
        pytest.param(signal.SIGKILL, 1, marks=pytest.mark.long),
        (signal.SIGKILL, 9),
        pytest.param(signal.SIGKILL, 18, marks=pytest.mark.long),
        (signal.SIGINT, 1),
        pytest.param(signal.SIGINT, 18, marks=pytest.mark.long),
        pytest.param(signal.SIGTERM, 9, marks=pytest.mark.long),
    ],
)
def test_kill_keeps_what_was_finished(slow, wanted, number, count):
    build = slow.start("--json", "-n", "2")
    ended = _finished(build, count)
    assert _end(build, number) == (-9 if number == signal.SIGKILL else 130)
    for path, content in slow.files("dist").items():
        assert content == wanted[path], f"{path} is not whole"
    again = slow.packyard()
    assert not ended & {*again.ran, *again.restored}
    assert len(again.ran) + len(again.restored) <= COUNT - count
    assert slow.files("dist") == wanted
    assert list((slow.root / ".packyard" / "tmp").iterdir()) == []
    slow.expect_nothing()


@pytest.mark.long
def test_kill_at_any_moment_leaves_a_workspace_that_builds(slow, wanted):
    """A loop over moments from the start of Python to the end of the build; each run goes on where the last one was."""
    kills = 0
    for delay in [0.02, 0.05, 0.1, 0.15, 0.2, 0.22, 0.24, 0.26, 0.28, 0.3, 0.33, 0.36, 0.4, 0.45, 0.5]:
        build = slow.start("-n", "2")
        try:
            build.wait(delay)
        except subprocess.TimeoutExpired:
            kills += 1
        _end(build, signal.SIGINT if kills % 2 else signal.SIGKILL)
        assert all(content == wanted[path] for path, content in slow.files("dist").items())
    slow.packyard()
    assert kills >= 5
    assert slow.files("dist") == wanted
    slow.expect_nothing()


def test_interrupt_while_waiting_for_another_build_ends_at_once(slow):
    first = slow.start("--json", "-n", "1")
    _finished(first, 1)
    first.send_signal(signal.SIGSTOP)  # so that it is not through before the other has ended
    second = slow.start()
    assert second.stdout is not None
    assert second.stdout.readline() == "waiting: another build is running here\n"
    start = time.monotonic()
    assert _end(second, signal.SIGINT) == 130
    assert time.monotonic() - start < 2
    first.send_signal(signal.SIGCONT)
    first.communicate(timeout=60)
    assert first.returncode == 0
    assert "Traceback" not in (second.stderr.read() if second.stderr and not second.stderr.closed else "")


def test_interrupt_says_so_in_one_line(slow):
    build = slow.start("--json", "-n", "2")
    _finished(build, 2)
    build.send_signal(signal.SIGINT)
    _, said = build.communicate(timeout=20)
    assert said == "interrupted; finished targets are kept\n"


@pytest.mark.parametrize("words", ["| true", ">&-", ">/dev/full"], ids=["nobody reads", "closed", "full"])
def test_output_that_goes_nowhere_does_not_stop_a_build(space, words):
    done = subprocess.run(
        f"({' '.join(space.command)}; echo $? >status) {words}",
        shell=True, cwd=space.root, env=space.environment, stderr=subprocess.PIPE, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    assert len(space.files("dist")) == 2
    assert space.text("status") == "0\n"


@pytest.mark.parametrize("words", ["| true", ">&-", ">/dev/full"], ids=["nobody reads", "closed", "full"])
def test_output_that_goes_nowhere_does_not_stop_the_null_path(built, words):
    built.packyard()
    done = subprocess.run(
        f"({' '.join(built.command)}; echo $? >status) {words}",
        shell=True, cwd=built.root, env=built.environment, stderr=subprocess.PIPE, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert (done.stderr, built.text("status")) == ("", "0\n")


@pytest.mark.parametrize("words", [["plan"], ["cache", "stats"], ["list"], ["help", "list"]], ids=" ".join)
def test_answer_that_finds_no_room_is_an_error(space, words):
    done = subprocess.run(
        f"{' '.join(space.command)} {' '.join(words)} >/dev/full",
        shell=True, cwd=space.root, env=space.environment, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        1,
        "error: standard output: cannot be written: No space left on device\n",
    )


def test_names_that_the_terminal_cannot_show_stop_no_build(space):
    space.replace("packyard.toml", '"README.md"', '"ä.md"')
    (space.root / "ä.md").symlink_to("nowhere")
    narrow = space.beside("narrow", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert "\\xe4.md: is missing" in narrow.packyard(status=1).out


# several builds at once --------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [2, pytest.param(8, marks=pytest.mark.long)])
def test_builds_at_once_on_one_workspace_share_the_work(slow, wanted, number, tally):
    builds = [slow.start("-n", "2") for _ in range(number)]
    outputs = [build.communicate(timeout=100)[0] for build in builds]
    assert [build.returncode for build in builds] == [0] * number
    assert sum(line.startswith("ran ") for output in outputs for line in output.splitlines()) == COUNT
    assert sum(line.startswith("restored ") for output in outputs for line in output.splitlines()) == 0
    assert sum("nothing to do: 20 targets are fresh" in output for output in outputs) == number - 1
    assert slow.files("dist") == wanted
    tally("races: builds at once on one workspace", number)


@pytest.mark.parametrize("number", [2, pytest.param(8, marks=pytest.mark.long)])
def test_builds_at_once_on_one_store_run_each_action_once(slow, wanted, number, tally):
    spaces = [slow.beside(f"clone-{index}") for index in range(number)]
    builds = [space.start("-n", "2") for space in spaces]
    outputs = [build.communicate(timeout=100)[0] for build in builds]
    assert [build.returncode for build in builds] == [0] * number
    assert sum(line.startswith("ran ") for output in outputs for line in output.splitlines()) == COUNT
    for space in spaces:
        assert space.files("dist") == wanted
    tally("races: builds at once on one store", number)


def test_packyard_and_doit_at_once_wait_for_each_other(slow, wanted):
    first = slow.start("--json", "-n", "1")
    _finished(first, 1)
    first.send_signal(signal.SIGSTOP)  # so that it is not through before doit has started
    slow.write("dodo.py", "from packyard.tasks import *\n")
    second = replace(slow, command=(sys.executable, "-m", "doit")).start()
    assert second.stdout is not None
    assert second.stdout.readline() == "waiting: another build is running here\n"
    first.send_signal(signal.SIGCONT)
    assert "nothing to do: 20 targets are fresh" in second.communicate(timeout=60)[0]
    assert second.returncode == 0
    assert first.wait(60) == 0
    first.communicate()
    assert slow.files("dist") == wanted


def test_input_that_changes_during_the_build_is_seen(slow):
    """Whatever a build makes of files that are written to meanwhile, the next one ends with the right bytes."""
    build = slow.start("--json", "-n", "1")
    _finished(build, 3)
    for number in range(COUNT - 1):
        slow.append(f"data/{number}.txt", "late")
    build.communicate(timeout=60)
    assert build.returncode == 0
    slow.packyard()
    clean = slow.beside("after", PACKYARD_CACHE_DIR=str(slow.home / "after-cache"))
    clean.packyard()
    assert slow.files("dist") == clean.files("dist")


# disks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["dist", ".packyard", "cache"])
def test_disk_full_is_said_and_finished_work_is_kept(slow, wanted, place):
    folder = slow.home / "cache" if place == "cache" else slow.root / place
    folder.mkdir(parents=True, exist_ok=True)
    script = f"""
        mount -t tmpfs -o size=900k none '{folder}'
        $PACKYARD -n 2 >out 2>err && exit 9
        test $? = 1
        cp -r dist dist-then
    """
    slow.mounted(script)
    said = slow.text("out") + slow.text("err")
    assert "No space left on device" in said or "disk is full" in said, said
    assert "Traceback" not in said
    assert "internal error" not in said
    for path, content in slow.files("dist-then").items():
        assert content == wanted[path.replace("dist-then", "dist")]
    for name in ("out", "err", "dist-then"):
        slow.remove(name)
    slow.packyard()
    assert slow.files("dist") == wanted


def test_disk_full_in_the_sandbox_is_said(slow):
    script = """
        mount -t tmpfs -o size=1M none /tmp/packyard-$(printf %010d $(id -u))
        $PACKYARD archive:a00 archive:last >out 2>err && exit 9
        test $? = 1
    """
    slow.packyard("archive:a01")  # so that the folder is there
    slow.mounted(script)
    said = slow.text("out") + slow.text("err")
    assert "the sandbox: cannot be written: No space left on device" in said
    assert "hint: free some space and build again; finished targets are kept" in said


def test_dist_read_only_is_said_and_nothing_is_written(slow, wanted):
    (slow.root / "dist").mkdir()
    slow.mounted(
        """
        mount --bind dist dist
        mount -o remount,bind,ro dist
        $PACKYARD archive:a00 >/tmp/$$.out 2>&1 && exit 9
        test $? = 1
        grep -q 'dist/a00-1.0.0.tar.gz: cannot be written: Read-only file system' /tmp/$$.out
        rm /tmp/$$.out
        """
    )
    assert slow.files("dist") == {}
    assert slow.packyard("archive:a00").restored == ["archive:a00"]
    assert slow.read("dist/a00-1.0.0.tar.gz") == wanted["dist/a00-1.0.0.tar.gz"]


@pytest.mark.parametrize("words", ["", "clean", "bump patch inner --yes"])
def test_workspace_read_only_is_said(space, words):
    script = f"mount --bind . . && cd . && mount -o remount,bind,ro . && cd $PWD && $PACKYARD {words}"
    done = space.mounted(script, status=1)
    assert "cannot be written: Read-only file system" in done.err
    assert "Traceback" not in done.err


def test_clean_of_what_cannot_be_removed_is_said(built):
    done = built.mounted("mount --bind dist dist && mount -o remount,bind,ro dist && $PACKYARD clean archive:inner")
    assert done.err == f"error: {built.root}/dist/inner-0.1.0.tar.gz: cannot be removed: Read-only file system\n"


def test_dist_on_another_disk_is_written_whole(slow, wanted):
    (slow.root / "dist").mkdir()
    slow.mounted("mount -t tmpfs none dist && $PACKYARD >out && cp -r dist dist2 && ls -A dist2 >names")
    assert {path.replace("dist2", "dist"): content for path, content in slow.files("dist2").items()} == wanted
    assert len(slow.text("names").splitlines()) == COUNT


def test_sandboxes_of_killed_runs_are_swept(slow):
    base = Path(f"/tmp/packyard-{os.getuid():010d}")
    before = set(base.glob("*")) if base.is_dir() else set()
    build = slow.start("--json", "-n", "1")
    _finished(build, 2)
    _end(build, signal.SIGKILL)
    places = {path for path in {*base.iterdir()} - before if path.suffix != ".lock"}
    left = {path for path in places if _unheld(path.with_name(f"{path.name}.lock"))}
    assert left
    slow.packyard()
    assert left & {*base.iterdir()} == set()


def _unheld(lock: Path) -> bool:
    """Whether no living build holds the lock: others on this machine have sandboxes of their own."""
    descriptor = try_exclusive(lock)
    if descriptor is None:
        return False
    os.close(descriptor)
    return True
