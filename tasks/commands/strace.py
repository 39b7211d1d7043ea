"""`packyard strace`: refused, so that doit's command of this name does not look for inputs that cannot be there."""

from __future__ import annotations

from packyard.tasks.console.parser import Parser
from packyard.tasks.errors import ActionError


def run(words: list[str]) -> int:
    """Refuse. ActionError says why, and what to do instead."""
    parser().parse_args(words)
    raise ActionError(
        "strace: an action sees only its declared inputs, so there is nothing to trace",
        hint="'packyard dumpdb TARGET' prints what it was made from",
    )


def parser() -> Parser:
    """The words of the command."""
    parser = Parser(
        prog="packyard strace",
        description="Refused: actions see their declared inputs alone.",
        examples=("packyard dumpdb bundle:greet",),
    )
    parser.add_argument("target", nargs="*")
    return parser
