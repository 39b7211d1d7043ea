"""The tables of Poetry, PDM and Rye in a pyproject.toml: where in them a distribution has a source of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_OF_POETRY = ("path", "git", "url", "source", "file")


def other_sources(tool: Mapping[str, Any]) -> Iterator[str]:
    """The keys under [tool] by which these tools take a distribution from elsewhere, or another version of it."""
    poetry, pdm = _table(tool, "poetry"), _table(tool, "pdm")
    rye = _table(tool, "rye")
    lists = {"tool.poetry.source": poetry.get("source"), "tool.pdm.source": pdm.get("source"),
             "tool.rye.sources": rye.get("sources")}  # fmt: skip
    yield from (key for key, value in lists.items() if value)
    for name, spec in _table(poetry, "dependencies").items():
        for one in spec if isinstance(spec, list) else [spec]:
            keys = [key for key in _OF_POETRY if isinstance(one, dict) and key in one]
            yield from (f"tool.poetry.dependencies.{name}.{key}" for key in keys)
    yield from (f"tool.pdm.resolution.{key}" for key, value in _table(pdm, "resolution").items() if value)


def _table(tables: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = tables.get(key)
    return found if isinstance(found, dict) else {}
