"""`packyard why`: the verdict on one target, and what is remembered of it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict

from packyard.formats.units import count_text, duration_text, size_text
from packyard.tasks.commands.plan import as_values, nearest_lines, reason_lines
from packyard.tasks.console.output import say, say_json
from packyard.tasks.console.parser import Parser
from packyard.tasks.console.selection import open_here, select
from packyard.tasks.engine.build.verdict import Verdict
from packyard.tasks.engine.trace.record import Record
from packyard.tasks.engine.trace.trace import Failure


def run(words: list[str]) -> int:
    """Print why the target that `words` name is fresh, stale or waiting; the exit status."""
    options = parser().parse_args(words)
    opened = open_here()
    for name in select(opened, [options.target]):
        build = opened.build(say)
        verdicts = build.plan([name], remember=False)
        record, failure = opened.trace.record(name), opened.trace.failure(name)
        found = {
            other: build.nearest(other, opened.store_folder)
            for other, verdict in verdicts.items()
            if other == name or verdict.state == "stale"
        }
        if options.json:
            say_json(_values(name, verdicts, record, failure) | {"nearest": as_values(found[name])})
        else:
            nearest = {other: nearest_lines(comparison, opened.root) for other, comparison in found.items()}
            say(*_lines(name, verdicts, nearest, record, failure))
    return 0


def _lines(
    name: str,
    verdicts: Mapping[str, Verdict],
    nearest: Mapping[str, list[str]],
    record: Record | None,
    failure: Failure | None,
) -> Iterator[str]:
    yield from _verdict_lines(name, verdicts[name], nearest[name])
    if record is not None:
        yield from _labelled("made", _when(record.at, f"in {duration_text(record.seconds)}"))
        yield from _labelled("from", _made_from(record))
        yield from _labelled("key", record.key)
        yield from _labelled("artifact", *_artifacts(record))
    if failure is not None:
        yield from _labelled("failed", _when(failure.at, f"after {duration_text(failure.seconds)}"))
        yield from _labelled("", *failure.message.splitlines())
        if os.path.exists(failure.log):
            yield from _labelled("log", os.path.relpath(failure.log))
    if verdicts[name].state == "waiting":
        for other, verdict in verdicts.items():
            if verdict.state == "stale":
                yield ""
                yield from _verdict_lines(other, verdict, nearest[other])


def _artifacts(record: Record) -> Iterator[str]:
    """Each artifact with its size and digest; of a folder the number of its files and their size alone."""
    folders: dict[str, list[int]] = {}
    for part, path in record.artifacts.items():
        made = record.outputs[part]
        if "/" in part:
            folders.setdefault(path.removesuffix(part.partition("/")[2]), []).append(made.size)
        else:
            yield f"{path}  {size_text(made.size)}  sha256:{made.digest}"
    for folder, sizes in folders.items():
        yield f"{folder}  {size_text(sum(sizes))} in {count_text(len(sizes), 'file')}"


def _verdict_lines(name: str, verdict: Verdict, nearest: list[str]) -> Iterator[str]:
    yield f"{name} is {verdict.state}"
    yield from _labelled("because", *reason_lines(verdict.reasons))
    yield from _labelled("nearest", *nearest)


def _labelled(label: str, *lines: str) -> Iterator[str]:
    for position, line in enumerate(lines):
        yield f"  {'' if position else label:8}  {line}"


def _when(at: float, length: str) -> str:
    return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(at))}, {length}"


def _made_from(record: Record) -> str:
    values = record.ingredients
    files, artifacts = len(values["inputs"]), len(values["uses"])
    return f"{count_text(files, 'file')}, {count_text(artifacts, 'artifact')} of other targets"


def _values(
    name: str, verdicts: Mapping[str, Verdict], record: Record | None, failure: Failure | None
) -> dict[str, object]:
    verdict = verdicts[name]
    return {
        "name": name,
        "state": verdict.state,
        "reasons": verdict.reasons,
        "stale": {other: found.reasons for other, found in verdicts.items() if found.state == "stale"},
        "made": asdict(record) if record else None,
        "failed": asdict(failure) if failure else None,
    }


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard why",
        description="Tell why a target is stale or waiting, what it was last made from, and how it last failed.",
        examples=("packyard why bundle:greet", "packyard why dist/greet-0.1.0.psp"),
    )
    parser.add_argument("target", help="KIND:NAME, or the path of an artifact")
    parser.add_argument("--json", action="store_true", help="everything that is known, as JSON")
    return parser
