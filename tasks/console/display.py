"""What a person sees of a build: events, printed as plain lines or as JSON (live.py draws the live one)."""

from __future__ import annotations

import io
import json
import os
import sys
from dataclasses import asdict
from typing import TextIO

from packyard.formats.units import duration_text, size_text
from packyard.tasks.engine.build.events import Display, Outcome, Summary

_SHOWN_ARTIFACTS = 40
_SHOWN_BLOCKED = 20


def choose_display(*, json: bool) -> Display:
    """JSON lines, the live display on a terminal, or plain lines."""
    if sys.stdout is None:  # closed by the caller
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  (it lives as long as the process)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name that cannot be shown stops no build
    if json:
        return Json(sys.stdout)
    if sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        from packyard.tasks.console.live import Live  # rich costs 0.1 s, only a terminal needs it

        return Live(sys.stdout)
    return Plain(sys.stdout)


class Plain:
    """One line for each target that was made, then the summary."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def begin(self, total: int) -> None:
        pass

    def start(self, name: str) -> None:
        pass

    def end(self, outcome: Outcome) -> None:
        if outcome.how != "fresh":
            self._line(f"{outcome.how:8} {outcome.name}  {duration_text(outcome.seconds)}")

    def note(self, text: str) -> None:
        self._line(text)

    def finish(self, summary: Summary) -> None:
        for line in summary_lines(summary):
            self._line(line)

    def stop(self) -> None:
        pass

    def _line(self, text: str) -> None:
        write_line(self._out, text)


class Quiet(Plain):
    """Nothing but failures."""

    def end(self, outcome: Outcome) -> None:
        pass

    def note(self, text: str) -> None:
        pass

    def finish(self, summary: Summary) -> None:
        if summary.count("failed") or summary.blocked:
            super().finish(summary)


class Aside:
    """What doit's own reporters do not say, on standard error: notes, failures with their reasons, and how it ended."""

    def begin(self, total: int) -> None:
        pass

    def start(self, name: str) -> None:
        pass

    def end(self, outcome: Outcome) -> None:
        if outcome.how == "failed":
            self._lines(f"{outcome.name} failed:", *(f"  {line}" for line in outcome.message.splitlines()))

    def note(self, text: str) -> None:
        self._lines(text)

    def finish(self, summary: Summary) -> None:
        self._lines(*(f"removed  {path}" for path in summary.removed))
        if summary.outcomes:
            self._lines(count_line(summary))

    def stop(self) -> None:
        pass

    def _lines(self, *lines: str) -> None:
        for line in lines:
            write_line(sys.stderr, line)  # as it is now: one of doit's reporters puts another in its place


class Json:
    """One JSON object a line: {"event": ..., ...}."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def begin(self, total: int) -> None:
        self._line("begin", total=total)

    def start(self, name: str) -> None:
        self._line("start", name=name)

    def end(self, outcome: Outcome) -> None:
        self._line("end", **asdict(outcome))

    def note(self, text: str) -> None:
        self._line("note", text=text)

    def finish(self, summary: Summary) -> None:
        counts = {how: summary.count(how) for how in ("ran", "restored", "failed")}
        self._line(
            "finish", seconds=round(summary.seconds, 3), fresh=summary.fresh, **counts,
            blocked=list(summary.blocked), artifacts=summary.sizes, removed=list(summary.removed),
        )  # fmt: skip

    def stop(self) -> None:
        self._line("interrupted")

    def _line(self, event: str, **values: object) -> None:
        write_line(self._out, json.dumps({"event": event, **values}))


def write_line(out: TextIO, text: str) -> None:
    """Write a line at once. When nobody reads any more, or the disk is full, the build goes on in silence."""
    try:
        out.write(text + "\n")
        out.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())


def summary_lines(summary: Summary) -> list[str]:
    """The summary as a person reads it: what was made and where, failures whole, then the counts. What is most urgent
    stands last, where a terminal shows it however much was made."""
    made, total = summary.sizes, sum(summary.sizes.values())
    if len(made) <= _SHOWN_ARTIFACTS:
        lines = [f"made     {path}  {size_text(size)}" for path, size in made.items()]
    else:
        lines = [f"made     {len(made)} artifacts, {size_text(total)} (--json lists them)"]
    lines += [f"removed  {path}" for path in summary.removed]
    failed = [outcome for outcome in summary.outcomes if outcome.how == "failed"]
    for outcome in failed:
        lines += ["", f"{outcome.name} failed:", *(f"  {line}" for line in outcome.message.splitlines())]
        lines.append(f"  to run it alone: packyard {outcome.name}")
    if summary.blocked:
        shown, others = summary.blocked[:_SHOWN_BLOCKED], len(summary.blocked) - _SHOWN_BLOCKED
        more = f" and {others} more" if others > 0 else ""
        lines += ["", f"skipped because of that: {', '.join(shown)}{more}"]
    if failed or summary.blocked:
        lines.append("")
    lines.append(count_line(summary))
    return lines


def count_line(summary: Summary) -> str:
    """The last line: how many targets came out how, and how long it took."""
    if not summary.outcomes and not summary.blocked:
        return nothing_line(summary.fresh, summary.seconds)
    parts = [
        f"{count} {word}"
        for count, word in (
            (summary.count("ran"), "ran"),
            (summary.count("restored"), "restored"),
            (summary.fresh, "fresh"),
            (summary.count("failed"), "failed"),
            (len(summary.blocked), "skipped"),
        )
        if count
    ]
    return f"{', '.join(parts)} in {duration_text(summary.seconds)}"


def nothing_line(fresh: int, seconds: float) -> str:
    """What is said when all is fresh, or when there is nothing to make: a new workspace."""
    what = f"{fresh} targets are fresh" if fresh else "the workspace has no final artifact yet"
    return f"nothing to do: {what} ({duration_text(seconds)})"
