"""What decides a result (its ingredients), and the key made of them."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from typing import Any

from packyard.tasks.host.closure import closure_of, module_of
from packyard.tasks.target.target import Made, Output, Source, Target
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
        "outputs": [_declared(output) for output in target.outputs],
        "inputs": {source.at: _input(source, looks[source.path]) for source in target.sources},
        "uses": {f"{use.target}#{use.part}": [use.at, _entry(uses[f"{use.target}#{use.part}"])] for use in target.uses},
        "packyard": closure_of(module_of(target.run)).digest,
        "python": platform.python_version(),
    }


def key_of(values: Ingredients) -> str:
    """The action key: SHA-256 in hexadecimal over the ingredients in canonical JSON."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _declared(output: Output) -> list[Any]:
    keys = [] if output.keys is None else [list(output.keys)]
    return [output.part, output.at, output.tree, *keys]


def _input(source: Source, look: Look) -> str:
    """Whether a private key may be there decides whether anything is made of it."""
    return f"{look.entry} key" if source.key else look.entry


def _entry(made: Made) -> str:
    return f"{'t' if made.tree else 'x' if made.executable else '-'} {made.digest}"
