"""YAML texts as the morloc compiler's parser reads them, with the original text of each value that is not a string.

The compiler knows the YAML 1.1 booleans (`y`, `no`, `on`), but neither dates nor sexagesimal numbers. Keys are
strings. Stricter than the compiler: a key given twice is an error, and so are anchors and aliases, which no
manifest needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import yaml
from packyard.formats.errors import FormatError, Problem

_NULL, _BOOL, _INT, _FLOAT, _STR = (f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "str"))
_FALSE_OR_TRUE = r"y|yes|true|on|n|no|false|off"


@dataclass(frozen=True, slots=True)
class YamlMapping:
    """`values`, and for each scalar that is not a string, by its key ('expose.cpp[0]'), the text `written` for it."""

    values: dict[str, Any]
    written: dict[str, str]


def read_yaml(text: str, place: str) -> YamlMapping:
    """The mapping that `text` is; FormatError names `place`, line and column when it is not YAML or not a mapping."""
    written: dict[str, str] = {}
    with yaml_errors(text, place):
        return YamlMapping(_mapping(compose_yaml(text, place), "", written), written)


def compose_yaml(text: str, place: str) -> yaml.MappingNode:
    """The mapping in `text` as a node of PyYAML, which knows where everything is; FormatError as `read_yaml`. A byte
    order mark at the beginning is not counted."""
    with yaml_errors(text, place):
        node = _compose(text.removeprefix("\ufeff"))
    if not isinstance(node, yaml.MappingNode):
        found = "is empty" if node is None else f"is {_kind(node)}"
        raise FormatError(Problem(f"{found}; expected a mapping (name: value)", place=place))
    return node


@contextmanager
def yaml_errors(text: str, place: str) -> Iterator[None]:
    """Report what PyYAML refuses in `text` as a FormatError that names `place`, line and column."""
    try:
        yield
    except yaml.MarkedYAMLError as error:
        message = ", ".join(part for part in (error.context, error.problem) if part)
        raise FormatError(Problem(f"is not YAML: {message}", _spot(error.problem_mark), place)) from None
    except yaml.reader.ReaderError as error:
        where = error.position if isinstance(error.position, int) else 0
        message = f"is not YAML: the character {chr(int(error.character))!r} is not allowed"
        line = text.count("\n", 0, where) + 1
        raise FormatError(
            Problem(message, f"line {line}, column {where - text.rfind(chr(10), 0, where)}", place)
        ) from None
    except RecursionError:
        raise FormatError(Problem("is nested too deeply", place=place)) from None


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (how PyYAML declares them)

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.MarkedYAMLError(problem="anchors and aliases are not supported", problem_mark=event.start_mark)
        return super().compose_node(parent, index)


def _compose(text: str) -> yaml.Node | None:
    """The root node. The C parser is ten times as fast; the Python one says what is wrong, and sees anchors."""
    if _QuickLoader is not None and "&" not in text and "*" not in text:
        with suppress(yaml.YAMLError):
            return yaml.compose(text, Loader=_QuickLoader)
    return yaml.compose(text, Loader=_Loader)


def _resolve(tag: str, pattern: str, first: str) -> None:
    _Loader.add_implicit_resolver(tag, re.compile(rf"(?:{pattern})$"), list(first))


_resolve(_NULL, r"~|null|Null|NULL|", "~nN")
_Loader.yaml_implicit_resolvers.setdefault("", []).append((_NULL, re.compile("$")))
_spellings = [s for word in _FALSE_OR_TRUE.split("|") for s in dict.fromkeys((word, word.capitalize(), word.upper()))]
_resolve(_BOOL, "|".join(_spellings), "yYnNtTfFoO")
_resolve(_INT, r"[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+", "-+0123456789")
_resolve(
    _FLOAT,
    r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
    "-+0123456789.",
)


def _quick_loader() -> Any:
    """The loader over libyaml, None where PyYAML was built without it."""
    try:
        from yaml._yaml import CParser
    except ImportError:
        return None

    class Quick(CParser, yaml.resolver.Resolver):
        yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers

        def __init__(self, stream: str) -> None:
            CParser.__init__(self, stream)
            yaml.resolver.Resolver.__init__(self)

    return Quick


_QuickLoader = _quick_loader()


def _mapping(node: yaml.MappingNode, key: str, written: dict[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for name_node, value_node in node.value:
        if not isinstance(name_node, yaml.ScalarNode):
            raise yaml.MarkedYAMLError(problem="a key must be a name", problem_mark=name_node.start_mark)
        name = name_node.value
        if name in values:
            problem = f"the key {name!r} appears twice, first on line {lines[name]}"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=name_node.start_mark)
        lines[name] = name_node.start_mark.line + 1
        values[name] = _value(value_node, f"{key}.{name}" if key else name, written)
    return values


def _value(node: yaml.Node, key: str, written: dict[str, str]) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, key, written)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, f"{key}[{position}]", written) for position, item in enumerate(node.value)]
    return _scalar(node, key, written)


def _scalar(node: yaml.Node, key: str, written: dict[str, str]) -> str | bool | int | float | None:
    text: str = node.value
    if node.tag == _STR:
        return text
    written[key] = text
    if node.tag == _NULL:
        return None
    if node.tag == _BOOL:
        return text.lower() in ("y", "yes", "true", "on")
    try:
        if node.tag == _INT:
            return int(text, 10 if text.lstrip("-+").isdigit() else 0)
        if node.tag == _FLOAT:
            return float(text.replace(".inf", "inf").replace(".nan", "nan").lower())
    except ValueError:  # a tag written by hand, or more digits than Python converts
        problem = f"{text[:40]!r} is not a number"
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from None
    raise yaml.MarkedYAMLError(problem=f"the tag {node.tag!r} is not supported", problem_mark=node.start_mark)


def _kind(node: yaml.Node) -> str:
    return "a list" if isinstance(node, yaml.SequenceNode) else "a single value"


def _spot(mark: yaml.Mark | None) -> str:
    return "" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}"
