"""`packyard diff`: which slots and files differ between two bundles."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from packyard.formats.units import count_text
from packyard.tasks.console.output import say, say_json
from packyard.tasks.console.parser import Parser
from packyard.tasks.kinds.bundle.comparison import differences
from packyard.tasks.kinds.bundle.inspection import table_text


def run(words: list[str]) -> int:
    """Print what differs between the bundles that `words` name; the exit status, 1 when something does."""
    options = parser().parse_args(words)
    found = differences(options.before, options.after)
    if options.json:
        say_json([asdict(one) for one in found])
    elif not found:
        say("no difference in slots, files and metadata")
    else:
        header = ("slot", "what", str(options.before), str(options.after))
        rows = [(one.slot or "(bundle)", one.what, one.before or "-", one.after or "-") for one in found]
        say(table_text([header, *rows]), count_text(len(found), "difference"))
    return 1 if found else 0


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard diff",
        description="Show what differs between two bundles; the exit status is 1 if anything does. Use 'packyard "
        "verify' to check that they are intact.",
        examples=("packyard diff old/greet-0.1.0.psp dist/greet-0.1.0.psp",),
    )
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--json", action="store_true", help="as JSON")
    return parser
