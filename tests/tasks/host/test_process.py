from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from packyard.tasks.errors import ActionError
from packyard.tasks.host import process

ENV = {"PATH": os.environ["PATH"]}


def run(tmp_path: Path, script: str, **how) -> str:
    """Run a shell script; what it wrote."""
    log = tmp_path / "log"
    process.run(["sh", "-c", script], cwd=tmp_path, env=ENV, log=log, **how)
    return log.read_text().partition("\n")[2]


def failure(tmp_path: Path, script: str, **how) -> str:
    with pytest.raises(ActionError) as caught:
        run(tmp_path, script, **how)
    return str(caught.value)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def gone(pid: int) -> bool:
    for _ in range(200):
        if not alive(pid):
            return True
        time.sleep(0.01)
    return False


def pid_in(path: Path) -> int:
    for _ in range(500):
        if path.exists() and path.read_text().endswith("\n"):
            return int(path.read_text())
        time.sleep(0.01)
    raise AssertionError(f"{path} was never written")


def test_run_writes_command_and_output_to_the_log(tmp_path):
    assert run(tmp_path, "echo out; echo err >&2") == "out\nerr\n"
    assert (tmp_path / "log").read_text().startswith("$ sh -c 'echo out; echo err >&2'\n")


def test_run_sees_exactly_the_environment_given(tmp_path):
    log = tmp_path / "log"
    process.run(["env"], cwd=tmp_path, env={**ENV, "A": "b c"}, log=log)
    seen = dict(line.split("=", 1) for line in log.read_text().splitlines()[1:])
    seen.pop("_", None), seen.pop("SHLVL", None)  # a shell that is bash puts these in
    assert seen == {**ENV, "A": "b c"}


def test_run_has_nothing_to_read_and_the_folder_given(tmp_path):
    assert run(tmp_path, "cat; pwd") == f"{tmp_path}\n"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo first; echo last; exit 3", "'sh' ended with status 3\nfirst\nlast"),
        ("kill -SEGV $$", "'sh' crashed (SIGSEGV)"),
        ("kill -KILL $$", "'sh' crashed (SIGKILL)"),
        ("printf '\\377\\n'; exit 1", "'sh' ended with status 1\n\ufffd"),
    ],
)
def test_run_of_failing_tool_says_how_it_ended(tmp_path, script, message):
    assert failure(tmp_path, script) == message


def test_run_of_failing_tool_shows_the_end_of_its_own_log(tmp_path):
    run(tmp_path, "echo of an earlier tool")
    said = failure(tmp_path, "seq 100; exit 1").splitlines()
    assert said[:3] == ["'sh' ended with status 1", f"... 70 earlier lines are in {tmp_path / 'log'}", "71"]
    assert said[-1] == "100"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no-such-tool", "'no-such-tool' cannot be started: No such file or directory"),
        ("./plain", "'./plain' cannot be started: Permission denied"),
        ("./none", "'./none' cannot be started: No such file or directory"),
    ],
)
def test_run_of_what_is_no_program_says_so(tmp_path, name, message):
    (tmp_path / "plain").write_text("x")
    with pytest.raises(ActionError) as caught:
        process.run([name], cwd=tmp_path, env=ENV, log=tmp_path / "log")
    assert str(caught.value) == message


def test_run_of_program_beside_its_folder(tmp_path):
    (tmp_path / "tool").write_text("#!/bin/sh\necho here\n")
    (tmp_path / "tool").chmod(0o755)
    process.run(["./tool"], cwd=tmp_path, env=ENV, log=tmp_path / "log")
    assert (tmp_path / "log").read_text() == "$ ./tool\nhere\n"


def test_run_over_time_is_stopped_with_all_it_started(tmp_path):
    said = failure(tmp_path, "echo $$ >pid; sleep 60 & echo $! >child; wait", timeout=0.3)
    assert said == "'sh' was stopped after 0.30 s"
    assert gone(pid_in(tmp_path / "pid"))
    assert gone(pid_in(tmp_path / "child"))


def test_run_of_what_never_ends_is_stopped_when_it_is_well(tmp_path):
    run(tmp_path, "echo $$ >pid; touch ready; sleep 60", until=(tmp_path / "ready").exists, timeout=30)
    assert gone(pid_in(tmp_path / "pid"))
    assert failure(tmp_path, "sleep 60", until=lambda: False, timeout=0.3) == "'sh' was stopped after 0.30 s"
    assert failure(tmp_path, "exit 3", until=lambda: False, timeout=30) == "'sh' ended with status 3"


