"""`packyard list`: the targets, as doit lists its tasks."""

from __future__ import annotations

import argparse

from packyard.tasks.console.parser import Parser


def run(words: list[str]) -> int:
    """List the targets that `words` name, all when they name none; the exit status."""
    options = parser().parse_args(words)
    from packyard.tasks.console.doitcommand import run_doit  # with doit, which takes 0.1 s

    flags = [f"--{flag}" for flag in ("quiet", "status") if getattr(options, flag)]
    template = [] if options.template is None else [f"--template={options.template}"]
    return run_doit("list", [*flags, f"--sort={options.sort}", *template], options.target)


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard list",
        description="List the targets.",
        examples=("packyard list", "packyard list --status --sort definition", "packyard list --quiet"),
    )
    parser.add_argument("target", nargs="*", help="KIND:NAME, or the path of an artifact (default: every target)")
    parser.add_argument("-q", "--quiet", action="store_true", help="names alone")
    parser.add_argument("-s", "--status", action="store_true", help="R before what would run, U before what is fresh")
    parser.add_argument("--sort", choices=("name", "definition"), default="name", help="default: name")
    parser.add_argument(
        "--template", type=_template, metavar="TEXT", help="a line for each: {name}, {doc}, and {status} with --status"
    )
    parser.add_argument("--all", action="store_true", help=argparse.SUPPRESS)  # doit's, for tasks that have parts
    return parser


def _template(text: str) -> str:
    """A template that doit can fill in."""
    try:
        text.format(name="", doc="", status="")
    except (ValueError, LookupError, AttributeError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a template; expected {{name}}, {{doc}}, {{status}}"
        ) from None
    return text
