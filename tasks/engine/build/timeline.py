"""What ran when, as a trace file that chrome://tracing, Perfetto and speedscope read (the Trace Event Format).

Complete events ('X'), times in
microseconds since the start of the run, one row for each action that runs at the same time as others.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from packyard.tasks.host.atomic import replacing

# name, category, row, start and length in microseconds, details: no dictionary yet, there may be ten thousand
_Event = tuple[str, str, int, int, int, tuple[tuple[str, str], ...]]


class Timeline:
    """The events of one run. May be used from several threads."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._lock = threading.Lock()
        self._busy: set[int] = set()
        self._events: list[_Event] = []

    @contextmanager
    def span(self, name: str, category: str) -> Iterator[dict[str, str]]:
        """Record what happens inside; what is put into the given dictionary is shown beside it."""
        with self._lock:
            row = next(number for number in range(len(self._busy) + 1) if number not in self._busy)
            self._busy.add(row)
        start = time.monotonic()
        details: dict[str, str] = {}
        try:
            yield details
        finally:
            end = time.monotonic()
            with self._lock:
                self._busy.discard(row)
                times = round((start - self._start) * 1e6), round((end - start) * 1e6)
                self._events.append((name, category, row, *times, tuple(details.items())))

    def write(self, path: Path) -> None:
        """Write the events, whole or not at all; OSError when that cannot be done."""
        name = {"name": "process_name", "ph": "M", "pid": 1, "args": {"name": "packyard"}}
        with self._lock:
            events = [_shown(event) for event in self._events]
        text = json.dumps({"traceEvents": [name, *events], "displayTimeUnit": "ms"})
        with replacing(path) as aside:
            aside.write_text(text, encoding="utf-8")


def _shown(event: _Event) -> dict[str, Any]:
    name, category, row, start, length, details = event
    return {
        "name": name, "cat": category, "ph": "X", "pid": 1, "tid": row, "ts": start, "dur": length,
        "args": dict(details),
    }  # fmt: skip
