"""The workspace around the current folder, and the targets that a command's words name in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from packyard.tasks.console.cli import choose_targets
from packyard.tasks.engine.build.opening import Opened, find_workspace, open_workspace


def open_here() -> Opened:
    """The workspace around the current folder, opened to be read: nothing is written, no lock is taken."""
    return open_workspace(find_workspace(Path.cwd()), readonly=True)


def select(opened: Opened, words: Sequence[str]) -> list[str]:
    """The targets that `words` name (by name, artifact path or 'all'), those of the group `all` when there are none."""
    graph = opened.graph
    chosen = choose_targets(words or ["all"], graph.nodes, graph.owners, opened.root)
    names = [name for word in chosen for name in (graph.final if word == "all" else (word,))]
    return list(dict.fromkeys(names))
