"""An action: what decides a result (its ingredients and their key), and the call that makes it.

`python -m packyard.tasks.engine.execute.action FILE` runs one action described in JSON, alone, as a strict sandbox
or another machine does.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import platform
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from packyard.formats.errors import FormatError
from packyard.tasks.engine.trace.trace import Made
from packyard.tasks.errors import ActionError
from packyard.tasks.host.own import own_digest
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Target
from packyard.tasks.workspace.memo import Look

Ingredients = dict[str, Any]


def ingredients(target: Target, looks: Mapping[str, Look], uses: Mapping[str, Made]) -> Ingredients:
    """Everything that decides what `target` becomes: its key is made from this, and `why` compares it.

    `looks` gives each source by its path, `uses` each used artifact by 'TARGET#PART'. Where a source lies in
    the workspace does not count, only where the action finds it; nor do names that only people read.
    """
    return {
        "run": target.run,
        "params": target.params,
        "outputs": [[output.part, output.at, output.tree] for output in target.outputs],
        "inputs": {source.at: looks[source.path].entry for source in target.sources},
        "uses": {f"{use.target}#{use.part}": [use.at, _entry(uses[f"{use.target}#{use.part}"])] for use in target.uses},
        "packyard": own_digest(),
        "python": platform.python_version(),
    }


def key_of(values: Ingredients) -> str:
    """The action key: SHA-256 in hexadecimal over the ingredients in canonical JSON."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def invoke(run: str, room: Room) -> None:
    """Call the function 'module:name' in `room`."""
    module, _, name = run.partition(":")
    function: Callable[[Room], None] = getattr(importlib.import_module(module), name)
    function(room)


def _entry(made: Made) -> str:
    return f"{'t' if made.tree else 'x' if made.executable else '-'} {made.digest}"


def main(file: str) -> int:
    """Run the action that `file` describes: {"run": ..., "room": {...}}; the exit status.

    A failure is told in the file that "answer" names: {"message": ..., "detail": ..., "hint": ...}.
    """
    described = json.loads(Path(file).read_text(encoding="utf-8"))
    values = described["room"]
    paths = {name: Path(values[name]) for name in ("inputs", "outputs", "scratch", "home", "log")}
    trees = {name: Path(path) for name, path in values["trees"].items()}
    downloads = {"downloads": Path(values["downloads"])} if values.get("downloads") else {}
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
