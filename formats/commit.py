"""The full name of a commit of git: 40 hexadecimal digits (SHA-1), or 64 (SHA-256)."""

from __future__ import annotations

import re

from packyard.formats.errors import FormatError

_NAME = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def is_commit(text: str) -> bool:
    """Whether a text is such a name, as git writes it: in lower case."""
    return bool(_NAME.fullmatch(text))


def read_commit(text: str) -> str:
    """The name, in lower case; FormatError if it is abbreviated or not a name."""
    if not is_commit(text.lower()):
        raise FormatError(f"{text!r} is not a commit; expected 40 or 64 hexadecimal digits")
    return text.lower()
