"""`packyard forget`: drops what the trace remembers of targets, as doit's command does with its database."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from packyard.formats.units import count_text
from packyard.tasks.console.output import say
from packyard.tasks.console.parser import Parser
from packyard.tasks.console.selection import choose_targets
from packyard.tasks.engine.build.opening import find_workspace, open_workspace
from packyard.tasks.engine.store.blobs import full_or
from packyard.tasks.engine.trace.trace import Trace
from packyard.tasks.host.filelock import exclusive
from packyard.tasks.kinds import TABLE
from packyard.tasks.nullpath import FOLDER


def run(words: list[str]) -> int:
    """Forget the targets that `words` name; the exit status."""
    options = parser().parse_args(words)
    if bool(options.target) == options.all:
        parser().error("name targets, or give --all")
    root = find_workspace(Path.cwd())
    with ExitStack() as stack:
        try:
            (root / FOLDER).mkdir(exist_ok=True)
            lock = exclusive(
                root / FOLDER / "lock", keep=True, waiting=lambda: say("waiting: another build is running here")
            )
            stack.enter_context(lock)
        except OSError as error:
            raise full_or(error, f"{FOLDER}/lock") from None
        trace = Trace(root)
        stack.callback(trace.close)
        known = trace.records()
        if not options.all:
            graph = open_workspace(root, TABLE, readonly=True).graph
            names = choose_targets(options.target, {*graph.nodes, *known}, {}, root)
            wanted = {name for word in names for name in (graph.closure(graph.final) if word == "all" else (word,))}
            known = {name: record for name, record in known.items() if name in wanted}
        trace.forget(known)
    say(f"forgot {count_text(len(known), 'target')}")
    return 0


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard forget",
        description="Drop what is remembered of targets; a build restores them from the store, or makes them again.",
        examples=("packyard forget bundle:greet", "packyard forget --all"),
    )
    parser.add_argument("target", nargs="*", help="KIND:NAME")
    parser.add_argument("-a", "--all", action="store_true", help="every target, including those that no longer exist")
    return parser
