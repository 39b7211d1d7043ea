"""Changing one string in a TOML or YAML text so that every other byte stays as it was."""

from __future__ import annotations

from typing import Any

import tomlkit
import yaml
from packyard.formats.errors import FormatError, Problem
from packyard.formats.text.toml import read_toml
from packyard.formats.text.yaml import compose_yaml, read_yaml
from tomlkit.exceptions import TOMLKitError

Path = tuple[str | int, ...]


def edit_toml(text: str, path: Path, value: str, place: str) -> str:
    """`text` with the string at `path` ('project', 'version') replaced; comments, order and quotes stay.

    FormatError if `text` is not TOML, or cannot be changed without losing something else.
    """
    wanted = read_toml(text, place)
    try:
        document: Any = tomlkit.parse(text)
        table = document
        for key in path[:-1]:
            table = table[key]
        quotes = table[path[-1]].as_string()
        multiline = quotes.startswith(('"""', "'''"))
        table[path[-1]] = tomlkit.string(value, literal=quotes.startswith("'"), multiline=multiline)
        edited = tomlkit.dumps(document)
    except TOMLKitError:  # it cannot hold every TOML text in memory, tomllib reads them all
        edited = ""
    _put(wanted, path, value)
    if not edited or read_toml(edited, place) != wanted or edited.count("\n") != text.count("\n"):
        raise _by_hand(path, value, place)
    return edited


def edit_yaml(text: str, path: Path, value: str, place: str) -> str:
    """`text` with the string at `path` replaced, in the quotes that it had; FormatError as `edit_toml`."""
    wanted = read_yaml(text, place).values
    node: yaml.Node | None = compose_yaml(text, place)
    for key in path:
        node = _below(node, key)
    if not isinstance(node, yaml.ScalarNode) or node.style in ("|", ">"):
        raise _by_hand(path, value, place)
    quote = node.style or ""
    mark = len(text) - len(text.removeprefix("\ufeff"))
    start, end = node.start_mark.index + mark, node.end_mark.index + mark
    edited = text[:start] + quote + value + quote + text[end:]
    _put(wanted, path, value)
    if read_yaml(edited, place).values != wanted:
        raise _by_hand(path, value, place)
    return edited


def path_text(path: Path) -> str:
    """A path as messages write keys: 'meta[0].version'."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")


def _below(node: yaml.Node | None, key: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for name, value in node.value if name.value == key), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key]  # type: ignore[no-any-return]
    return None


def _put(values: Any, path: Path, value: str) -> None:
    for key in path[:-1]:
        values = values[key]
    values[path[-1]] = value


def _by_hand(path: Path, value: str, place: str) -> FormatError:
    message = f"cannot be changed to {value!r} without reformatting the file"
    return FormatError(Problem(message, path_text(path), place, "change it by hand"))
