"""An action: what decides a result (its ingredients and their key), and the call that makes it.

`python -m packyard.tasks.engine.execute.action FILE` runs one action described in JSON, alone, as a strict sandbox
or another machine does.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from packyard.formats.errors import FormatError
from packyard.tasks.errors import ActionError
from packyard.tasks.target.params import typed
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Json


def invoke(run: str, room: Room[Json]) -> None:
    """Call the function 'module:name' in `room`; FormatError when its parameters are not those of the function."""
    module, _, name = run.partition(":")
    function: Callable[[Room[Any]], None] = getattr(importlib.import_module(module), name)
    function(typed(function, room))


def main(file: str) -> int:
    """Run the action that `file` describes: {"run": ..., "room": {...}}; the exit status.

    A failure is told in the file that "answer" names: {"message": ..., "detail": ..., "hint": ...}.
    """
    described = json.loads(Path(file).read_text(encoding="utf-8"))
    values = described["room"]
    paths = {name: Path(values[name]) for name in ("inputs", "outputs", "scratch", "home", "log")}
    trees = {name: Path(path) for name, path in values["trees"].items()}
    downloads = {"downloads": Path(values["downloads"]) if values["downloads"] else None}
    try:
        invoke(described["run"], Room(**values | paths | {"trees": trees} | downloads))
    except ActionError as error:
        said = {"message": error.message, "detail": error.detail, "hint": error.hint}
    except FormatError as error:
        said = {"message": str(error)}
    else:
        return 0
    if "answer" not in described:
        raise SystemExit(said["message"])
    Path(described["answer"]).write_text(json.dumps(said), encoding="utf-8")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
