from __future__ import annotations

from typing import Any

import packyard.formats.text.yaml as yaml_module
import pytest
from packyard.formats.errors import FormatError
from packyard.formats.text.yaml import read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x", "x"),
        ('"y"', "y"),
        ("y", True),
        ("Off", False),
        ("NO", False),
        ("yEs", "yEs"),
        ("~", None),
        ("", None),
        ("null", None),
        ("12", 12),
        ("012", 12),
        ("0x1F", 31),
        ("-3", -3),
        ("1.5e3", 1500.0),
        (".inf", float("inf")),
        ("0.1.0", "0.1.0"),
        ("2020-01-01", "2020-01-01"),  # the compiler knows no dates
        ("12:30:45", "12:30:45"),  # nor sexagesimal numbers
        ("[a, 1]", ["a", 1]),
        ("{b: no}", {"b": False}),
        ("!!str 1.0", "1.0"),
        ("|\n  two\n  lines\n", "two\nlines\n"),
    ],
)
def test_yaml_value_is_what_the_compiler_sees(text: str, value: Any) -> None:
    assert read_yaml(f"a: {text}", "p").values == {"a": value}


def test_yaml_scalars_keep_what_was_written() -> None:
    read = read_yaml("a: 1.0\nb: [x, y]\nc: {d: 0x10}\n1: z\n", "p")
    assert read.written == {"a": "1.0", "b[1]": "y", "c.d": "0x10"}
    assert list(read.values) == ["a", "b", "c", "1"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "p: is empty; expected a mapping (name: value)"),
        ("- a", "p: is a list; expected a mapping (name: value)"),
        ("a", "p: is a single value; expected a mapping (name: value)"),
        ("a: 1\na: 2", "p: line 2, column 1: is not YAML: the key 'a' appears twice, first on line 1"),
        ("a: &b 1", "p: line 1, column 4: is not YAML: anchors and aliases are not supported"),
        ("[a]: 1", "p: line 1, column 1: is not YAML: a key must be a name"),
        ("a: !!binary x", "p: line 1, column 4: is not YAML: the tag 'tag:yaml.org,2002:binary' is not supported"),
        (
            "a: 1\n---\nb: 2",
            "p: line 2, column 1: is not YAML: expected a single document in the stream, but found another document",
        ),
        (
            "a: [b",
            "p: line 1, column 6: is not YAML: while parsing a flow sequence, "
            "expected ',' or ']', but got '<stream end>'",
        ),
        ("a: b\nc: \x01", "p: line 2, column 4: is not YAML: the character '\\x01' is not allowed"),
        ("[" * 10_000, "p: is nested too deeply"),
        ("a: !!int x", "p: line 1, column 4: is not YAML: 'x' is not a number"),
        ("a: " + "1" * 5000, f"p: line 1, column 4: is not YAML: '{'1' * 40}' is not a number"),
    ],
)
def test_yaml_broken_names_line_and_column(text: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_yaml(text, "p")
    assert str(caught.value) == message


def test_yaml_by_either_parser_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [
        "name: a\nversion: 0.1.0\ndependencies: [b, 'c', \"d\\n\"]\n",
        "a: null\nb: ~\nc:\nd: 1.0\ne: 0x10\nf: y\ng: 2026-01-01\nh: 1:30\ni: .5\n",
        "j: |\n  one\n  two\nk: >-\n  x\n  y\n",
        "a: {b: {c: [1, 2.5, yes]}}\r\nd: ü\r\n",
        "? a\n: b\n# comment\n---\n",
    ]
    quick = [_outcome(text) for text in texts]
    monkeypatch.setattr(yaml_module, "_QuickLoader", None)
    assert [_outcome(text) for text in texts] == quick


def _outcome(text: str) -> object:
    try:
        found = read_yaml(text, "x")
    except FormatError as error:
        return str(error)
    return found.values, found.written
