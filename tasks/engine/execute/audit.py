"""The audit: an action in a process of its own whose every file is watched by strace, and what it had not declared.

Nothing is hidden from the action, so that all of it comes to light at once; the strict sandbox stops at the first.
strace needs no rights of its own, only a system that lets a process trace its children.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from packyard.tasks.engine.execute.executor import Action, Inputs
from packyard.tasks.engine.execute.local import run_here
from packyard.tasks.engine.execute.strict import SYSTEM, invoke_alone, kept, readable
from packyard.tasks.engine.store.store import Result, Store
from packyard.tasks.errors import ActionError
from packyard.tasks.host import own, process
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Json

_READS = ("open", "openat", "openat2", "creat", "execve")
_WRITES = (
    "mkdir", "mkdirat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "symlink", "symlinkat",
    "link", "linkat", "truncate", "chmod", "fchmodat",
)  # fmt: skip
_WRITING = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC")
_CALL = re.compile(r"(\w+)\((.*)\) += \d+(?:<(.*)>)?$")
_PATH = re.compile(r'(?:(?:AT_FDCWD|\d+)(?:<([^>]*)>)?, )?"((?:[^"\\]|\\.)*)"')
_HERE = re.compile(r"AT_FDCWD<([^>]*)>")
_CONNECTION = re.compile(r'sa_family=AF_INET6?,.*?htons\((\d+)\).*?"([^"]+)"')
_OF_THE_SYSTEM = ("/proc", "/dev", "/sys")  # what the kernel tells, where a runtime asks how many processors there are


@dataclass(frozen=True, slots=True)
class Audit:
    """Actions of the workspace at `root`, each watched; `notify` is told what they had not declared. Only what runs can
    be watched, so no earlier result will do."""

    root: Path
    store: Store
    notify: Callable[[str], None]
    reuses: bool = False

    def run(self, action: Action, inputs: Inputs) -> Result:
        """As Executor.run."""

        def invoke(run: str, room: Room[Json]) -> None:
            for finding in invoke_audited(run, room):
                self.notify(f"undeclared: {action.target.name} {finding}")

        return run_here(action, inputs, self.root, self.store, invoke)


def invoke_audited(run: str, room: Room[Any], *, path: tuple[Path, ...] = ()) -> list[str]:
    """Call the function 'module:name' in `room`; what it did that it had not declared, in words, sorted. ActionError as
    the action raises it. `path` are more folders to import from."""
    with_traces = room.inputs.parent / "calls"
    with_traces.mkdir()
    try:
        invoke_alone(run, room, [*_tracing(), "-o", os.fspath(with_traces / "of"), "--"], path=path)
        allowed = [*SYSTEM, *_OF_THE_SYSTEM, *readable(room, path), *kept(room), os.fspath(room.inputs.parent)]
        allowed += [os.fspath(room.log), os.fspath(own.LINK)]
        found = {line for file in with_traces.iterdir() for line in _findings(file, room)}
        return sorted(words for words, place in found if not _within(place, allowed))
    finally:
        shutil.rmtree(with_traces)


@cache
def strace() -> str:
    """The program; ActionError when it is not here, or may not do its work."""
    program = shutil.which("strace")
    if program is None:
        raise ActionError("--sandbox=audit needs strace, which is not installed", hint="install 'strace'")
    try:
        process.capture([program, "-qq", "-e", "trace=none", "true"])
    except ActionError as error:
        raise ActionError(
            "--sandbox=audit: strace is not allowed to trace processes here", detail=error.detail
        ) from None
    return program


def _tracing() -> list[str]:
    calls = ",".join(f"?{call}" for call in (*_READS, *_WRITES, "chdir", "connect"))  # some machines lack some
    return [strace(), "-ff", "-qq", "-y", "-s", "4096", "-e", f"trace={calls}", "-e", "signal=none"]


def _findings(calls: Path, room: Room[Any]) -> Iterator[tuple[str, str]]:
    """What one thread did to files, and to which; '' stands for a network."""
    here = os.fspath(room.inputs.parent)  # the folder that the thread is in, as far as its calls tell
    for line in calls.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        if line.startswith("connect("):  # it counts also when nobody answered
            if not room.network and (found := _CONNECTION.search(line)):
                yield f"connects to {found[2]} port {found[1]}", ""
            continue
        call = _CALL.match(line)
        if call is None:
            continue  # a call that failed did nothing
        name, words, opened = call.groups()
        if found := _HERE.search(words):
            here = found[1]
        places = [os.path.join(folder or here, _plain(path)) for folder, path in _PATH.findall(words)]
        if name == "chdir":
            here = places[0]
        elif name in _READS:
            place = opened or places[0]
            does = "writes" if _WRITING.search(words) and name != "execve" else "reads"
            if not (does == "reads" and os.path.isdir(place) and _leads_to(place, room)):
                yield f"{does} {place}", place
        else:
            yield from ((f"writes {place}", place) for place in places)


def _leads_to(folder: str, room: Room[Any]) -> bool:
    """Whether a folder is only passed on the way to the action's room."""
    return os.fspath(room.inputs).startswith(f"{folder.rstrip('/')}/")


def _plain(quoted: str) -> str:
    """The path that strace quoted as C does."""
    return os.fsdecode(quoted.encode("utf-8", "surrogateescape").decode("unicode_escape").encode("latin-1", "replace"))


def _within(place: str, allowed: list[str]) -> bool:
    real = os.path.realpath(place) if place else ""
    return any(each == folder or each.startswith(f"{folder}/") for folder in allowed for each in (place, real) if each)
