"""The README of a distribution: what is inside, versions, digests, what it requires, how to install it, licences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from packyard.tasks.texts.template import fill

README = "package_readme.md"  # the name of the workspace's own template
PLACES = ("name", "contents", "needs", "install", "licences")
BUILT_IN = """\
# @name@

## What is inside

@contents@

## What it takes

@needs@

## How to install it

@install@

## Licence

@licences@
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One file: what it is, in a few words, and what is required to use it ('' for nothing). `size` is in bytes."""

    file: str
    what: str
    version: str
    license: str
    size: int
    sha256: str
    needs: str = ""


def readme_text(template: str, name: str, rows: Sequence[Row], install: str) -> str:
    """The README of these files; `install` says how to install them."""
    table = [
        "| file | description | version | licence | bytes | SHA-256 |",
        "|---|---|---|---|---|---|",
        *(
            f"| `{row.file}` | {_cell(row.what)} | {row.version} | {row.license or 'not stated'} | {row.size} "
            f"| `{row.sha256}` |"
            for row in rows
        ),
    ]
    needs: dict[str, list[str]] = {}
    licences: dict[str, list[str]] = {}
    for row in rows:
        needs.setdefault(row.needs or "nothing beyond the system", []).append(f"`{row.file}`")
        licences.setdefault(row.license or "not stated", []).append(f"`{row.file}`")
    return fill(
        template,
        {
            "name": name,
            "contents": "\n".join(table),
            "needs": "\n".join(f"- {what}: {', '.join(files)}" for what, files in needs.items()),
            "install": install,
            "licences": "\n".join(f"- {what}: {', '.join(files)}" for what, files in licences.items()),
        },
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
