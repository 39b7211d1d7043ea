"""`[tool.setuptools.dynamic]`: dependencies that a manifest leaves to files (setuptools, "Dynamic Metadata").

Each file has one PEP 508 requirement a line; empty lines and comments count for nothing, and options of pip are
refused, as setuptools refuses them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from packyard.formats.errors import FormatError, Problem
from packyard.formats.python.requirement import read_requirement

_COMMENT = re.compile(r"(^|\s+)#.*")


def read_dynamic_files(values: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The files that a pyproject.toml, as it was parsed, takes dependencies from: under '' those of everybody, else by
    the name of the extra. What is not a file there is for the backend to refuse."""
    table: Any = values
    for key in ("tool", "setuptools", "dynamic"):
        table = table.get(key) if isinstance(table, dict) else None
    if not isinstance(table, dict):
        return {}
    optional = table.get("optional-dependencies")
    places = {"": table.get("dependencies"), **(optional if isinstance(optional, dict) else {})}
    return {str(extra): files for extra, value in places.items() if (files := _files(value))}


def read_dependency_lines(text: str, place: str) -> tuple[str, ...]:
    """The requirements in one of these files; FormatError with each line that is none."""
    found: list[str] = []
    problems: list[Problem] = []
    for number, line in _lines(text):
        try:
            found.append(read_requirement(line))
        except FormatError as error:
            problems += [Problem(problem.message, place=f"{place}:{number}") for problem in error.problems]
    if problems:
        raise FormatError(*problems)
    return tuple(found)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if wanted := _COMMENT.sub("", line).strip():
            yield number, wanted


def _files(value: Any) -> tuple[str, ...]:
    named = value.get("file") if isinstance(value, dict) else None
    texts = [named] if isinstance(named, str) else named if isinstance(named, list) else []
    return tuple(text for text in texts if isinstance(text, str))
