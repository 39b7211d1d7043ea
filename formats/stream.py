"""Where bytes are written to and read from."""

from __future__ import annotations

from typing import Protocol


class Sink(Protocol):
    """Where bytes are written to."""

    def write(self, data: bytes, /) -> object:
        """Take all of `data`."""


class Stream(Protocol):
    """Where bytes are read from; `read` returns fewer bytes than requested only at the end."""

    def read(self, size: int, /) -> bytes:
        """The next `size` bytes."""
