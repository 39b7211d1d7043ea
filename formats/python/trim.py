"""What of installed distributions a program can do without: tests, documentation, what only compilers read.

Each kind is chosen by its name, by nothing but a file's path below site-packages (or below the prefix, for what lies
beside it). Nothing is left out that nobody chose: some programs do read these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from packyard.formats.errors import FormatError

# Of a pattern, the first that fits counts. Tests are whole folders, for they hold data too; what is called `testing`
# is a part of what a package offers.
_KINDS = {
    "tests": re.compile(r"(.*/)?(tests?/.*|conftest\.py|test_\w+\.py|\w+_test\.py)"),
    "docs": re.compile(r"(.*/)?docs?/.*|(\.\./)*share/(doc|man|info)/.*|(.*/)?(CHANGELOG|CHANGES|README)(\.\w+)?"),
    "headers": re.compile(r".*\.(h|hh|hpp|hxx|pxd|pxi|pyx)"),
    "static": re.compile(r".*\.(a|la|lib)"),
    "stubs": re.compile(r"(.*/)?([^/]+\.pyi|py\.typed)"),
}
# Licences have to travel with what they are for, and metadata is read by programs.
_NEVER = re.compile(r"[^/]+\.dist-info/.*")


def read_trim(text: str) -> str:
    """`text` when it names a kind of files that can be left out, else FormatError."""
    if text not in _KINDS:
        raise FormatError(f"{text!r} cannot be trimmed; expected one of {', '.join(_KINDS)}")
    return text


def trimmed(path: str, trim: Iterable[str], keep: Iterable[str]) -> str:
    """The first kind of `trim` that leaves out the file at `path` below site-packages; '' when it stays.

    Patterns of `keep` go first; a star in them also stands for slashes.
    """
    if _NEVER.match(path) or any(fnmatchcase(path, pattern) for pattern in keep):
        return ""
    return next((kind for kind in trim if _KINDS[kind].fullmatch(path)), "")
