"""`packyard reset-dep`: refused, so that doit's command of this name does not call stale artifacts fresh."""

from __future__ import annotations

from packyard.tasks.console.parser import Parser
from packyard.tasks.errors import ActionError


def run(words: list[str]) -> int:
    """Refuse. ActionError says why, and what to do instead."""
    parser().parse_args(words)
    raise ActionError(
        "reset-dep: an artifact is fresh because it was made from its inputs; it cannot be declared fresh afterwards",
        hint="run 'packyard': what the store has is restored, nothing runs twice",
    )


def parser() -> Parser:
    """The words of the command."""
    parser = Parser(
        prog="packyard reset-dep", description="Refused: a build restores what the store has.", examples=("packyard",)
    )
    parser.add_argument("target", nargs="*")
    return parser
