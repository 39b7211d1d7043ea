"""Strict reading of a parsed TOML, YAML or JSON table: all problems are collected, and keys that nothing read are
unknown."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from packyard.formats.errors import FormatError, Problem

T = TypeVar("T")

_KINDS = {
    str: "a string",
    bool: "true or false",
    int: "an integer",
    float: "a number",
    list: "a list",
    dict: "a table",
    type(None): "null",
}


@contextmanager
def reading(values: Mapping[str, Any], place: str) -> Iterator[Table]:
    """A table over `values`; raises one FormatError with all problems, each at `place`, when the block ends.

    A getter that finds a wrong value records the problem and returns its default, so one pass finds them all; what was
    built from such defaults never leaves the block.
    """
    problems: list[Problem] = []
    table = Table(values, "", problems)
    try:
        yield table
    except FormatError as error:
        problems.extend(error.problems)
    else:
        table.close()
    if problems:
        raise FormatError(*(Problem(p.message, p.key, p.place or place, p.hint) for p in problems))


class Table:
    """One table being read. The keys asked for are the known keys; `close` reports the others."""

    def __init__(self, values: Mapping[str, Any], key: str, problems: list[Problem]) -> None:
        self._values = values
        self._key = key
        self._problems = problems
        self._known: set[str] = set()
        self._children: list[Table] = []

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def keys(self) -> list[str]:
        """The keys that are present, in text order."""
        return list(self._values)

    def problem(self, key: str, message: str, hint: str = "") -> None:
        """Record that the value of `key` (empty: the table itself) is wrong."""
        self._problems.append(Problem(message, self._path(key), hint=hint))

    def raw(self, key: str) -> Any:
        """The value as parsed, or None; marks the key as known."""
        self._known.add(key)
        return self._values.get(key)

    def text(self, key: str, default: str = "", *, required: bool = False) -> str:
        """A string; a required one must be present and not empty."""
        value = self._typed(key, str, required)
        if required and value == "":
            self.problem(key, "'' is empty; expected some text")
        return default if value is None else value

    def parse(self, key: str, read: Callable[[str], T], default: T, *, required: bool = False) -> T:
        """A string that `read` turns into a value; its FormatError is recorded at the key."""
        value = self._typed(key, str, required)
        if value is None:
            return default
        try:
            return read(value)
        except FormatError as error:
            self._note(key, error)
            return default

    def flag(self, key: str, default: bool = False) -> bool:
        """true or false."""
        value = self._typed(key, bool, False)
        return default if value is None else value

    def integer(self, key: str, default: int = 0) -> int:
        """A whole number."""
        value = self._typed(key, int, False)
        return default if value is None else value

    def choice(self, key: str, choices: Collection[str], default: str = "", *, required: bool = False) -> str:
        """One of `choices`; any other value is a problem that lists them."""
        value = self._typed(key, str, required)
        if value is None:
            return default
        if value not in choices:
            near = difflib.get_close_matches(value, choices, 1)
            known = ", ".join(repr(choice) for choice in choices)
            self.problem(
                key,
                f"unknown value {value!r}; expected one of {known}",
                (near and f"did you mean {near[0]!r}?") or "",
            )
            return default
        return value

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """A list of strings."""
        return self.parses(key, str, required=required)

    def parses(self, key: str, read: Callable[[str], T], *, required: bool = False) -> tuple[T, ...]:
        """A list of strings, each turned into a value by `read`."""
        values = self._typed(key, list, required) or []
        found: list[T] = []
        for position, value in enumerate(values):
            if not isinstance(value, str):
                self.problem(f"{key}[{position}]", f"{_show(value)} is {_kind(value)}; expected a string")
                continue
            try:
                found.append(read(value))
            except FormatError as error:
                self._note(f"{key}[{position}]", error)
        return tuple(found)

    def mapping(self, key: str) -> dict[str, str]:
        """A table whose keys are free and whose values are strings."""
        table = self.table(key)
        return {name: table.text(name) for name in table}

    def table(self, key: str, *, required: bool = False) -> Table:
        """The table at `key`, empty when absent."""
        value = self._typed(key, dict, required)
        child = Table(value or {}, self._path(key), self._problems)
        self._children.append(child)
        return child

    def tables(self, key: str) -> list[Table]:
        """The list of tables at `key` (`[[key]]` in TOML)."""
        values = self._typed(key, list, False) or []
        found: list[Table] = []
        for position, value in enumerate(values):
            if isinstance(value, dict):
                found.append(Table(value, self._path(f"{key}[{position}]"), self._problems))
            else:
                self.problem(f"{key}[{position}]", f"{_show(value)} is {_kind(value)}; expected a table")
        self._children.extend(found)
        return found

    def ignore(self, *keys: str) -> None:
        """Mark keys that others read."""
        self._known.update(keys)

    def ignore_rest(self) -> None:
        """Accept every key: this table is only partly ours."""
        self._known.update(self._values)

    def close(self) -> None:
        """Report each key that nothing read, here and in the tables below."""
        for key in self._values:
            if key not in self._known:
                near = difflib.get_close_matches(str(key), self._known, 1)
                known = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(sorted(self._known))}"
                self.problem(str(key), "unknown key", known)
        for child in self._children:
            child.close()

    def _path(self, key: str) -> str:
        return ".".join(part for part in (self._key, key) if part)

    def _note(self, key: str, error: FormatError) -> None:
        for problem in error.problems:
            inner = ".".join(part for part in (self._path(key), problem.key) if part)
            self._problems.append(Problem(problem.message, inner, problem.place, problem.hint))

    def _typed(self, key: str, kind: type[T], required: bool) -> T | None:
        self._known.add(key)
        if key not in self._values:
            if required:
                self.problem(key, f"is missing; expected {_KINDS[kind]}")
            return None
        value = self._values[key]
        if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
            return value
        self.problem(key, f"{_show(value)} is {_kind(value)}; expected {_KINDS[kind]}")
        return None


def _kind(value: object) -> str:
    for kind, name in _KINDS.items():
        if type(value) is kind:
            return name
    return f"a {type(value).__name__}"


def _show(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
