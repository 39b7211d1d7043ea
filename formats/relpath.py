"""Names and relative paths that others wrote: checked once, and typed to show that they were.

A `RelPath` is a path as artifacts carry it: normalised, forward slashes, never leaving its root. A `FileName` is one
component of it. Text from a wheel, lock, manifest, archive or index becomes one of them before it is joined to a
folder; a test lists every join in the code and asks why it is safe (tests/joins.txt).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import NewType

from packyard.formats.errors import FormatError, Problem

RelPath = NewType("RelPath", str)  # '' is the root itself
FileName = NewType("FileName", str)

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f/\\]")
_LONGEST_NAME = 255  # bytes; the limit of every common file system


def read_relpath(text: str) -> RelPath:
    """`text` normalised (`./a//b/` is `a/b`, `.` is ``); FormatError if it leaves its root or is not a plain path."""
    if text.startswith("/") or (len(text) > 1 and text[1] == ":"):
        raise FormatError(f"{text!r} is absolute; expected a relative path")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise FormatError(f"{text!r} leaves its folder through '..'; expected a path inside")
    for part in parts:
        check_name(part)
    return RelPath("/".join(parts))


def read_file_name(text: str) -> FileName:
    """`text` when it is the name of one file, else FormatError as `check_name`."""
    check_name(text)
    return FileName(text)


def check_name(name: str) -> None:
    """Refuse a path component that Linux or macOS cannot hold, or that would mean something else on some system.

    Names that only Windows refuses ('aux', 'a?', 'a.') pass: distributions contain such files.
    """
    if name in ("", ".", ".."):
        raise FormatError(f"{name!r} is not a file name")
    if _FORBIDDEN.search(name):
        raise FormatError(f"{name!r} contains a control character or slash; expected a plain file name")
    if name.isascii() and len(name) <= _LONGEST_NAME:
        return
    try:
        size = len(name.encode("utf-8"))
    except UnicodeEncodeError:
        raise FormatError(f"{name!r} is not UTF-8") from None
    if size > _LONGEST_NAME:
        raise FormatError(f"{name[:40] + '...'!r} is {size} bytes long; expected at most {_LONGEST_NAME}")


def check_collisions(paths: Iterable[str]) -> None:
    """Refuse two paths that are the same on a file system which folds case or Unicode forms."""
    seen: dict[str, str] = {}
    problems: list[Problem] = []
    for path in paths:
        folded = unicodedata.normalize("NFC", path).casefold()
        other = seen.setdefault(folded, path)
        if other != path:
            problems.append(Problem(f"{path!r} and {other!r} are the same file on case-insensitive systems"))
    if problems:
        raise FormatError(*problems)
