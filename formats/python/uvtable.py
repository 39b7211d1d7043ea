"""`[tool.uv]` of a pyproject.toml, and uv.toml (uv's documentation, "Settings" and "Dependency sources"): what in them
decides which distributions are installed."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from packaging.markers import InvalidMarker, Marker
from packaging.utils import canonicalize_name
from packyard.formats.python.requirement import without_password
from packyard.formats.text.table import Table

# What uv follows when it resolves for Packyard, so that each is a part of the question that a lock answers.
_DECIDING = (
    "build-constraint-dependencies", "constraint-dependencies", "dependency-metadata", "environments",
    "exclude-dependencies", "exclude-newer", "exclude-newer-package", "extra-index-url", "find-links", "fork-strategy",
    "index", "index-strategy", "index-url", "no-build", "no-build-package", "no-index", "override-dependencies", "pip",
    "prerelease", "required-environments", "resolution",
)  # fmt: skip
# What changes the distributions that uv installs, and not those of a bundle.
_UNHEARD = {
    "no-binary": "wheels are taken where there are any",
    "no-binary-package": "wheels are taken where there are any",
    "config-settings": "sources are built as their [build-system] says",
    "config-settings-package": "sources are built as their [build-system] says",
    "extra-build-dependencies": "sources are built as their [build-system] says",
    "extra-build-variables": "sources are built as their [build-system] says",
    "no-build-isolation": "sources are built in an environment of their own",
    "no-build-isolation-package": "sources are built in an environment of their own",
}
# What is spelled nearly like one of them.
_HARMLESS = ("dependency-groups", "dev-dependencies", "no-cache", "no-sources", "no-sources-package")
_SOURCES = ("index", "url", "path", "git", "workspace")
_SOURCE_KEYS = (*_SOURCES, "marker", "extra", "group", "subdirectory", "rev", "tag", "branch", "lfs", "editable",
                "package")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class UvSource:
    """One source of a distribution: its `kind` (one of index, url, path, git, workspace) with its value, when it counts
    (`marker`, `extra`), and its key in the manifest. Passwords are left out of URLs."""

    kind: str
    value: str
    key: str
    marker: str = ""
    extra: str = ""
    subdirectory: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UvTable:
    """What decides: sources by canonical name, the URLs of named indexes, and other settings ('KEY = JSON'), all
    without passwords. `members` are the patterns of a uv workspace, None when the project is none."""

    sources: Mapping[str, tuple[UvSource, ...]] = field(default_factory=dict)
    indexes: Mapping[str, str] = field(default_factory=dict)
    settings: tuple[str, ...] = ()
    members: tuple[str, ...] | None = None


def read_uv(table: Table) -> UvTable:
    """The table; a key that uv heeds and Packyard does not is noted there as a problem, and so is one that is nearly
    called like one that decides."""
    table.ignore_rest()
    known = (*_DECIDING, *_HARMLESS, *_UNHEARD, "sources", "workspace")
    for key in table:
        if key in _UNHEARD:
            table.problem(key, f"is not followed: {_UNHEARD[key]}; expected a project without it")
        elif key not in known and (near := difflib.get_close_matches(key, (*_DECIDING, "sources"), 1, 0.85)):
            table.problem(key, "unknown key", f"did you mean {near[0]!r}?")
    sources = {} if table.flag("no-sources") else _sources(table.table("sources"))
    for name in table.texts("no-sources-package") if "no-sources-package" in table else ():
        sources.pop(canonicalize_name(name), None)
    workspace = table.table("workspace")
    workspace.ignore_rest()
    return UvTable(
        sources=sources,
        indexes=_indexes(table),
        settings=tuple(f"{key} = {json.dumps(_bare(table.raw(key)), sort_keys=True, default=str)}"
                       for key in _DECIDING if key in table),
        members=workspace.texts("members") if "workspace" in table else None,
    )  # fmt: skip


def _sources(table: Table) -> dict[str, tuple[UvSource, ...]]:
    found: dict[str, tuple[UvSource, ...]] = {}
    for name in table:
        several = isinstance(table.raw(name), list)
        tables = table.tables(name) if several else [table.table(name)]
        read = [_source(one, f"tool.uv.sources.{name}{f'[{n}]' * several}") for n, one in enumerate(tables)]
        found[canonicalize_name(name)] = tuple(one for one in read if one)
    return found


def _source(table: Table, key: str) -> UvSource | None:
    table.ignore(*_SOURCE_KEYS)
    kinds = [kind for kind in _SOURCES if kind in table]
    if len(kinds) != 1:
        table.problem("", f"has {len(kinds)} of {', '.join(_SOURCES)}; expected one")
        return None
    (kind,) = kinds
    value = str(table.flag(kind)).lower() if kind == "workspace" else table.text(kind, required=True)
    marker = table.text("marker")
    try:
        if marker:
            Marker(marker)
    except InvalidMarker:
        table.problem("marker", f"{marker!r} is not a marker; expected one like \"sys_platform == 'linux'\"")
    if "group" in table or value == "false":
        return None  # development groups do not go into a bundle
    return UvSource(
        kind=kind, value=without_password(value), key=f"{key}.{kind}", marker=marker, extra=table.text("extra"),
        subdirectory=table.text("subdirectory"),
    )  # fmt: skip


def _indexes(table: Table) -> dict[str, str]:
    found = {}
    for index in table.tables("index"):
        index.ignore_rest()
        if name := index.text("name"):
            found[name] = without_password(index.text("url"))
    return found


def _bare(value: Any) -> Any:
    """A value without the passwords in it."""
    if isinstance(value, dict):
        return {key: _bare(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_bare(one) for one in value]
    return without_password(value) if isinstance(value, str) else value
