"""docs/trust.md: each promise names a test, and that test is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/trust.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (?!promise|---)(.+?) \| (.+?) \|$", PAGE, re.M)


def test_every_promise_stands_once_with_a_test_of_its_own() -> None:
    promises, tests = zip(*ROWS)
    assert len(ROWS) > 20
    assert len({*promises}) == len({*tests}) == len(ROWS)
    assert len(re.findall(r"^\| ", PAGE, re.M)) == len(ROWS) + PAGE.count("| promise |")


@pytest.mark.parametrize("named", [named for _, named in ROWS])
def test_promise_is_held_by_a_test_that_is_there(named: str) -> None:
    match = re.fullmatch(r"`(tests/[\w/]+\.py)::(test_\w+)`", named)
    assert match, "expected `tests/FILE.py::test_name`"
    tree = ast.parse((ROOT / match[1]).read_text(encoding="utf-8"))
    assert match[2] in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_security_page_leads_to_the_promises_and_to_no_address() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert "(docs/trust.md)" in text
    assert not re.search(r"[\w.]+@[\w.]+", text)
