"""`packyard info`: a target as doit sees it."""

from __future__ import annotations

from packyard.tasks.console.parser import Parser


def run(words: list[str]) -> int:
    """Show the target that `words` name; the exit status, 1 when it would run."""
    options = parser().parse_args(words)
    from packyard.tasks.console.doitcommand import run_doit  # with doit, which takes 0.1 s

    return run_doit("info", [] if options.status else ["--no-status"], [options.target])


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard info",
        description="Show one target as doit sees it: what it needs, its artifacts, and why it would run; the exit "
        "status is 1 when it would. 'packyard why' tells more.",
        examples=("packyard info bundle:greet",),
    )
    parser.add_argument("target", help="KIND:NAME, or the path of an artifact")
    parser.add_argument("--no-status", dest="status", action="store_false", help="do not look whether it would run")
    return parser
