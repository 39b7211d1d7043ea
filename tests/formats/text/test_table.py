"""Reading a parsed table strictly: what is right becomes values, and all that is wrong is told at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.text.table import Table, reading
from packyard.formats.text.toml import read_toml


def number(text: str) -> int:
    if not text.isdigit():
        raise FormatError(f"{text!r} has no digits", hint="such as '12'")
    return int(text)


def problems(text: str, read: Callable[[Table], object]) -> list[str]:
    """What is wrong with a text of TOML, a line for each problem with its hint."""
    with pytest.raises(FormatError) as caught, reading(read_toml(text, "a.toml"), "a.toml") as table:
        read(table)
    return [str(problem) for problem in caught.value.problems]


def test_values_are_read_as_what_they_are() -> None:
    text = """\
name = "a"
size = "12"
on = true
count = 3
kind = "two"
words = ["x", "y"]
sizes = ["1", "2"]
[free]
b = "1"
c = "2"
[one]
name = "inner"
[[many]]
name = "first"
[[many]]
name = "second"
"""
    with reading(read_toml(text, "a.toml"), "a.toml") as table:
        assert table.keys() == ["name", "size", "on", "count", "kind", "words", "sizes", "free", "one", "many"]
        assert table.text("name") == "a"
        assert table.parse("size", number, 0) == 12
        assert table.flag("on") is True
        assert table.integer("count") == 3
        assert table.choice("kind", ("one", "two")) == "two"
        assert table.texts("words") == ("x", "y")
        assert table.parses("sizes", number) == (1, 2)
        assert table.mapping("free") == {"b": "1", "c": "2"}
        assert table.table("one").text("name") == "inner"
        assert [each.text("name") for each in table.tables("many")] == ["first", "second"]


def test_what_is_absent_has_its_default() -> None:
    with reading({}, "a.toml") as table:
        assert "name" not in table
        assert table.text("name", "x") == "x"
        assert table.parse("size", number, 7) == 7
        assert table.flag("on", True) is True
        assert table.integer("count", 5) == 5
        assert table.choice("kind", ("one", "two"), "one") == "one"
        assert table.texts("words") == ()
        assert table.mapping("free") == {}
        assert table.tables("many") == []
        assert table.table("one").text("name") == ""


def test_every_problem_is_told_at_its_key() -> None:
    def read(table: Table) -> None:
        table.text("name", required=True)
        table.flag("on")
        table.integer("count")
        table.parse("size", number, 0)
        table.parses("sizes", number)
        for each in table.tables("many"):
            each.integer("x")

    text = """\
on = "yes"
count = true
size = "big"
sizes = ["1", 2, "three"]
[[many]]
x = 1
[[many]]
x = 1.5
"""
    found = problems(text, read)
    assert [line.partition(": ")[2].partition(": ")[0] for line in found] == [
        "name", "on", "count", "size", "sizes[1]", "sizes[2]", "many[1].x",
    ]  # fmt: skip
    assert all(line.startswith("a.toml: ") for line in found)
    assert "a.toml: size: 'big' has no digits\n  hint: such as '12'" in found
    assert [line for line in found if "many" in line] == ["a.toml: many[1].x: 1.5 is a number; expected an integer"]


def test_key_that_nobody_asked_for_is_unknown() -> None:
    def read(table: Table) -> None:
        table.text("name")
        table.table("inner").text("version")

    assert problems('nmae = "a"\n[inner]\nother = 1\n', read) == [
        "a.toml: nmae: unknown key\n  hint: did you mean 'name'?",
        "a.toml: inner.other: unknown key\n  hint: known keys: version",
    ]


def test_keys_of_others_are_left_to_them() -> None:
    with reading({"theirs": 1, "name": "a"}, "a.toml") as table:
        table.ignore("theirs")
        assert table.text("name") == "a"
    with reading({"x": 1, "y": 2}, "a.toml") as table:
        table.ignore_rest()


def test_choice_that_is_nearly_right_is_proposed() -> None:
    (found,) = problems('kind = "librery"\n', lambda table: table.choice("kind", ("library", "program")))
    assert found == (
        "a.toml: kind: unknown value 'librery'; expected one of 'library', 'program'\n  hint: did you mean 'library'?"
    )


def test_error_within_the_block_is_told_with_what_was_found_before() -> None:
    def read(table: Table) -> None:
        table.integer("count")
        raise FormatError("the rest makes no sense")

    assert problems('count = "x"\n', read)[1] == "a.toml: the rest makes no sense"


def test_long_value_is_not_told_whole() -> None:
    (found,) = problems(f'name = ["{"x" * 100}"]\n', lambda table: table.text("name"))
    assert len(found) < 120
    assert "..." in found
