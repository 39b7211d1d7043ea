"""What a Mojo package exports: the public names of its modules, read from its sources.

A name is public unless it begins with an underscore. `__init__.mojo` exports what it declares and what it imports from
elsewhere; any other module exports what it declares.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from packyard.formats.mojo.source import HIDING

_INIT = "__init__.mojo"
_NAME = r"[^\W\d]\w*"

_HIDDEN = re.compile(HIDING, re.VERBOSE | re.DOTALL)
_DECLARED = re.compile(
    rf"^(?:async[ \t]+)?(?:def|fn|struct|trait|alias|comptime|var)[ \t]+"
    rf"(?!(?:if|for|assert)\b)(?P<name>{_NAME})"
    r"[ \t]*(?![\w \t])",
    re.MULTILINE,
)
_IMPORTED = re.compile(
    rf"^from[ \t]*(?P<dots>\.*)[ \t]*(?P<module>{_NAME}(?:\.{_NAME})*)?[ \t]+import[ \t]*"
    r"(?P<names>\([^)]*\)|[^(\n;]*)",
    re.MULTILINE,
)
_ITEM = re.compile(rf"\s*(?P<name>{_NAME}|\*)(?:\s+as\s+(?P<alias>{_NAME}))?\s*")


def module_names(paths: Iterable[str]) -> dict[str, str]:
    """The modules of a package with their files, by dotted name below the package ('' is the package itself), sorted.

    `paths` are relative to the package's folder.
    """
    found: dict[str, str] = {}
    for path in paths:
        folder, _, file = path.rpartition("/")
        name = folder if file == _INIT else path.removesuffix(".mojo")
        found[name.replace("/", ".")] = path
    return dict(sorted(found.items()))


def exports(package: str, sources: Mapping[str, str], path: str = _INIT) -> tuple[str, ...]:
    """The public names of the module at `path`, sorted; `sources` are the package's texts by relative path."""
    return tuple(sorted(name for name in _names(package, sources, path, set()) if not name.startswith("_")))


def _names(package: str, sources: Mapping[str, str], path: str, seen: set[str]) -> set[str]:
    """The names of a module and of those it imports with a star, except for modules in `seen`, which grows."""
    seen.add(path)
    text = _HIDDEN.sub(_blank, sources.get(path, "")).replace("\\\r\n", "   ").replace("\\\n", "  ")
    found = {match["name"] for match in _DECLARED.finditer(text)}
    if not path.endswith(_INIT):
        return found
    for match in _IMPORTED.finditer(text):
        for item in match["names"].strip("()\r\n\t ").split(","):
            name = _ITEM.fullmatch(item)
            if name is None:
                continue
            if name["name"] != "*":
                found.add(name["alias"] or name["name"])
                continue
            for other in _origins(package, path, len(match["dots"]), match["module"] or ""):
                if other in sources and other not in seen:
                    found |= _names(package, sources, other, seen)
    return found


def _origins(package: str, path: str, level: int, module: str) -> tuple[str, ...]:
    """The files that `from MODULE import *` in the module at `path` may mean; empty for a module of another package."""
    parts = module.split(".") if module else []
    if level == 0:
        if parts[:1] != [package]:
            return ()
        parts = parts[1:]
    else:
        folders = path.split("/")[:-1]
        parts = [*folders[: len(folders) - level + 1], *parts]
    return ("/".join([*parts, _INIT]), "/".join(parts) + ".mojo")


def _blank(match: re.Match[str]) -> str:
    """As many lines as were hidden, with nothing on them that could be a statement."""
    return " " + "\n " * match[0].count("\n")
