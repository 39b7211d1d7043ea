"""`packyard watch`: builds, waits until a file changes, builds again.

An event only ends the waiting. What is stale, the build finds out by looking at every file, as it always does: an
event that was lost, or one too many, changes nothing in the result.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from packyard.tasks import nullpath
from packyard.tasks.commands import build, cli
from packyard.tasks.console.output import say
from packyard.tasks.console.parser import Parser
from packyard.tasks.engine.build.opening import find_workspace
from packyard.tasks.workspace.watch import SKIPPED

_SETTLED_MS = 100  # editors write in several steps


def run(words: list[str]) -> int:
    """Build what `words` name, again and again, until interrupted."""
    parser().parse_args(words)
    from watchfiles import watch  # only this command needs it

    here, root = os.getcwd(), find_workspace(Path.cwd())
    events = watch(
        root, watch_filter=lambda _, path: not SKIPPED & {*Path(path).relative_to(root).parts},
        step=_SETTLED_MS, rust_timeout=_SETTLED_MS, yield_on_timeout=True, raise_interrupt=True,
    )  # fmt: skip
    next(events)  # from here on no change is missed
    cli.run(["run", *words])
    while True:
        say("watching for changes; interrupt to stop")
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a build takes it for itself
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.chdir(here)
        while not next(events) or _is_fresh(root, words):
            pass
        cli.run(["run", *words])


def parser() -> Parser:
    """The options of a build."""
    parser = Parser(
        prog="packyard watch",
        description="Build, then build again whenever a file in the workspace changes, until interrupted.",
        examples=("packyard watch", "packyard watch bundle:greet --fail-fast"),
    )
    build.add_options(parser)
    return parser


def _is_fresh(root: Path, words: list[str]) -> bool:
    """Whether there is nothing to do: our own artifacts appeared, or a file was only touched on the way."""
    if any(word.startswith("-") for word in words):
        return False
    targets = [word for word in words if ":" in word]
    if len(targets) != len(words):
        return False
    return nullpath.fresh_targets(os.fspath(root), targets or None) is not None
