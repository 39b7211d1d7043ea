"""Which parts of a wheel's sources are tests, modules, missing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase

from packyard.formats.python.entrypoint import EntryPoint
from packyard.formats.python.module import defines, read_module

Reader = Callable[[str], str | None]  # a module file's path -> its text


def matches(path: str, patterns: tuple[str, ...]) -> bool:
    """Whether a relative path, its name, or a folder above it fits one of the patterns of an `exclude`."""
    parts = path.split("/")
    above = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
    return any(fnmatchcase(candidate, pattern.rstrip("/")) for pattern in patterns for candidate in (*above, parts[-1]))


def import_name(distribution: str) -> str:
    """The name under which a distribution's modules are imported if nothing else says it: 'my-lib' is `my_lib`."""
    return re.sub(r"[-.]+", "_", distribution)


def missing_part(entry: EntryPoint, read: Reader, folder: str = "") -> str | None:
    """What of an entry point does not exist, in words; None when all does, '' when its top-level package is not here.

    `read` gives the text of a module file by its path ('web/cli.py'), None when there is none; `folder`, with a
    slash at its end, is where these paths lie. `pkg:name` is also the function `name` in the module `pkg.name`.
    FormatError with file and line when a module is not Python.
    """
    top = entry.module.partition(".")[0]
    if _module(top, read) is None:
        return ""
    found = _module(entry.module, read)
    name = entry.function.partition(".")[0]
    inner = _module(f"{entry.module}.{name}", read)
    if found is None:
        return f"there is no module {entry.module!r}"
    for path, text in filter(None, (found, inner)):
        if defines(read_module(text, folder + path), name):
            return None
    return f"the module {entry.module!r} has no {name!r}"


def _module(name: str, read: Reader) -> tuple[str, str] | None:
    """The path and the text of a module."""
    stem = name.replace(".", "/")
    for path in (f"{stem}/__init__.py", f"{stem}.py"):
        text = read(path)
        if text is not None:
            return path, text
    return None


def own_tests(paths: list[str]) -> Iterator[str]:
    """Those of the paths that are tests: in a folder `tests` or `test`, `test_*.py`, `*_test.py`, `conftest.py`."""
    for path in paths:
        *folders, name = path.split("/")
        if any(folder in ("tests", "test") for folder in folders) or any(
            fnmatchcase(name, pattern) for pattern in ("test_*.py", "*_test.py", "conftest.py")
        ):
            yield path
