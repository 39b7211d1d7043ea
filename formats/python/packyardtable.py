"""`[tool.packyard]` of a pyproject.toml: what Packyard asks of a Python member beyond the standards. And what the
tables of backends bring into a wheel on purpose although git ignores it.

    [tool.packyard]
    include = ["src/app/_build_info.py", "models/**"]   # files that git ignores and that belong to the member
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from packyard.formats.errors import FormatError
from packyard.formats.relpath import read_relpath
from packyard.formats.text.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class PackyardTable:
    """`include` are patterns of files below the member that belong to it although git ignores them: `*` and `?` stay
    inside one name, `**` crosses folders, and a folder stands for all that is in it."""

    include: tuple[str, ...] = ()


def read_packyard(table: Table) -> PackyardTable:
    """Read [tool.packyard]; a key that is not known is a problem."""
    return PackyardTable(include=table.parses("include", _pattern))


def read_artifacts(hatch: Any, poetry: Any) -> tuple[str, ...]:
    """The files below the member that the table of a backend, as it was parsed, names as made and yet part of a wheel:
    `artifacts` and `force-include` of [tool.hatch.build], `include` of [tool.poetry]. Each is a line as in a
    .gitignore, which is how hatch reads them. What is no text there is for the backend to refuse."""
    return tuple(line for line in _lines(_table(hatch), _table(poetry)) if "\n" not in line)


def _lines(hatch: Mapping[str, Any], poetry: Mapping[str, Any]) -> Iterator[str]:
    build = _table(hatch.get("build"))
    for place in (build, _table(_table(build.get("targets")).get("wheel"))):
        yield from (text for text in _listed(place.get("artifacts")) if isinstance(text, str))
        yield from (_anchored(path) for path in _table(place.get("force-include")))
    for one in _listed(poetry.get("include")):
        path = one.get("path") if isinstance(one, dict) else one
        if isinstance(path, str):
            yield _anchored(path)


def _pattern(text: str) -> str:
    pattern = read_relpath(text)
    if not pattern:
        raise FormatError(f"{text!r} is the member itself; expected files or folders in it")
    return pattern


def _anchored(path: str) -> str:
    return "/" + path.removeprefix("./").strip("/")


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
