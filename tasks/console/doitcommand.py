"""doit's own commands, over the targets of the workspace around the current folder."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from doit.doit_cmd import DoitMain
from packyard.tasks.console.display import choose_display
from packyard.tasks.console.doit import Loader
from packyard.tasks.console.output import say
from packyard.tasks.console.selection import choose_targets
from packyard.tasks.console.status import ERRORS
from packyard.tasks.engine.build.opening import find_workspace
from packyard.tasks.engine.build.session import Session
from packyard.tasks.engine.graph.graph import Graph
from packyard.tasks.kinds import TABLE


def run_doit(
    name: str, options: Sequence[str], targets: Sequence[str], *, patterns: bool = False, changes: bool = False
) -> int:
    """Run the command `name` of doit on the targets that words name; the exit status. With `patterns`, a word with a *
    names all targets that it fits; what `changes` artifacts waits for other runs."""
    root = find_workspace(Path.cwd())
    session = Session(root, TABLE, choose_display(json=False))
    try:
        graph = session.graph  # what is wrong with the workspace is said by us, and so are words that name nothing
        words = [name for word in targets for name in _named(word, graph, root, patterns=patterns)]
        os.chdir(root)
        if changes:
            session.lock()  # what hinders it is said by us
        return _said(DoitMain(Loader(session), config_filenames=()), [name, *options, *words])
    finally:
        session.close()


def _named(word: str, graph: Graph, root: Path, *, patterns: bool) -> list[str]:
    found = fnmatch.filter(graph.nodes, word) if patterns and "*" in word else []
    return found or choose_targets([word], graph.nodes, graph.owners, root)


def _said(main: DoitMain, words: list[str]) -> int:
    """Run a command of doit, which shows its insides when it cleans, when its reader is gone, or when the disk is full;
    the exit status."""
    with redirect_stdout(StringIO()) as out:
        status = main.run(words)
    say(*(line for line in out.getvalue().splitlines() if not line.endswith(" - executing 'Python: function _clean'")))
    return ERRORS if status else 0
