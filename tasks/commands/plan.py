"""`packyard plan`: what a build would make now, and why. It reads only."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping

from packyard.tasks.commands.output import count, say, say_json
from packyard.tasks.commands.selection import open_here, select
from packyard.tasks.plan import Verdict

_SHOWN = 8  # reasons of one target; the others are in the JSON


def run(words: list[str]) -> int:
    """Print the plan for the targets that `words` name; the exit status."""
    options = _parser().parse_args(words)
    opened = open_here()
    verdicts = opened.build(say).plan(select(opened, options.target), remember=False)
    if options.json:
        say_json(
            [{"name": name, "state": verdict.state, "reasons": verdict.reasons} for name, verdict in verdicts.items()]
        )
    else:
        say(*_lines(verdicts))
    return 0


def reason_lines(reasons: tuple[str, ...]) -> list[str]:
    """The reasons of a verdict, the last lines summed up when they are many."""
    if len(reasons) <= _SHOWN:
        return list(reasons)
    return [*reasons[: _SHOWN - 1], f"and {len(reasons) - _SHOWN + 1} more (--json lists all)"]


def _lines(verdicts: Mapping[str, Verdict]) -> Iterator[str]:
    for name, verdict in verdicts.items():
        if verdict.state != "fresh":
            yield f"{verdict.state:8} {name}"
            yield from (f"           {reason}" for reason in reason_lines(verdict.reasons))
    counts = Counter(verdict.state for verdict in verdicts.values())
    if counts["fresh"] == len(verdicts):
        yield f"nothing to do: {count(len(verdicts), 'target')} fresh"
    else:
        yield ", ".join(f"{counts[state]} {state}" for state in ("stale", "waiting", "fresh") if counts[state])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="packyard plan",
        description="Show what would run, and why. Nothing is made.",
        epilog="A waiting target is decided when those it waits for are done: if they come out as before, it is fresh.",
    )
    parser.add_argument("target", nargs="*", help="KIND:NAME, or the path of an artifact (default: all)")
    parser.add_argument("--json", action="store_true", help="the verdicts as JSON")
    return parser
