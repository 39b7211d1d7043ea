"""Mojo sources: which modules a file imports. A scan, not a parse: the compiler judges the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SPACE = r"(?:[ \t\f]|\\\r?\n)"
_NAME = r"(?:[^\W\d]\w*|`[^`\n]+`)"
_DOTTED = rf"{_NAME}(?:{_SPACE}*\.{_SPACE}*{_NAME})*"

# What hides words (strings, comments, quoted names), and the two keywords where a statement can begin: at the
# start of a line, and after ';' or ':'. The closing quotes are optional so that an unclosed string ends with the
# line or the file, as it does for the compiler, which will complain of it.
_TOKEN = re.compile(
    r'''
      """ [^"\\]* (?: (?: \\. | "(?!"") ) [^"\\]* )* (?: """ )?
    | \'\'\' [^\'\\]* (?: (?: \\. | \'(?!\'\') ) [^\'\\]* )* (?: \'\'\' )?
    | " [^"\\\n]* (?: \\. [^"\\\n]* )* "?
    | ' [^'\\\n]* (?: \\. [^'\\\n]* )* '?
    | \# [^\n]*
    | ` [^`\n]* `?
    | (?: ^ | [;:] ) [ \t\f]* (?P<keyword> from | import ) \b
    ''',
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
_FROM = re.compile(rf"{_SPACE}*(?P<dots>(?:\.{_SPACE}*)*)(?P<module>{_DOTTED})?{_SPACE}*\bimport\b")
_IMPORTED = re.compile(rf"{_SPACE}*(?P<module>{_DOTTED})(?:{_SPACE}+as{_SPACE}+{_NAME})?{_SPACE}*(?P<more>,)?")


@dataclass(frozen=True, slots=True, order=True)
class Import:
    """One imported module. `level` counts the leading dots: 0 is absolute, 1 the file's own package.

    `module` is '' for `from . import x`. `line` counts from 1.
    """

    module: str
    line: int
    level: int = 0


def scan_imports(text: str) -> tuple[Import, ...]:
    """The imports of a Mojo source, in the order of the text, wherever they stand (in functions and branches too)."""
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
            at = origin.end()  # past the word `import`, which a continued line may begin with
            if origin["dots"] or origin["module"]:
                found.append(Import(_plain(origin["module"] or ""), line, origin["dots"].count(".")))
    return tuple(found)


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
