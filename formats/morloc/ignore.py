""".morlocignore: which files of a morloc package are not installed, as the compiler reads it.

Lines are patterns; the last one that matches decides. `#` begins a comment, `!` negates. A pattern with a final '/' is
a folder at any depth, one with another '/' is matched with the whole path, else with the file name. `*` stays inside a
name, `**/` crosses folders; nothing else is special, not even a leading '/' (it matches nothing) or trailing spaces
(they belong to the pattern).
"""

from __future__ import annotations

import re
from collections.abc import Callable

IGNORE_FILE = ".morlocignore"
# What the compiler always leaves out.
_ALWAYS = ".git/\n.morlocignore\n"


def read_ignore(text: str) -> Callable[[str], bool]:
    """Whether a file, by its path below the package, is left out of an installation."""
    rules = [_rule(line) for line in (_ALWAYS + text).split("\n")]
    compiled = [rule for rule in rules if rule is not None]

    def ignored(path: str) -> bool:
        for pattern, takes_back in reversed(compiled):
            if pattern.fullmatch(path):
                return not takes_back
        return False

    return ignored


def _rule(line: str) -> tuple[re.Pattern[str], bool] | None:
    text = line.lstrip(" ")
    if not text or text.startswith("#"):
        return None
    takes_back = text.startswith("!")
    pattern = text[1:] if takes_back else text
    if pattern.endswith("/"):
        folder = re.escape(pattern[:-1])
        expression = rf"(?:.*/)?{folder}/.*|{folder}"
    elif "/" in pattern:
        expression = glob_expression(pattern)
    else:
        expression = rf"(?:.*/)?{glob_expression(pattern)}"
    return re.compile(expression, re.DOTALL), takes_back


def glob_expression(pattern: str) -> str:
    """The regular expression of a pattern: `*` inside a name, `**/` across folders (also those of package.yaml)."""
    parts = re.split(r"((?:\*\*/)+|\*)", pattern)  # `**/**/` says no more than `**/`, and takes far longer to match
    return "".join(
        "(?:[^/]*/)*" if part.startswith("**") else "[^/]*" if part == "*" else re.escape(part) for part in parts
    )
