"""`[tool.packyard]` of a pyproject.toml: what Packyard asks of a Python member beyond the standards. And what the
tables of backends bring into a wheel on purpose although git ignores it.

    [tool.packyard]
    include = ["src/app/_build_info.py", "models/**"]   # files that git ignores and that belong to the member
    inputs = ["../../shared/data"]                      # files beside the member that its wheel is made from
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from packyard.formats.errors import FormatError
from packyard.formats.relpath import read_relpath
from packyard.formats.text.table import Table

_OUT = re.compile(r"(?:\./+)*\.\./")
# Where backends look for files: the tables below [tool], and which parts of them (all when none is named).
_PLACES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("hatch", ("build",)),
    ("setuptools", ()),
    ("poetry", ("packages", "include", "readme")),
    ("pdm", ("build",)),
    ("flit", ()),
    ("uv", ("build-backend",)),
    ("scikit-build", ()),
    ("maturin", ()),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackyardTable:
    """`include` are patterns of files below the member that belong to it although git ignores them: `*` and `?` stay
    inside one name, `**` crosses folders, and a folder stands for all that is in it. `inputs` are such patterns of what
    lies elsewhere in the workspace, relative to the member, in normal form."""

    include: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()


def read_packyard(table: Table) -> PackyardTable:
    """Read [tool.packyard]; a key that is not known is a problem."""
    return PackyardTable(include=table.parses("include", _pattern), inputs=table.parses("inputs", _beside))


def read_artifacts(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The files below the member that a pyproject.toml, as it was parsed, names as made and yet part of a wheel:
    `artifacts` and `force-include` of [tool.hatch.build], `include` of [tool.poetry]. Each is a line as in a
    .gitignore, which is how hatch reads them. What is no text there is for the backend to refuse."""
    tool = _table(values.get("tool"))
    lines = _lines(_table(tool.get("hatch")), _table(tool.get("poetry")))
    return tuple(line for line in lines if "\n" not in line)


def read_beside(values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The paths that a pyproject.toml, as it was parsed, names outside of the member, each after its key: every text
    that begins with '../' where a backend looks for files."""
    found: dict[tuple[str, str], None] = {}
    project, tool = _table(values.get("project")), _table(values.get("tool"))
    for key in ("readme", "license"):
        found.update(dict.fromkeys(_leading_out(project.get(key), f"project.{key}")))
    for name, parts in _PLACES:
        table = _table(tool.get(name))
        for part in parts or table:
            found.update(dict.fromkeys(_leading_out(table.get(part), f"tool.{name}.{part}")))
    return tuple(found)


def _leading_out(value: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if _OUT.match(value):
            yield key, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            if _OUT.match(str(name)):
                yield key, str(name)
            else:
                shown = name or '""'
                yield from _leading_out(inner, f"{key}.{shown}")
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _leading_out(inner, f"{key}[{position}]")


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


def _beside(text: str) -> str:
    path = posixpath.normpath(text)
    if not _OUT.match(f"{path}/"):
        raise FormatError(f"{text!r} is not beside the member; expected a path that begins with '../'")
    return path


def _anchored(path: str) -> str:
    return "/" + path.removeprefix("./").strip("/")


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
