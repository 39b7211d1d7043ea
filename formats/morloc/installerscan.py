"""What the compiler's own installer takes for the imports of a package, which is less than what the compiler itself
sees.

It reads only the entry file, line by line: a line whose first word is `import`, then exactly one space, then the first
level of a dotted name. So it misses an import after two spaces or a tab, and sees one in a string.
"""

from __future__ import annotations

import re

_NAME = re.compile(r"[^\s(]+")


def scan_as_compiler(text: str) -> tuple[str, ...]:
    """The packages that an installation of the package with this entry file would fetch, in order."""
    found: dict[str, None] = {}
    inside = False
    for line in text.split("\n"):
        words = line.strip()
        if inside or words.startswith("{-"):
            inside = "-}" not in words  # one level; the rest of the line is lost
        elif words.startswith("import "):
            name = _NAME.match(words, len("import "))
            if name and not name[0].startswith("."):
                found[name[0].partition(".")[0]] = None
    return tuple(found)
