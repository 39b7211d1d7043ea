from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.text.toml import read_toml


def test_toml_tables_are_read() -> None:
    assert read_toml("a = 1\r\n[b]\r\nc = 'd'\r\n", "x.toml") == {"a": 1, "b": {"c": "d"}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a\n", "x.toml: line 1, column 3: is not TOML: expected ']' at the end of a table declaration"),
        (
            "\ufeffa = 1\n",
            "x.toml: line 1, column 1: is not TOML: begins with a byte order mark\n"
            "  hint: save it as UTF-8 without a byte order mark",
        ),
        ("a = 1\nb =", "x.toml: line 2, column 4: is not TOML: invalid value"),
        ("a = 1\na = 2\n", "x.toml: line 2, column 6: is not TOML: cannot overwrite a value"),
        ("a = " + "[" * 10_000, "x.toml: is nested too deeply"),
    ],
)
def test_toml_broken_names_line_and_column(text: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_toml(text, "x.toml")
    assert str(caught.value) == message


def test_toml_number_too_long_to_convert_is_no_crash() -> None:
    with pytest.raises(FormatError, match=r"^x\.toml: is not TOML: exceeds the limit"):
        read_toml("a = " + "1" * 5000, "x.toml")
