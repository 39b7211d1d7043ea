"""A process under the shim that runs builds, each in a child of its own, and lets them suffer one fault.

Reads a JSON object a line (see `suffer`), answers with {"status": ..., "count": ...} a line.
"""

from __future__ import annotations

import ctypes
import functools
import json
import math
import os
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import doit.doit_cmd
import doit.plugin
import packyard.tasks.console.doit
import packyard.tasks.kinds.archive.archive
from packyard.tasks import __main__ as command
from packyard.tasks.commands import cli
from packyard.tasks.engine.execute import sandbox
from packyard.tasks.host import removal

assert (
    doit.doit_cmd and packyard.tasks.kinds.archive.archive and packyard.tasks.console.doit and cli
)  # imported once, for all children


def main(shim: str) -> None:
    faults = ctypes.CDLL(shim)
    faults.fault_count.restype = ctypes.c_long
    entry_points = functools.cache(metadata.entry_points)
    doit.plugin.entry_points_impl = lambda: entry_points  # slow, and the same each time
    for line in sys.stdin:
        said = json.loads(line)
        inlet, outlet = os.pipe()
        child = os.fork()
        if child == 0:
            os._exit(suffer(faults, said, outlet))
        os.close(outlet)
        _, status = os.waitpid(child, 0)
        count = os.read(inlet, 100)
        os.close(inlet)
        answer = {"status": os.waitstatus_to_exitcode(status), "count": int(count or b"-1")}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def suffer(faults: ctypes.CDLL, said: dict[str, Any], outlet: int) -> int:
    """Run `words` in `root`; at the call `at` below `under` comes `signal`, or fails with `errno`."""
    out = os.open(said["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.chdir(said["root"])
    os.environ.update(said["env"])
    sandbox.base = lambda: Path(said["rooms"])
    removal._PAUSE = math.inf  # the build itself removes its sandboxes, by calls of its own: the same ones each time
    sys.argv = ["packyard", *said["words"]]
    faults.fault_begin(
        said["under"].encode(), said["at"], said["signal"], said["errno"], int(said["on"]), said["kinds"]
    )
    try:
        status = command.main()
    except BaseException:
        import traceback

        traceback.print_exc()
        status = 70
    sys.stdout.flush()
    count = faults.fault_count()
    faults.fault_begin(b"/nowhere", -1, 0, 0, 0, 0)
    os.write(outlet, str(count).encode())
    return status


if __name__ == "__main__":
    main(sys.argv[1])
