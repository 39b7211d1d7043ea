from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.text.table import reading
from packyard.formats.text.yaml import read_yaml
from packyard.formats.text.yamltable import YamlTable


def read(text: str, ask: Callable[[YamlTable], Any]) -> Any:
    source = read_yaml(text, "p")
    with reading(source.values, "p") as table:
        return ask(YamlTable(table, source.written))


def said(text: str, ask: Callable[[YamlTable], Any]) -> list[str]:
    with pytest.raises(FormatError) as caught:
        read(text, ask)
    return str(caught.value).splitlines()


@pytest.mark.parametrize("text", ["a: null", "a: ~", "a:", "{}"])
def test_null_is_absent(text: str) -> None:
    asked = (
        lambda top: top.given("a"), lambda top: top.text("a"), lambda top: top.texts("a"),
        lambda top: top.integer("a"), lambda top: top.strings("a"), lambda top: top.mappings("a"),
    )  # fmt: skip
    assert [read(text, ask) for ask in asked] == [False, "", (), 0, {}, []]
    assert said(text, lambda top: top.text("a", required=True)) == ["p: a: is missing; expected a string"]


@pytest.mark.parametrize(
    ("text", "ask", "lines"),
    [
        ("a: yes", lambda t: t.text("a"), ["p: a: yes is true or false in YAML; expected a string",
                                           '  hint: write a: "yes"']),
        ("a: 012", lambda t: t.text("a"), ["p: a: 012 is a number in YAML; expected a string",
                                           '  hint: write a: "012"']),
        ("a: 1.0", lambda t: t.text("a", hint="write three numbers"), ["p: a: 1.0 is a number in YAML; expected a "
            "string", "  hint: write three numbers"]),
        ("a: [x]", lambda t: t.text("a"), ["p: a: is a list; expected a string"]),
        ("a: x", lambda t: t.texts("a"), ["p: a: 'x' is not a list; expected a list of strings",
                                          "  hint: write a: [x]"]),
        ("a: [x, no]", lambda t: t.texts("a"), ["p: a[1]: no is true or false in YAML; expected a string",
                                                '  hint: write "no"']),
        ('a: "3"', lambda t: t.integer("a"), ["p: a: '3' is a string; expected an integer",
                                              "  hint: write a: 3"]),
        ("a: {b: 1}", lambda t: t.strings("a"), ["p: a.b: 1 is a number in YAML; expected a string",
                                                 '  hint: write b: "1"']),
        ("a: [{b: on}]", lambda t: [one.text("b") for one in t.mappings("a")],
         ["p: a[0].b: on is true or false in YAML; expected a string", '  hint: write b: "on"']),
    ],
)  # fmt: skip
def test_value_that_is_no_string_is_shown_as_written(
    text: str, ask: Callable[[YamlTable], Any], lines: list[str]
) -> None:
    assert said(text, ask) == lines


def test_values_are_read_at_every_depth() -> None:
    assert read("a: {b: [w, x]}", lambda top: top.mapping("a").texts("b")) == ("w", "x")
    assert read("a: [{b: w}, {b: x}]", lambda top: [one.text("b") for one in top.mappings("a")]) == ["w", "x"]
    assert read("a: 3", lambda top: top.integer("a")) == 3
