"""A parsed YAML mapping, read strictly: null is absent, and a value that YAML did not take for a string is shown as it
was written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from packyard.formats.text.table import Table


class YamlTable:
    """A mapping being read: `table` over its values, `written` as `read_yaml` gives it, `key` where it stands."""

    def __init__(self, table: Table, written: Mapping[str, str], key: str = "") -> None:
        self.table = table
        self._written = written
        self._key = key

    def given(self, key: str) -> bool:
        """Whether there is a value other than null."""
        return self.table.raw(key) is not None

    def text(self, key: str, read: Callable[[str], str] = str, *, required: bool = False, hint: str = "") -> str:
        """A string, '' when absent; `hint` says what to write instead of a value that is not a string; by default, that
        value in quotes."""
        value = self.table.raw(key)
        if value is None:
            if required:
                self.table.problem(key, "is missing; expected a string")
            return ""
        if self._is_text(value, key, hint):
            return self.table.parse(key, read, "", required=required)
        return ""

    def texts(self, key: str, read: Callable[[str], str] = str) -> tuple[str, ...]:
        """A list of strings, () when absent."""
        values = self.table.raw(key)
        if values is None:
            return ()
        if not isinstance(values, list):
            shown = self._written.get(self._path(key), values)
            hint = f"{key}: [{shown}]" if isinstance(values, str) or shown is not values else ""
            self.table.problem(key, f"{shown!r} is not a list; expected a list of strings", hint and f"write {hint}")
            return ()
        wrong = [value for position, value in enumerate(values) if not self._is_text(value, f"{key}[{position}]")]
        return () if wrong else self.table.parses(key, read)

    def integer(self, key: str) -> int:
        """A whole number, 0 when absent."""
        value = self.table.raw(key)
        if isinstance(value, str) and value.isdigit():
            self.table.problem(key, f"{value!r} is a string; expected an integer", f"write {key}: {value}")
            return 0
        return self.table.integer(key) if value is not None else 0

    def strings(self, key: str) -> dict[str, str]:
        """A mapping from names to strings, {} when absent."""
        child = self.mapping(key)
        return {name: child.text(name) for name in child.table}

    def mapping(self, key: str) -> YamlTable:
        """The mapping at `key`, empty when absent."""
        table = self.table.table(key) if self.given(key) else Table({}, "", [])
        return YamlTable(table, self._written, self._path(key))

    def mappings(self, key: str) -> list[YamlTable]:
        """The list of mappings at `key`, empty when absent."""
        tables = self.table.tables(key) if self.given(key) else []
        return [
            YamlTable(table, self._written, f"{self._path(key)}[{position}]") for position, table in enumerate(tables)
        ]

    def _is_text(self, value: Any, key: str, hint: str = "") -> bool:
        written = self._written.get(self._path(key))
        if isinstance(value, str):
            return True
        if written is None:
            self.table.problem(key, f"is {'a list' if isinstance(value, list) else 'a mapping'}; expected a string")
        else:
            kind = {bool: "true or false", type(None): "null"}.get(type(value), "a number")
            quoted = f'"{written}"' if "[" in key else f'{key}: "{written}"'
            self.table.problem(key, f"{written} is {kind} in YAML; expected a string", hint or f"write {quoted}")
        return False

    def _path(self, key: str) -> str:
        return f"{self._key}.{key}" if self._key else key
