"""`packyard dumpdb`: the records of the trace, as doit's command prints its database."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from packyard.tasks.console.output import say
from packyard.tasks.console.parser import Parser
from packyard.tasks.console.selection import choose_targets
from packyard.tasks.engine.build.opening import find_workspace
from packyard.tasks.engine.trace.trace import Trace


def run(words: list[str]) -> int:
    """Print the records of the targets that `words` name; the exit status."""
    options = parser().parse_args(words)
    root = find_workspace(Path.cwd())
    records = Trace(root, readonly=True).records()
    chosen = choose_targets(options.target or ["all"], records, {}, root)
    for name in records if "all" in chosen else chosen:
        say(json.dumps({"name": name, **asdict(records[name])}, sort_keys=True))
    return 0


def parser() -> Parser:
    """The words of the command."""
    parser = Parser(
        prog="packyard dumpdb",
        description="Print what targets were made from, one JSON object a line.",
        examples=("packyard dumpdb", "packyard dumpdb bundle:greet"),
    )
    parser.add_argument("target", nargs="*", help="KIND:NAME (default: everything that was ever built)")
    return parser
