"""`packyard affected`: the targets that changes since a revision of git touch."""

from __future__ import annotations

from packyard.formats.errors import FormatError
from packyard.tasks.console.output import say, say_json
from packyard.tasks.console.parser import Parser
from packyard.tasks.console.selection import open_here
from packyard.tasks.engine.build.opening import read_only_graph
from packyard.tasks.engine.graph.affected import affected
from packyard.tasks.engine.graph.graph import Graph
from packyard.tasks.errors import ActionError, UsageError
from packyard.tasks.host.gitstate import Revision, read_revision
from packyard.tasks.kinds import TABLE


def run(words: list[str]) -> int:
    """Print what differs since the revision that `words` name; the exit status."""
    options = parser().parse_args(words)
    opened = open_here()
    try:
        revision = read_revision(opened.root, options.since)
    except FormatError as error:
        raise UsageError(*error.problems) from None
    changed = revision.changed()
    found = affected(opened.graph, _graph(revision), changed)
    if options.final:
        found = {name: reasons for name, reasons in found.items() if opened.graph.targets[name].final}
    if options.json:
        targets = [
            {"name": name, "final": opened.graph.targets[name].final, "reasons": reasons}
            for name, reasons in found.items()
        ]
        say_json({"since": revision.commit, "changed": sorted(changed), "targets": targets})
    elif options.why:
        for name, reasons in found.items():
            say(name, *(f"  {reason}" for reason in reasons))
    else:
        say(*found)
    return 0


def _graph(revision: Revision) -> Graph | None:
    """The graph of then; None when there was none that could be read, so that everything counts as new."""
    with revision.files() as root:
        if root is None:
            return None
        try:
            return read_only_graph(root, TABLE)
        except (FormatError, ActionError):
            return None


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard affected",
        description="Print the targets whose inputs or declarations changed since a git revision, committed or not, "
        "and every target made from them. Untracked files count; ignored files do not.",
        examples=(
            "packyard affected --since main --why",
            "packyard affected --since v0.1.0 --final | xargs -r packyard",
        ),
    )
    parser.add_argument("--since", required=True, metavar="REV", help="a commit, branch or tag")
    parser.add_argument("--final", action="store_true", help="only targets with final artifacts")
    style = parser.add_mutually_exclusive_group()
    style.add_argument("--why", action="store_true", help="show the reasons")
    style.add_argument("--json", action="store_true", help="as JSON, with the reasons and the changed files")
    return parser
