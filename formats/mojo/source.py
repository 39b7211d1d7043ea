"""Mojo sources: which modules a file imports, and how to make it import them from below another package.

A scan, not a parse: the compiler judges the rest.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

_SPACE = r"(?:[ \t\f]|\\\r?\n)"
_NAME = r"(?:[^\W\d]\w*|`[^`\n]+`)"
_DOTTED = rf"{_NAME}(?:{_SPACE}*\.{_SPACE}*{_NAME})*"

# Strings and comments, whose words are not part of the program. The closing quotes are optional so that an unclosed
# string ends with the line or the file, as it does for the compiler, which will complain about it.
HIDING = r'''
      """ [^"\\]* (?: (?: \\. | "(?!"") ) [^"\\]* )* (?: """ )?
    | \'\'\' [^\'\\]* (?: (?: \\. | \'(?!\'\') ) [^\'\\]* )* (?: \'\'\' )?
    | " [^"\\\n]* (?: \\. [^"\\\n]* )* "?
    | ' [^'\\\n]* (?: \\. [^'\\\n]* )* '?
    | \# [^\n]*
'''

# What hides words, and the two keywords, where a statement can begin: at the start of a line, and after ';' or ':'.
_TOKEN = re.compile(
    rf"{HIDING} | ` [^`\n]* `? | (?: ^ | [;:] ) [ \t\f]* (?P<keyword> from | import ) \b",
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
_FROM = re.compile(rf"{_SPACE}*(?P<dots>(?:\.{_SPACE}*)*)(?P<module>{_DOTTED})?{_SPACE}*\bimport\b")
_IMPORTED = re.compile(rf"{_SPACE}*(?P<module>{_DOTTED})(?P<alias>{_SPACE}+as{_SPACE}+{_NAME})?{_SPACE}*(?P<more>,)?")
_CHAIN = re.compile(rf"(?<![\w.`])(?P<top>[^\W\d]\w*)(?={_SPACE}*\.)")


@dataclass(frozen=True, slots=True, order=True)
class Import:
    """One imported module. `level` counts the leading dots: 0 is absolute, 1 the file's own package.

    `module` is '' for `from . import x`. `line` counts from 1.
    """

    module: str
    line: int
    level: int = 0


def scan_imports(text: str) -> tuple[Import, ...]:
    """The imports of a Mojo source, in text order, wherever they appear (in functions and branches too)."""
    found: list[Import] = []
    at, line, counted = 0, 1, 0
    while match := _TOKEN.search(text, at):
        at = match.end()
        if match["keyword"] is None:
            continue
        line += text.count("\n", counted, match.start("keyword"))
        counted = match.start("keyword")
        if match["keyword"] == "import":
            found.extend(_modules(text, at, line))
        elif origin := _FROM.match(text, at):
            at = origin.end()  # past the word `import`, with which a continued line may begin
            if origin["dots"] or origin["module"]:
                found.append(Import(_plain(origin["module"] or ""), line, origin["dots"].count(".")))
    return tuple(found)


def imported_packages(text: str) -> list[str]:
    """The top-level packages that a Mojo source imports by absolute name, sorted."""
    return sorted({found.module.partition(".")[0] for found in scan_imports(text) if found.level == 0})


def move_imports(text: str, names: Collection[str], below: str) -> str:
    """The source with each absolute import of a package in `names` turned into one of `below.NAME`.

    No line is added or lost, and the names that the rest of the file uses stay bound: `import a` becomes
    `import below.a as a`. Only `import a.b`, which binds `a`, has its uses `a.b.f()` rewritten as well.
    """
    inserts: list[tuple[int, str]] = []
    statements: list[tuple[int, int]] = []
    dotted: set[str] = set()
    at = 0
    while match := _TOKEN.search(text, at):
        at = start = match.end()
        if match["keyword"] == "import":
            while found := _IMPORTED.match(text, at):
                at = found.end()
                module = _plain(found["module"])
                top, _, inner = module.partition(".")
                if top in names:
                    inserts.append((found.start("module"), f"{below}."))
                    if inner and not found["alias"]:
                        dotted.add(top)
                    elif not found["alias"]:
                        inserts.append((found.end("module"), f" as {found['module']}"))
                if not found["more"]:
                    break
        elif match["keyword"] == "from" and (origin := _FROM.match(text, at)):
            at = origin.end()
            if not origin["dots"] and _plain(origin["module"] or "").partition(".")[0] in names:
                inserts.append((origin.start("module"), f"{below}."))
        statements.append((start if match["keyword"] else match.start(), at))
    inserts.extend((place, f"{below}.") for place in _uses(text, dotted, statements))
    for place, addition in sorted(inserts, reverse=True):
        text = text[:place] + addition + text[place:]
    return text


def _uses(text: str, names: Collection[str], hidden: list[tuple[int, int]]) -> list[int]:
    """Where a dotted chain begins with one of `names`, outside the spans `hidden`, which are sorted."""
    found: list[int] = []
    start = 0
    for begin, end in [*hidden, (len(text), len(text))] if names else ():
        found.extend(match.start() for match in _CHAIN.finditer(text, start, begin) if match["top"] in names)
        start = end
    return found


def _modules(text: str, at: int, line: int) -> list[Import]:
    found = []
    while match := _IMPORTED.match(text, at):
        found.append(Import(_plain(match["module"]), line))
        if not match["more"]:
            break
        at = match.end()
    return found


def _plain(module: str) -> str:
    return re.sub(rf"{_SPACE}*\.{_SPACE}*", ".", module).replace("`", "")
