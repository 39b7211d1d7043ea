"""The live display on a terminal: what runs now, how much is done, and each finished target above it."""

from __future__ import annotations

import time
from typing import TextIO

from packyard.formats.units import duration_text
from packyard.tasks.console.display import summary_lines
from packyard.tasks.engine.build.events import Outcome, Summary
from rich.console import Console, Group
from rich.live import Live as RichLive
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

_COLOURS = {"ran": "green", "restored": "cyan", "failed": "red", "made": "green", "removed": "yellow"}
_SHOWN = 8  # running targets


class Live:
    """A display for people, drawn by rich; colours follow the terminal and NO_COLOR."""

    def __init__(self, out: TextIO) -> None:
        self._console = Console(file=out, highlight=False)
        self._live = RichLive(self, console=self._console, refresh_per_second=8, transient=True)
        self._spinner = Spinner("dots")
        self._running: dict[str, float] = {}
        self._begun = time.monotonic()
        self._done = self._total = 0

    def begin(self, total: int) -> None:
        self._total = total
        self._live.start()

    def start(self, name: str) -> None:
        self._running[name] = time.monotonic()

    def end(self, outcome: Outcome) -> None:
        self._done += 1
        self._running.pop(outcome.name, None)
        if outcome.how != "fresh":
            self._print(f"{outcome.how:8} {outcome.name}  {duration_text(outcome.seconds)}")

    def note(self, text: str) -> None:
        self._console.print(Text(text, style="yellow"), soft_wrap=True)

    def finish(self, summary: Summary) -> None:
        self.stop()
        for line in summary_lines(summary):
            self._print(line)

    def stop(self) -> None:
        self._live.stop()

    def __rich__(self) -> Group:
        now = time.monotonic()
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            self._spinner,
            ProgressBar(total=max(self._total, 1), completed=self._done, width=30),
            f"{self._done}/{self._total}",
            duration_text(now - self._begun),
        )
        running = list(self._running.items())
        lines = [Text(f"  {name}  {duration_text(now - since)}", style="dim") for name, since in running[:_SHOWN]]
        if len(running) > _SHOWN:
            lines.append(Text(f"  and {len(running) - _SHOWN} more", style="dim"))
        return Group(bar, *lines)

    def _print(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        text = Text(line)
        if rest and word in _COLOURS:
            text.stylize(_COLOURS[word], 0, len(word))
        self._console.print(text, soft_wrap=True)
