"""Commands without the start of a Python: a server that has imported the application forks a child for each.

A start costs most of what a small build does, and the tests make thousands. PACKYARD_TESTS_STARTS=1 starts a new Python
for every command; so does each command whose environment says something to the interpreter itself.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

_ALWAYS = os.environ.get("PACKYARD_TESTS_STARTS", "") not in ("", "0")
_INTERPRETER = ("PYTHON", "LC_", "LANG", "LD_", "DYLD_", "MALLOC_")  # what such variables say, the server heard already
_SERVED = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
_WORDS = [sys.executable, "-m"]


def run(
    argv: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run a command as `subprocess.run` does, with nothing to read; `python -m MODULE` is forked where it can be."""
    told = {name: value for name, value in env.items() if name.startswith(_INTERPRETER)}
    if _ALWAYS or list(argv[:2]) != _WORDS or told != {"LANG": "C.UTF-8"}:
        return subprocess.run(
            argv, cwd=cwd, env=env, timeout=timeout, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    said = json.dumps({"cwd": os.fspath(cwd), "env": dict(env), "words": [os.fspath(word) for word in argv[2:]]})
    with (
        socket.socket(socket.AF_UNIX) as line,
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
    ):
        line.settimeout(timeout)
        line.connect(_server())
        socket.send_fds(line, [len(said.encode()).to_bytes(4, "big")], [out.fileno(), err.fileno()])
        line.sendall(said.encode())
        status = line.recv(20)
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(argv, int(status), out.read(), err.read())


@functools.cache
def _server() -> str:
    """The address of a server of this process; it ends with it."""
    folder = tempfile.mkdtemp(prefix="packyard-forked-")
    address = f"{folder}/line"
    process = subprocess.Popen(
        [sys.executable, "-P", __file__, address], env=_SERVED, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    atexit.register(_end, process, folder)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return address


def _end(process: subprocess.Popen[bytes], folder: str) -> None:
    process.kill()
    process.communicate()
    Path(folder, "line").unlink()
    Path(folder).rmdir()


# the server ------------------------------------------------------------------------------------------------------


def main(address: str) -> None:
    """Import everything, and fork for whoever calls."""
    _import_all()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        os.write(1, b"ready\n")
        gc.freeze()
        while server in select.select([server, 0], [], [])[0]:  # until who started it is gone
            line, _ = server.accept()
            if os.fork() == 0:
                server.close()
                _answer(line)
            line.close()
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:  # those who have answered
                    pass


def _import_all() -> None:
    for package in ("packyard.formats", "packyard.tasks", "doit"):
        found = importlib.import_module(package)
        for module in pkgutil.walk_packages(found.__path__, f"{package}."):
            if not module.name.endswith("__main__"):
                with contextlib.suppress(ImportError):  # a plug-in of doit's that needs what is not here
                    importlib.import_module(module.name)


def _answer(line: socket.socket) -> None:
    """Run one command in a child, and tell its status."""
    size, outputs, _, _ = socket.recv_fds(line, 4, 2)
    said = b""
    while len(said) < int.from_bytes(size, "big"):
        said += line.recv(1 << 16)
    child = os.fork()
    if child == 0:
        line.close()
        os._exit(_command(outputs, **json.loads(said)))
    _, status = os.waitpid(child, 0)
    line.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _command(outputs: Sequence[int], cwd: str, env: Mapping[str, str], words: Sequence[str]) -> int:
    """What `python -m` does in a new interpreter, from its start to its end."""
    for number, source in enumerate((os.open(os.devnull, os.O_RDONLY), *outputs)):
        os.dup2(source, number)
        os.close(source)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    sys.path.insert(0, cwd)
    sys.argv = ["-m", *words[1:]]
    status = 1
    try:
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = _status(end.code)
    except BaseException:
        traceback.print_exc()
    return _ended(status)


def _status(code: object) -> int:
    if code is None or isinstance(code, int):
        return (code or 0) & 0xFF
    sys.stderr.write(f"{code}\n")
    return 1


def _ended(status: int) -> int:
    """What an interpreter does at its end, without taking its memory apart, which costs more than most commands."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for found in gc.get_objects():  # those made since the fork
        if isinstance(found, sqlite3.Connection):
            found.close()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        return 120
    return status


if __name__ == "__main__":
    main(sys.argv[1])
