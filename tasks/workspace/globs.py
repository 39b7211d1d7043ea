"""Patterns of paths: `*` and `?` stay inside one name, `**` crosses folders."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator

# The names of the folders and of the files in a folder: dictionaries, because many are asked for by name.
Entries = tuple[dict[str, None], dict[str, None]]

_GLOB = re.compile(r"[*?[]")


def matches(listed: Callable[[str], Entries | None], pattern: str) -> Iterator[tuple[str, bool]]:
    """The paths that a pattern names, and whether each is a folder. `listed` gives what is in a folder, None when there
    is none; '' is the root."""
    yield from _below(listed, "", pattern.split("/"))


def _below(listed: Callable[[str], Entries | None], folder: str, parts: list[str]) -> Iterator[tuple[str, bool]]:
    part, rest = parts[0], parts[1:]
    entries = listed(folder)
    if entries is None:
        return
    prefix = f"{folder}/" if folder else ""
    if part == "**":
        if rest:
            yield from _below(listed, folder, rest)
        else:
            yield from ((prefix + name, False) for name in entries[1])
        for name in entries[0]:
            yield from _below(listed, prefix + name, parts)
        return
    for name, is_folder in _matching(entries, part):
        if not rest:
            yield prefix + name, is_folder
        elif is_folder:
            yield from _below(listed, prefix + name, rest)


def _matching(entries: Entries, part: str) -> Iterator[tuple[str, bool]]:
    """The names that one part of a pattern names, and whether each is a folder."""
    for is_folder, names in ((True, entries[0]), (False, entries[1])):
        if _GLOB.search(part):
            yield from ((name, is_folder) for name in names if fnmatch.fnmatchcase(name, part))
        elif part in names:
            yield part, is_folder
