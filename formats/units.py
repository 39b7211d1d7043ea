"""Sizes, durations and counts as text, each in one form; and sizes read back.

Only the null path (tasks/__main__.py), which imports nothing of ours, writes a line without this module.
"""

from __future__ import annotations

import re

from packyard.formats.errors import FormatError

_SIZE = re.compile(r"(?P<whole>[0-9]{1,15})(?:\.(?P<part>[0-9]{1,15}))? ?(?P<unit>k?B|[KMGT]i?B)")
_UNITS = {"B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
          "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}  # fmt: skip


def read_size(text: str) -> int:
    """A size in bytes, rounded down: '500 MB', '1.5 GiB'. FormatError if it has no unit."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise FormatError(f"{text!r} is not a size; expected one like '10 GB'")
    part = match["part"] or ""
    smallest: int = 10 ** len(part)
    return int(match["whole"] + part) * _UNITS[match["unit"]] // smallest


def size_text(size: int) -> str:
    """A size in bytes as a person reads it, in powers of 1,000; `read_size` reads it: '734 B', '1.2 MB'."""
    if size < 1000:
        return f"{size} B"
    units = ("kB", "MB", "GB")
    unit = next((unit for unit in units if round(size / _UNITS[unit], 1) < 1000), "TB")
    return f"{size / _UNITS[unit]:.1f} {unit}"


def duration_text(seconds: float) -> str:
    """A length of time as a person reads it: '0.25 s', '1 min 5 s', '5 min'."""
    if round(seconds, 2) < 60:
        return f"{seconds:.2f} s"
    minutes, left = divmod(int(round(seconds, 2)), 60)
    return f"{minutes} min {left} s" if left else f"{minutes} min"


def count_text(number: int, noun: str) -> str:
    """A number and its noun: '1 file', '2 files'."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
