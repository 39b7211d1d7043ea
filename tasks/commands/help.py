"""`packyard help`: all commands, or more about one of them, or what a target is."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from packyard.tasks.commands import build
from packyard.tasks.commands.table import BY_NAME, COMMANDS, PROPOSED
from packyard.tasks.console.output import say
from packyard.tasks.console.parser import Parser


def run(words: list[str]) -> int:
    """Print the help that `words` ask for; the exit status."""
    options = parser().parse_args(words)
    if options.markdown:
        say(*_markdown())
    elif options.word is None:
        say(build.parser().format_help().removesuffix("\n"))
    elif options.word in BY_NAME:
        found = importlib.import_module(BY_NAME[options.word].module)
        say(found.parser().format_help().removesuffix("\n"))
    else:
        say(_about(options.word))
    return 0


def _about(word: str) -> str:
    """What a target is."""
    from packyard.tasks.console.selection import choose_targets, open_here  # slow, and help on commands needs neither

    opened = open_here()
    (name,) = choose_targets([word], opened.graph.nodes, opened.graph.owners, opened.root, commands=PROPOSED)
    return f"{name}  {opened.graph.nodes[name].doc if name in opened.graph.nodes else 'every final artifact'}"


def _markdown() -> Iterator[str]:
    """The table of commands as the README has it; the group is told where it begins."""
    yield "| group | command | what it does |"
    yield "|---|---|---|"
    group = ""
    for one in COMMANDS:
        usage = f"packyard {one.name} {one.words}".rstrip().replace("|", r"\|")
        yield f"| {'' if one.group == group else one.group} | `{usage}` | {one.summary} |"
        group = one.group


def parser() -> Parser:
    """The words of the command."""
    parser = Parser(
        prog="packyard help",
        description="Show all commands, the options and examples of one, or what a target is.",
        examples=("packyard help", "packyard help plan", "packyard help bundle:greet"),
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("word", nargs="?", metavar="COMMAND|TARGET", help="default: all commands")
    what.add_argument("--markdown", action="store_true", help="all commands as a table for a document")
    return parser
