"""Sizes and durations as text: one reader, one writer."""

from __future__ import annotations

import re

from packyard.formats.errors import FormatError

_SIZE = re.compile(r"(?P<number>[0-9]{1,15}(?:\.[0-9]{1,15})?) ?(?P<unit>k?B|[KMGT]i?B)")
_UNITS = {"B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
          "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}  # fmt: skip


def read_size(text: str) -> int:
    """A size in bytes: '500 MB', '10 GiB'."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise FormatError(f"{text!r} is not a size, one like '10 GB' was expected")
    return int(float(match["number"]) * _UNITS[match["unit"]])


def duration(seconds: float) -> str:
    """A length of time as a person reads it."""
    return f"{seconds:.2f} s" if seconds < 60 else f"{int(seconds) // 60} min {int(seconds) % 60} s"


def bytes_text(size: int) -> str:
    """A size as a person reads it, in powers of 1,000."""
    value = float(size)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{size} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"
