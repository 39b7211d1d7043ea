"""What bytes are written to, and what they are read from."""

from __future__ import annotations

from typing import Protocol


class Sink(Protocol):
    """What bytes are written to."""

    def write(self, data: bytes, /) -> object:
        """Take all of `data`."""


class Stream(Protocol):
    """What bytes are read from; `read` gives fewer bytes than asked only at the end."""

    def read(self, size: int, /) -> bytes:
        """The next `size` bytes."""
