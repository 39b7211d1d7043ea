"""`packyard ignore`: refused, so that doit's command of this name does not leave stale artifacts."""

from __future__ import annotations

from packyard.tasks.console.parser import Parser
from packyard.tasks.errors import ActionError


def run(words: list[str]) -> int:
    """Refuse. ActionError says why, and what to do instead."""
    parser().parse_args(words)
    raise ActionError(
        "ignore: ignoring a target would leave a stale artifact that looks fresh",
        hint="name the targets to build: 'packyard TARGET...'",
    )


def parser() -> Parser:
    """The words of the command."""
    parser = Parser(
        prog="packyard ignore",
        description="Refused: name the targets to build instead.",
        examples=("packyard bundle:greet",),
    )
    parser.add_argument("target", nargs="*")
    return parser