def test_run_leaves_no_child_behind(tmp_path):
    run(tmp_path, "sleep 60 & echo $! >child")
    assert gone(pid_in(tmp_path / "child"))


def test_run_with_fixed_layout(tmp_path):
    assert run(tmp_path, "echo ran", fixed_layout=True) == "ran\n"
    if process.fixes_layout():
        no_randomization = 0x0040000  # ADDR_NO_RANDOMIZE of personality(2)
        said = run(tmp_path, "cat /proc/$$/personality", fixed_layout=True)
        assert int(said.splitlines()[-1], 16) & no_randomization


def test_capture_gives_standard_output(tmp_path):
    assert process.capture(["sh", "-c", "echo out; echo err >&2"]) == "out\n"
    assert process.capture(["pwd"], cwd=tmp_path) == f"{tmp_path}\n"
    assert process.capture(["sh", "-c", "echo $A"], env={**ENV, "A": "x"}) == "x\n"


def test_capture_of_failing_tool_shows_its_standard_error():
    with pytest.raises(ActionError) as caught:
        process.capture(["sh", "-c", "echo why >&2; exit 4"])
    assert str(caught.value) == "'sh' ended with status 4\nwhy"


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (0, "ended with status 0"),
        (2, "ended with status 2"),
        (-11, "crashed (SIGSEGV)"),
        (-250, "crashed (signal 250)"),
    ],
)
def test_ending_in_words(status, text):
    assert process.ending(status) == text


# when we die -------------------------------------------------------------------------------------------------

_PARENT = """
import sys, threading
from pathlib import Path
from packyard.tasks.host import process
here = Path(sys.argv[1])
def go(number):
    script = f"sleep 60 & echo $! >child{number}.new; echo $$ >tool{number}.new; mv child{number}.new child{number}; "
    try:
        process.run(["sh", "-c", script + f"mv tool{number}.new tool{number}; wait"], cwd=here,
            env={"PATH": "/usr/bin:/bin"}, log=here / f"log{number}")
    except BaseException as error:
        (here / f"said{number}").write_text(type(error).__name__)
threads = [threading.Thread(target=go, args=(number,)) for number in range(3)]
for thread in threads: thread.start()
if len(sys.argv) > 2:
    sys.stdin.readline()
    process.kill_all()
for thread in threads: thread.join()
"""


def test_children_die_when_we_are_killed(tmp_path):
    with subprocess.Popen([sys.executable, "-c", _PARENT, tmp_path]) as parent:
        pids = [pid_in(tmp_path / f"{name}{number}") for name in ("tool", "child") for number in range(3)]
        assert all(alive(pid) for pid in pids)
        parent.kill()
    assert all(gone(pid) for pid in pids)


@pytest.mark.parametrize("delay", [0.1, 0.12, 0.14, 0.16, 0.18, 0.2, 0.25])
def test_children_die_when_we_are_killed_while_they_start(tmp_path, delay):
    mark = f"sleep 6{tmp_path.name[-1]}.{os.getpid()}"
    script = _PARENT.replace("sleep 60", mark)
    with subprocess.Popen([sys.executable, "-c", script, tmp_path]) as parent:
        time.sleep(delay)
        parent.send_signal(signal.SIGKILL)
    for _ in range(200):
        left = [
            path for path in Path("/proc").glob("[0-9]*/cmdline") if mark.encode() in _read(path).replace(b"\0", b" ")
        ]
        if not left:
            break
        time.sleep(0.01)
    assert left == []


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_kill_all_ends_running_tools_and_refuses_new_ones(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT, tmp_path, "kill"], stdin=subprocess.PIPE, text=True
    ) as parent:
        pids = [pid_in(tmp_path / f"{name}{number}") for name in ("tool", "child") for number in range(3)]
        assert parent.stdin is not None
        parent.stdin.write("\n")
        parent.stdin.close()
        assert parent.wait(20) == 0
    assert all(gone(pid) for pid in pids)
    assert {(tmp_path / f"said{number}").read_text() for number in range(3)} == {"KeyboardInterrupt"}
