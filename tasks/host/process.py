"""Child processes: each in a group of its own, its output in a log, and none of them outliving us."""

from __future__ import annotations

import contextlib
import errno
import functools
import math
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, TypeAlias

from packyard.formats.units import duration_text
from packyard.tasks.errors import ActionError

Program: TypeAlias = "subprocess.Popen[bytes]"

_SHOWN_LINES = 30
# A child reports itself to the watchdog, and only then becomes the tool: so there is no moment at which we could be
# killed and leave it alive. The shell removes again what it added to the environment.
_REGISTER = ("/bin/sh", "-c", 'echo "+$$" >&0; unset PWD OLDPWD SHLVL _; exec "$@" </dev/null', "sh")

# Reads "+GROUP" and "-GROUP" lines; when nobody can write any longer, we are gone: kill what is left.
_WATCHDOG = """
import os, signal, sys
alive = set()
for line in sys.stdin:
    (alive.add if line[0] == "+" else alive.discard)(int(line[1:]))
for group in alive:
    try:
        os.killpg(group, signal.SIGKILL)
    except OSError:
        pass
"""


class _Groups:
    """The process groups that are alive now, known here and to the watchdog."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._alive: dict[int, subprocess.Popen[bytes]] = {}
        self._watchdog: subprocess.Popen[str] | None = None
        self.stopping = False

    def start(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None,
        env: Mapping[str, str] | None,
        stdout: int | IO[bytes],
        stderr: int | IO[bytes],
    ) -> subprocess.Popen[bytes]:
        """Start a tool in a group of its own, with nothing to read; OSError if it cannot be started."""
        _check_program(argv[0], cwd, os.environ if env is None else env)
        with self._lock:
            if self.stopping:
                raise KeyboardInterrupt
            if self._watchdog is None or self._watchdog.poll() is not None:
                self._watchdog = subprocess.Popen(
                    [sys.executable, "-I", "-S", "-c", _WATCHDOG],
                    stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                    start_new_session=True, text=True, cwd="/", env={"PATH": os.defpath},
                )  # fmt: skip
            child = subprocess.Popen(
                [*_REGISTER, *argv], start_new_session=True, stdin=self._watchdog.stdin,
                cwd=cwd, env=env, stdout=stdout, stderr=stderr,
            )  # fmt: skip
            self._alive[child.pid] = child
            return child

    def end(self, child: subprocess.Popen[bytes]) -> None:
        """Kill what the child left behind in its group, and forget the group."""
        _kill(child.pid)
        child.wait()
        with self._lock:
            self._alive.pop(child.pid, None)
            self._tell(f"-{child.pid}")

    def kill(self) -> None:
        self.stopping = True
        children = dict(self._alive)
        for group in children:
            _kill(group)
        for child in children.values():  # a killed child stays in the process table until its parent waits for it
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(1)

    def _tell(self, line: str) -> None:
        if self._watchdog is not None and self._watchdog.stdin is not None:
            with contextlib.suppress(OSError):
                self._watchdog.stdin.write(line + "\n")
                self._watchdog.stdin.flush()


_groups = _Groups()


def kill_all() -> None:
    """Kill every child and refuse new ones: the run was interrupted."""
    _groups.kill()


def stopping() -> bool:
    """Whether the run was interrupted."""
    return _groups.stopping


def start_alone(argv: Sequence[str | Path]) -> Program | None:
    """Start a system program that reads and prints nothing, and may outlive us; None when it is not available."""
    try:
        return subprocess.Popen(
            argv, close_fds=False,  # which is quicker, and ours are closed anyway
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except OSError:
        return None


def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    timeout: float | None = None,
    fixed_layout: bool = False,
    shown: bool = True,
    until: Callable[[], bool] | None = None,
) -> None:
    """Run `argv` to its end with exactly `env`, output appended to `log`; ActionError if it fails.

    `timeout` is in seconds; `shown` also logs the command; a tool that runs forever is stopped when `until`, called ten
    times a second, says that all is well. Nothing the child started outlives this call.
    """
    with log.open("ab") as stream:
        if shown:
            stream.write(f"$ {shlex.join(argv)}\n".encode())
            stream.flush()
        start = stream.tell()
        prefix = _no_randomization() if fixed_layout else ()
        try:
            child = _groups.start([*prefix, *argv], cwd=cwd, env=env, stdout=stream, stderr=stream)
        except OSError as error:
            raise ActionError(f"{argv[0]!r} cannot be started: {error.strerror}") from None
        try:
            status = child.wait(timeout) if until is None else _wait(child, timeout, until)
        except subprocess.TimeoutExpired as stopped:
            raise ActionError(
                f"{Path(argv[0]).name!r} was stopped after {duration_text(stopped.timeout)}", detail=_end(log, start)
            ) from None
        finally:
            _groups.end(child)
    if _groups.stopping:
        raise KeyboardInterrupt
    if status:
        raise ActionError(f"{Path(argv[0]).name!r} {ending(status)}", detail=_end(log, start))


def _wait(child: subprocess.Popen[bytes], timeout: float | None, until: Callable[[], bool]) -> int:
    """The status of a child, 0 if `until` said that it is well; TimeoutExpired after `timeout` seconds."""
    end = math.inf if timeout is None else time.monotonic() + timeout
    while time.monotonic() < end:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return child.wait(0.1)
        if until():
            return 0
    raise subprocess.TimeoutExpired(child.args, timeout or 0)


def capture(
    argv: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None, errors: str = "replace"
) -> str:
    """The standard output of a quick tool, UTF-8 (`errors` as in bytes.decode); ActionError with its standard error
    when it fails."""
    try:
        child = _groups.start(argv, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError as error:
        raise ActionError(f"{argv[0]!r} cannot be started: {error.strerror}") from None
    try:
        output, complaint = child.communicate()
    finally:
        _groups.end(child)
    if child.returncode:
        raise ActionError(
            f"{Path(argv[0]).name!r} {ending(child.returncode)}", detail=complaint.decode(errors="replace")
        )
    return output.decode("utf-8", errors=errors)


def ending(status: int) -> str:
    """How a child ended, in words: 'ended with status 2', 'crashed (SIGSEGV)'."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"crashed ({signal.Signals(-status).name})"
    except ValueError:
        return f"crashed (signal {-status})"


