"""The parser of a command's words."""

from __future__ import annotations

import pytest
from packyard.tasks.console.parser import Parser


def test_help_ends_with_lists_and_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    parser = Parser(
        prog="packyard try",
        description="Try it.",
        examples=("packyard try", "packyard try --hard"),
        lists={"ways": {"soft": "without force", "hard": "with force, until it breaks, or until it works"}},
    )
    assert parser.format_help() == (
        "usage: packyard try [-h]\n\n"
        "Try it.\n\n"
        "options:\n  -h, --help  show this help message and exit\n\n"
        "ways:\n"
        "  soft        without force\n"
        "  hard        with force, until it breaks, or\n"
        "              until it works\n\n"
        "examples:\n"
        "  packyard try\n"
        "  packyard try --hard\n"
    )
