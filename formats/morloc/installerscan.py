"""What the compiler's own installer takes for the imports of a package, which is less than its compiler does.

It reads the entry file alone, line by line: a line whose first word is `import`, the name after exactly one blank,
of a dotted name the first level. So it misses an import after two blanks or a tab, and sees one in a string.
"""

from __future__ import annotations

import re

_NAME = re.compile(r"[^\s(]+")


def scan_as_compiler(text: str) -> tuple[str, ...]:
    """The packages that an installation of the package with this entry file would fetch, in their order."""
    found: dict[str, None] = {}
    inside = False
    for line in text.split("\n"):
        words = line.strip()
        if inside or words.startswith("{-"):
            inside = "-}" not in words  # one level; what follows on the line is lost
        elif words.startswith("import "):
            name = _NAME.match(words, len("import "))
            if name and not name[0].startswith("."):
                found[name[0].partition(".")[0]] = None
    return tuple(found)
