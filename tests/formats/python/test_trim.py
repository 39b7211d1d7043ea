from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.python.trim import read_trim, trimmed

EVERY = ("tests", "docs", "headers", "static", "stubs")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("pandas/tests/io/data/x.csv", "tests"),
        ("greenlet/test/x.py", "tests"),
        ("tests/__init__.py", "tests"),
        ("a/conftest.py", "tests"),
        ("a/test_x.py", "tests"),
        ("a/x_test.py", "tests"),
        ("a/docs/index.rst", "docs"),
        ("../../../share/man/man1/a.1", "docs"),
        ("a/README.md", "docs"),
        ("numpy/_core/include/numpy/arrayobject.h", "headers"),
        ("numpy/__init__.pxd", "headers"),
        ("numpy/random/lib/libnpyrandom.a", "static"),
        ("a/x.pyi", "stubs"),
        ("a/py.typed", "stubs"),
        ("numpy/testing/__init__.py", ""),
        ("a/contest.py", ""),
        ("a/latest.py", ""),
        ("a/testing.py", ""),
        ("a-1.dist-info/licenses/docs/LICENSE", ""),
        ("a.libs/liba.so", ""),
        ("../../../share/a/data", ""),
    ],
)
def test_path_is_left_out_as_what_it_is(path: str, kind: str) -> None:
    assert trimmed(path, EVERY, ()) == kind
    assert trimmed(path, (), ()) == ""
    assert trimmed(path, [other for other in EVERY if other != kind], ()) == ""


def test_kept_pattern_goes_before_every_kind() -> None:
    assert trimmed("a/tests/x/y.py", ("tests",), ("a/tests/*",)) == ""
    assert trimmed("b/tests/x.py", ("tests",), ("a/tests/*",)) == "tests"


def test_unknown_kind_is_refused() -> None:
    assert read_trim("tests") == "tests"
    with pytest.raises(FormatError) as error:
        read_trim("test")
    assert str(error.value) == "'test' cannot be trimmed; expected one of tests, docs, headers, static, stubs"