def _check_program(name: str, cwd: Path | None, env: Mapping[str, str]) -> None:
    """Report what the shell that starts it would only write to the log: that there is no such program."""
    path = os.path.join(cwd or "", name) if "/" in name else name
    if shutil.which(path, path=env.get("PATH", os.defpath)) is None:
        number = errno.EACCES if os.path.exists(path) else errno.ENOENT
        raise OSError(number, os.strerror(number), name)


def fixes_layout() -> bool:
    """Whether the system permits `fixed_layout`; containers often do not."""
    return bool(_no_randomization())


@functools.cache
def _no_randomization() -> tuple[str, ...]:
    """The prefix that runs a tool without address randomisation, or nothing if the system refuses it."""
    setarch = shutil.which("setarch")
    if setarch is None:
        return ()
    prefix = (setarch, "--addr-no-randomize")
    tried = subprocess.run([*prefix, "true"], check=False, capture_output=True, env={"PATH": os.defpath})
    return prefix if tried.returncode == 0 else ()


def _end(log: Path, start: int) -> str:
    with log.open("rb") as stream:
        stream.seek(start)
        lines = stream.read().decode("utf-8", errors="replace").splitlines()
    left_out = len(lines) - _SHOWN_LINES
    head = [f"... {left_out} earlier lines are in {log}"] if left_out > 0 else []
    return "\n".join([*head, *lines[-_SHOWN_LINES:]])


def _kill(group: int) -> None:
    with contextlib.suppress(OSError):
        os.killpg(group, signal.SIGKILL)
