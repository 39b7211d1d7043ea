from __future__ import annotations

import pytest
from packyard.formats.morloc.ignore import read_ignore


@pytest.mark.parametrize(
    ("lines", "path", "ignored"),
    [
        ("", "main.loc", False),
        ("", ".morlocignore", True),
        ("", ".git/config", True),
        ("# main.loc", "main.loc", False),
        ("  *.pyc", "a/b.pyc", True),
        ("*.pyc", "a/b.py", False),
        ("build/", "build/x", True),
        ("build/", "a/build/b/x", True),
        ("build/", "rebuild/x", False),
        ("build/", "build", True),
        ("a/*.txt", "a/x.txt", True),
        ("a/*.txt", "a/b/x.txt", False),
        ("a/*.txt", "b/a/x.txt", False),
        ("a/**/x.txt", "a/b/c/x.txt", True),
        ("a/**/x.txt", "a/x.txt", True),
        ("**/x.txt", "x.txt", True),
        ("**/" * 20 + "x.txt", "a/" * 40 + "x.txt", True),
        ("**/" * 20 + "x.txt", "a/" * 40 + "y.txt", False),
        ("/x.txt", "x.txt", False),
        ("?.txt", "x.txt", False),
        ("[x].txt", "x.txt", False),
        ("x.txt ", "x.txt", False),
        ("*.txt\n!keep.txt", "keep.txt", False),
        ("a/\n!a/keep.txt", "a/keep.txt", False),
        ("!keep.txt\n*.txt", "keep.txt", True),
    ],
)
def test_ignore_pattern_is_the_compilers(lines: str, path: str, ignored: bool) -> None:
    assert read_ignore(lines)(path) is ignored
