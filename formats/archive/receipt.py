"""Receipts: what a folder holds, in one text that is equal for equal folders and for no others.

One line for each file, link and empty folder, sorted by path bytes; each is a JSON array, in which no name can pass for
a separator or for another line:

    ["d","empty"]                  an empty folder; others are told by what is in them
    ["l","bin/example","tool"]     a link and its goal, as it stands in the link
    ["-","data",5,"6667b2d1..."]   a file, its size in bytes, its SHA-256
    ["x","bin/tool",10,"f0a3..."]  an executable file
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from packyard.formats.errors import FormatError, Problem

FOLDER, LINK, FILE, PROGRAM = "d", "l", "-", "x"
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_SHAPES = {
    FOLDER: (str, str),
    LINK: (str, str, str),
    FILE: (str, str, int, str),
    PROGRAM: (str, str, int, str),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line: `kind` is FOLDER, LINK, FILE or PROGRAM (an executable file). `goal` is a link's; `size` (bytes) and
    `sha256` (hexadecimal) are a file's."""

    kind: str
    path: str
    goal: str = ""
    size: int = 0
    sha256: str = ""

    @property
    def is_file(self) -> bool:
        """Whether it has bytes."""
        return self.kind in (FILE, PROGRAM)


def write_receipt(items: Iterable[Item]) -> bytes:
    """The receipt of a folder that holds these; UnicodeEncodeError for a name that is not UTF-8."""
    ordered = sorted(items, key=lambda item: item.path.encode())
    return "".join(f"{_encode(_row(item))}\n" for item in ordered).encode()


def read_receipt(data: bytes) -> list[Item]:
    """What `write_receipt` was given, in its order; FormatError when it wrote no such text."""
    try:
        return [_item(json.loads(line)) for line in data.decode().split("\n")[:-1]]
    except (ValueError, TypeError, LookupError):
        raise FormatError(Problem('is not a receipt; expected lines such as ["-",PATH,SIZE,SHA256]')) from None


def _row(item: Item) -> list[Any]:
    if item.is_file:
        return [item.kind, item.path, item.size, item.sha256]
    return [item.kind, item.path] if item.kind == FOLDER else [item.kind, item.path, item.goal]


def _item(row: list[Any]) -> Item:
    if tuple(map(type, row)) != _SHAPES[row[0]]:
        raise ValueError
    kind, path, *rest = row
    if kind == LINK:
        return Item(kind=kind, path=path, goal=rest[0])
    return Item(kind=kind, path=path, size=rest[0], sha256=rest[1]) if rest else Item(kind=kind, path=path)
