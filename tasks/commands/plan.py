"""`packyard plan`: what a build would make now, and why. It reads only."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from packyard.formats.units import count_text
from packyard.tasks.console.output import say, say_json
from packyard.tasks.console.parser import Parser
from packyard.tasks.console.selection import open_here, select
from packyard.tasks.engine.build.nearest import Comparison
from packyard.tasks.engine.build.verdict import Verdict

_SHOWN = 8  # reasons of one target; the others are in the JSON


def run(words: list[str]) -> int:
    """Print the plan for the targets that `words` name; the exit status."""
    options = parser().parse_args(words)
    opened = open_here()
    build = opened.build(say)
    verdicts = build.plan(select(opened, options.target), remember=False)
    found = {name: build.nearest(name, opened.store_folder) for name in verdicts}
    if options.json:
        say_json(
            [
                {"name": name, "state": verdict.state, "reasons": verdict.reasons, "nearest": as_values(found[name])}
                for name, verdict in verdicts.items()
            ]
        )
    else:
        say(*_lines(verdicts, found, opened.root))
    return 0


def reason_lines(reasons: tuple[str, ...]) -> list[str]:
    """The reasons of a verdict, the last lines summed up when they are many."""
    if len(reasons) <= _SHOWN:
        return list(reasons)
    return [*reasons[: _SHOWN - 1], f"and {len(reasons) - _SHOWN + 1} more (--json lists all)"]


def nearest_lines(found: Comparison | None, root: Path) -> list[str]:
    """The earlier run that is nearer than the last one here: when and where it was, and what differs from it."""
    if found is None:
        return []
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(found.run.at))
    where = "here" if found.run.where == os.fspath(root) else f"in {found.run.where}"
    return [f"{when} {where}", *(reason_lines(found.differences) or ["nothing differs: it is restored from the store"])]


def as_values(found: Comparison | None) -> dict[str, object] | None:
    """The same for programs."""
    if found is None:
        return None
    return {"at": found.run.at, "where": found.run.where, "key": found.run.key, "differences": found.differences}


def _lines(verdicts: Mapping[str, Verdict], found: Mapping[str, Comparison | None], root: Path) -> Iterator[str]:
    for name, verdict in verdicts.items():
        if verdict.state != "fresh":
            yield f"{verdict.state:8} {name}"
            yield from (f"           {reason}" for reason in reason_lines(verdict.reasons))
            run, *differences = nearest_lines(found[name], root) or [""]
            if run:
                yield f"           compared with the nearest run, {run}:"
            yield from (f"             {difference}" for difference in differences)
    counts = Counter(verdict.state for verdict in verdicts.values())
    if counts["fresh"] == len(verdicts):
        yield f"nothing to do: {count_text(len(verdicts), 'target')} fresh"
    else:
        yield ", ".join(f"{counts[state]} {state}" for state in ("stale", "waiting", "fresh") if counts[state])


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard plan",
        description="Show what would run, and why. Nothing is built.",
        epilog="A waiting target is decided when the targets it waits for are done: if their artifacts are "
        "unchanged, it is fresh. If an earlier run, here or elsewhere on this machine, is nearer than the last "
        "one here, it is shown too.",
        examples=("packyard plan", "packyard plan bundle:greet", "packyard plan --json"),
    )
    parser.add_argument("target", nargs="*", help="KIND:NAME, or the path of an artifact (default: all)")
    parser.add_argument("--json", action="store_true", help="print the verdicts as JSON")
    return parser
