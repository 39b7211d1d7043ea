from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.text.json import read_json


def test_read_object_gives_its_values() -> None:
    assert read_json('{"a": [1, null, "é"]}', "r.json") == {"a": [1, None, "é"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1,\n "b" 2}', "r.json: line 2, column 6: is not JSON: expecting ':' delimiter"),
        ("", "r.json: line 1, column 1: is not JSON: expecting value"),
        ("[1]", "r.json: is not a JSON object ({...})"),
        ('{"a": ' + "9" * 5000 + "}",
         "r.json: is not JSON: exceeds the limit (4300 digits) for integer string conversion: "
         "value has 5000 digits"),
        ("[" * 100_000, "r.json: is nested too deeply"),
    ],
)  # fmt: skip
def test_read_what_is_no_object_is_refused(text: str, message: str) -> None:
    with pytest.raises(FormatError) as error:
        read_json(text, "r.json")
    assert str(error.value) == message
