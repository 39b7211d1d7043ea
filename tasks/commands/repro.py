"""`packyard repro`: shows that targets can be reproduced, or the first byte that cannot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from packyard.formats.errors import Problem
from packyard.formats.units import count_text
from packyard.tasks.console.output import say, say_json
from packyard.tasks.console.parser import Parser
from packyard.tasks.console.selection import open_here, select
from packyard.tasks.console.status import ERRORS
from packyard.tasks.engine.build.repro import Finding, reproduce, variations
from packyard.tasks.errors import UsageError


def run(words: list[str]) -> int:
    """Build the targets that `words` name twice; the exit status, 1 when anything differed."""
    options = parser().parse_args(words)
    if bool(options.target) == options.all:
        parser().error("name targets, or give --all")
    opened = open_here()
    names = select(opened, options.target)
    if not names:
        raise UsageError(Problem("the workspace has no final artifact yet", place="--all"))
    with TemporaryDirectory(prefix="packyard-repro-", ignore_cleanup_errors=True) as folder:
        note = (lambda text: None) if options.json else say
        found = reproduce(opened.root, opened.graph, names, Path(folder), note, causes=options.causes)
        varied = list(variations(Path(folder)))
    built = len(opened.graph.closure(names))
    if options.json:
        say_json({"targets": built, "varied": varied, "findings": [asdict(finding) for finding in found]})
    else:
        say(*_lines(found, built))
    return ERRORS if found else 0


def _lines(found: Sequence[Finding], built: int) -> Iterator[str]:
    for finding in found:
        yield f"differs  {finding.name}"
        yield from (f"  {difference}" for difference in finding.differences)
        if finding.causes is not None:
            yield f"  cause: {' or '.join(finding.causes) or 'none of these; it differs from run to run'}"
        if finding.followers:
            yield f"  so these differ too: {', '.join(finding.followers)}"
    yield (
        f"{count_text(len(found), 'target')} of {built} cannot be reproduced"
        if found
        else f"{count_text(built, 'target')} came out identical, byte for byte"
    )


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard repro",
        description="Build targets, and everything they are made from, twice with empty stores: as things are, and "
        "under a different path, time zone, locale, umask, HOME, hash seed, job count and (with faketime) "
        "clock. Show what differs first, and which circumstance alone causes it.",
        examples=("packyard repro bundle:greet", "packyard repro --all --no-causes"),
    )
    parser.add_argument("target", nargs="*", help="KIND:NAME, or the path of an artifact")
    parser.add_argument("--all", action="store_true", help="every final artifact")
    parser.add_argument("--no-causes", dest="causes", action="store_false", help="do not search for the circumstance")
    parser.add_argument("--json", action="store_true", help="as JSON")
    return parser
