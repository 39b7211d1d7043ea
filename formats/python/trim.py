"""What a program can do without in installed distributions: tests, documentation, what only compilers read.

Each kind is chosen by name, and only by a file's path below site-packages (or below the prefix, for what is beside it).
Nothing is left out unless it was chosen: some programs do read these files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from packyard.formats.errors import FormatError

# The first pattern that matches counts. Tests are whole folders, because they contain data too; a folder called
# `testing` is part of what a package offers.
_KINDS = {
    "tests": re.compile(r"(.*/)?(tests?/.*|conftest\.py|test_\w+\.py|\w+_test\.py)"),
    "docs": re.compile(r"(.*/)?docs?/.*|(\.\./)*share/(doc|man|info)/.*|(.*/)?(CHANGELOG|CHANGES|README)(\.\w+)?"),
    "headers": re.compile(r".*\.(h|hh|hpp|hxx|pxd|pxi|pyx)"),
    "static": re.compile(r".*\.(a|la|lib)"),
    "stubs": re.compile(r"(.*/)?([^/]+\.pyi|py\.typed)"),
}
# Licences must travel with what they cover, and programs read metadata.
_NEVER = re.compile(r"[^/]+\.dist-info/.*")


def read_trim(text: str) -> str:
    """`text` when it names a kind of files that can be left out, else FormatError."""
    if text not in _KINDS:
        raise FormatError(f"{text!r} cannot be trimmed; expected one of {', '.join(_KINDS)}")
    return text


def trimmed(path: str, trim: Iterable[str], keep: Iterable[str]) -> str:
    """The first kind of `trim` that leaves out the file at `path` below site-packages; '' if it is kept.

    Patterns in `keep` take precedence; a star in them also matches slashes.
    """
    if _NEVER.match(path) or any(fnmatchcase(path, pattern) for pattern in keep):
        return ""
    return next((kind for kind in trim if _KINDS[kind].fullmatch(path)), "")
