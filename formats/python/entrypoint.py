"""Entry points: 'package.module:function' (PyPA entry points specification, without the retired extras)."""

from __future__ import annotations

import keyword
from dataclasses import dataclass

from packyard.formats.errors import FormatError


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """What to import, and what to call in it; both may be dotted."""

    module: str
    function: str

    def __str__(self) -> str:
        return f"{self.module}:{self.function}"


def parse_entry_point(text: str) -> EntryPoint:
    """The module and the function that `text` names; FormatError otherwise."""
    module, colon, function = text.partition(":")
    if not colon or not _dotted(module) or not _dotted(function):
        raise FormatError(f"{text!r} is not an entry point; expected 'module:function'")
    return EntryPoint(module, function)


def read_entry_point(text: str) -> str:
    """`text` when it is an entry point, else FormatError."""
    return str(parse_entry_point(text))


def _dotted(text: str) -> bool:
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in text.split("."))
