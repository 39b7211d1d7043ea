"""docs/troubleshooting.md: each message that it lists is one that the code can print."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(?P<message>[^|]+?)` \| (?P<cure>[^|]+) \|$", PAGE, re.M)


def template(node: ast.AST) -> str:
    """A text as the code writes it, with … for what it fills in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(template(value) for value in node.values)
    if isinstance(node, ast.BinOp):
        return template(node.left) + template(node.right)
    return "…"


@cache
def texts() -> tuple[str, ...]:
    """Every text of the code; a `{name}` that is filled in later is a … too."""
    found = {
        template(node)
        for folder in ("tasks", "formats")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.Constant, ast.JoinedStr))
    }
    return tuple(re.sub(r"\{\w*(?:![rs])?\}", "…", text) for text in sorted(found))


def is_printed(message: str) -> bool:
    pieces = [re.escape(piece) for piece in message.split("…")]
    pattern = re.compile(".*".join(pieces), re.S)
    return any(pattern.search(text) for text in texts())


@pytest.mark.parametrize(("message", "cure"), ROWS, ids=[message for message, _ in ROWS])
def test_message_is_one_that_the_code_prints(message: str, cure: str) -> None:
    assert len(re.sub(r"[\W_]", "", message)) >= 8, "a message that fits everything shows nothing"
    assert is_printed(message)
    assert cure


def test_page_has_a_row_per_line_of_its_tables_and_none_twice() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("| `")]
    assert len(lines) == len(ROWS) > 120
    assert len({message for message, _ in ROWS}) == len(ROWS)


def test_a_message_that_nobody_prints_is_noticed() -> None:
    assert not is_printed("the … is made of cheese")
