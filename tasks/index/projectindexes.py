"""The package indexes that a project names for uv: [[tool.uv.index]] in its pyproject.toml, or its uv.toml."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from packyard.formats.text.toml import read_toml
from packyard.tasks.workspace.workspace import Member, Workspace


def indexes_of(member: Member, workspace: Workspace) -> list[str]:
    """The named indexes of a member and of the workspace's root, as UV_INDEX has them ('NAME=URL'), without passwords:
    those are in variables, by the name of the index."""
    found: dict[str, None] = {}
    for folder in dict.fromkeys((member.folder, "")):
        prefix = f"{folder}/" if folder else ""
        for path in (f"{prefix}uv.toml", f"{prefix}pyproject.toml"):
            if workspace.watch.is_file(path):
                top = read_toml(workspace.watch.text(path), path)
                table = top if path.endswith("uv.toml") else top.get("tool", {}).get("uv", {})
                found.update(dict.fromkeys(_named(table.get("index", []) if isinstance(table, dict) else [])))
    return list(found)


def _named(tables: Any) -> list[str]:
    found = []
    for table in tables if isinstance(tables, list) else []:
        name, url = str(table.get("name", "")), str(table.get("url", ""))
        parts = urlsplit(url)
        if name and parts.scheme in ("http", "https"):
            found.append(f"{name}={parts._replace(netloc=parts.netloc.rpartition('@')[2]).geturl()}")
    return found
