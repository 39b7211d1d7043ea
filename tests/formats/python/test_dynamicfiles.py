from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.python.dynamicfiles import read_dependency_lines, read_dynamic_files


def test_read_files_of_dependencies_and_of_extras() -> None:
    dynamic = {
        "version": {"attr": "a.b"},
        "dependencies": {"file": ["a.in", "b.in", 3]},
        "optional-dependencies": {"x": {"file": "x.in"}, "y": {"file": 4}, "z": "none"},
    }
    assert read_dynamic_files({"tool": {"setuptools": {"dynamic": dynamic}}}) == {"": ("a.in", "b.in"), "x": ("x.in",)}
    assert read_dynamic_files({}) == read_dynamic_files({"tool": {"setuptools": {"dynamic": [1]}}}) == {}


def test_read_lines_without_comments() -> None:
    text = "# all\n\nclick>=8  # why\nrich ; python_version > '3'\r\n  pkg @ https://h/p.zip#sha256=0\n"
    assert read_dependency_lines(text, "r.in") == (
        "click>=8", "rich ; python_version > '3'", "pkg @ https://h/p.zip#sha256=0"
    )  # fmt: skip


def test_read_refuses_every_line_that_is_no_dependency() -> None:
    with pytest.raises(FormatError) as error:
        read_dependency_lines("click\n-r other.txt\n\n!\n", "r.in")
    assert [problem.place for problem in error.value.problems] == ["r.in:2", "r.in:4"]
    assert error.value.problems[0].message.startswith("'-r other.txt' is not a dependency")
