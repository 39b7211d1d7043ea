from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.text.tables import Part, put_together, take_apart, write_table


def test_table_is_written_without_what_is_empty() -> None:
    assert write_table("a", {"x": 'say "1"', "none": "", "list": ("b", "a"), "nothing": ()}) == (
        '[[a]]\nx = "say \\"1\\""\nlist = ["b", "a"]\n'
    )


def test_table_with_a_control_character_is_refused() -> None:
    with pytest.raises(FormatError) as caught:
        write_table("a", {"x": "\n"})
    assert str(caught.value) == "'\\n' contains a control character"


def test_text_is_taken_apart_by_its_tables() -> None:
    text = """\
# head

# above
[[a]] # beside
x = "1"  # behind

# in the middle
y = [
  "[[b]]",
]

# alone

[[b]]
# last
"""
    assert take_apart(text) == (
        [
            Part(
                name="a", free="# head\n", above="# above\n",
                text='[[a]] # beside\nx = "1"  # behind\n\n# in the middle\ny = [\n  "[[b]]",\n]\n',
            ),
            Part(name="b", free="# alone\n", above="", text="[[b]]\n"),
        ],
        "# last\n",
    )  # fmt: skip


@pytest.mark.parametrize("text", ["", "\n", "# only comments\n"])
def test_text_without_tables_is_all_end(text: str) -> None:
    assert take_apart(text) == ([], text.strip("\n") and text)


def test_paragraphs_have_an_empty_line_between_them() -> None:
    assert put_together(["\na\nb\n\n", "", "\n", "c"]) == "a\nb\n\nc\n"
    assert put_together([""]) == ""
