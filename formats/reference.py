"""References: a key that can take a path can take a target, written KIND:NAME or KIND:NAME#PART."""

from __future__ import annotations

import re
from dataclasses import dataclass

from packyard.formats.errors import FormatError
from packyard.formats.relpath import read_relpath

# NAME may hold a slot (slot:web/static) and a platform (bundle:web@linux_arm64).
_TARGET = re.compile(
    r"(?P<kind>[a-z][a-z0-9_-]*):(?P<name>[A-Za-z0-9][A-Za-z0-9._+/@-]*)(?:#(?P<part>[A-Za-z0-9][A-Za-z0-9._+/-]*))?"
)


@dataclass(frozen=True, slots=True, order=True)
class TargetRef:
    """One artifact of a target; `part` '' is the main one."""

    target: str
    part: str = ""

    def __str__(self) -> str:
        return f"{self.target}#{self.part}" if self.part else self.target


def read_reference(text: str) -> TargetRef | str:
    """A target, or a relative path (it may be a pattern), normalised. A path with a colon starts with './'."""
    if ":" not in text or text.startswith("./"):
        path = read_relpath(text)
        if not path and not text.startswith("."):
            raise FormatError(f"{text!r} is empty; expected a path or a target (KIND:NAME)")
        return path
    match = _TARGET.fullmatch(text)
    if match is None:
        raise FormatError(
            f"{text!r} is not a target; expected KIND:NAME or KIND:NAME#PART",
            hint=f"start a path that contains a colon with './': './{text}'",
        )
    return TargetRef(f"{match['kind']}:{match['name']}", match["part"] or "")
