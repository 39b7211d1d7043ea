from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.python.module import defines, imports, literal, read_module


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("def main(): ...", True),
        ("async def main(): ...", True),
        ("class main: ...", True),
        ("main = app = 1", True),
        ("main: int = 1", True),
        ("from x import main", True),
        ("from x import y as main", True),
        ("import main.sub", True),
        ("if True:\n    def main(): ...", True),
        ("try:\n    import x\nexcept ImportError:\n    main = 1", True),
        ("from x import *", True),
        ("def __getattr__(name): ...", True),
        ("def other():\n    main = 1", False),
        ("main()", False),
        ("from main import x", False),
        ("", False),
    ],
)
def test_defines_main(text: str, found: bool) -> None:
    assert defines(read_module(text, "m"), "main") is found


def test_imports_are_top_level_names_without_relative_ones() -> None:
    text = "import a.b\nfrom c.d import e\nfrom . import f\ndef x():\n    import g as h\n"
    assert imports(read_module(text, "m")) == {"a", "c", "g"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("v = '1.0'", "1.0"),
        ("v: str = '1.0'", "1.0"),
        ("v = f()", None),
        ("x = 1", None),
        ("v: str", None),
        ("v = {[]: 1}", None),
    ],
)
def test_literal_of_a_name(text: str, value: object) -> None:
    assert literal(read_module(text, "m"), "v") == value


def test_read_what_is_not_python_names_the_line() -> None:
    with pytest.raises(FormatError) as error:
        read_module("x = 1\ndef (:\n", "web/m.py")
    assert str(error.value) == "web/m.py:2: is not Python: invalid syntax"


def test_read_what_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(FormatError, match=r"^web/m.py: is nested too deeply$"):
        read_module("-" * 100_000 + "1", "web/m.py")
