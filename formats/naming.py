"""Which names members, archives and slots may have, and which names can be imported."""

from __future__ import annotations

import keyword
import re

from packyard.formats.errors import FormatError

_MEMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")  # Mojo has no others; a Python name beyond ASCII is refused too
_MOJO_KEYWORDS = frozenset({"alias", "comptime", "fn", "struct", "trait", "var"})


def read_member_name(text: str) -> str:
    """The name of a member, archive or slot: it becomes part of target and file names."""
    if not _MEMBER.fullmatch(text):
        raise FormatError(
            f"{text!r} is not a name; expected letters, digits and . _ + -, starting with a letter or digit"
        )
    return text


def read_import_name(text: str) -> str:
    """A name that `import` accepts, in Mojo and Python."""
    if not _IDENTIFIER.fullmatch(text):
        raise FormatError(f"{text!r} cannot be imported; expected an identifier (letters, digits, _)")
    if keyword.iskeyword(text) or text in _MOJO_KEYWORDS:
        raise FormatError(f"{text!r} cannot be imported: it is a keyword")
    return text
