"""Templates: the texts that READMEs, INSTALL.md and workflows are written from. Each has a built-in text, which a file
of the same name in the workspace's `templates/` replaces.

A template is plain text with places to fill: `@version@`, a lower-case name between two at signs. Nothing else in it
means anything, so that `$HOME` of a shell and `${{ github.ref }}` of a workflow stay as they are.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping

from packyard.formats.errors import FormatError, Problem
from packyard.tasks.workspace.watch import Watch

FOLDER = "templates"
_PLACE = re.compile(r"@([a-z][a-z0-9_]*)@")


def read_template(name: str, built_in: str, watch: Watch, known: Collection[str]) -> str:
    """The text of the template `name` ('package_readme.md'): the workspace's own, else `built_in`.

    `known` are the names of the places that the caller fills; FormatError with every other one that is in the
    workspace's file, by line.
    """
    path = f"{FOLDER}/{name}"
    if not watch.is_file(path):
        return built_in
    text = watch.text(path)
    problems = [
        Problem(f"unknown place '@{place}@'", place=f"{path}:{number}", hint=_hint(place, known))
        for number, line in enumerate(text.splitlines(), 1)
        for place in _PLACE.findall(line)
        if place not in known
    ]
    if problems:
        raise FormatError(*problems)
    return text


def fill(text: str, values: Mapping[str, str]) -> str:
    """The template with its places filled. A value of several lines takes the indent of the line it is in, and a line
    that contains only a place with an empty value is left out."""
    lines: list[str] = []
    for line in text.splitlines():
        alone = _PLACE.fullmatch(line.strip())
        if alone and not values[alone[1]]:
            continue
        indent = line[: len(line) - len(line.lstrip())]
        lines += _fill_line(line, values).replace("\n", f"\n{indent}").split("\n")
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _fill_line(line: str, values: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda match: values[match[1]].rstrip("\n"), line)


def _hint(place: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(place, known, 1)
    return f"did you mean '@{near[0]}@'?" if near else f"known: {', '.join(f'@{name}@' for name in sorted(known))}"
