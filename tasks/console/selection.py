"""The workspace around the current folder, and the targets that a command's words name in it."""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from packyard.formats.errors import Problem
from packyard.tasks.engine.build.opening import Opened, find_workspace, open_workspace
from packyard.tasks.errors import UsageError
from packyard.tasks.kinds import TABLE


def open_here() -> Opened:
    """The workspace around the current folder, opened to be read: nothing is written, no lock is taken."""
    return open_workspace(find_workspace(Path.cwd()), TABLE, readonly=True)


def select(opened: Opened, words: Sequence[str]) -> list[str]:
    """The targets that `words` name (by name, artifact path or 'all'), those of the group `all` when there are none."""
    graph = opened.graph
    chosen = choose_targets(words or ["all"], graph.nodes, graph.owners, opened.root)
    names = [name for word in chosen for name in (graph.final if word == "all" else (word,))]
    return list(dict.fromkeys(names))


def choose_targets(
    words: Sequence[str],
    known: Collection[str],
    owners: Mapping[str, str],
    root: Path,
    *,
    commands: Iterable[str] = (),
) -> list[str]:
    """The targets that words name, by target name or by the path of an artifact (`owners` has it below `root`); an
    unknown one is a usage error, which proposes `commands` too where one might be meant."""
    chosen: list[str] = []
    for word in words:
        name = word
        if word not in known and word != "all":
            name = owners.get(os.path.relpath(word, root), "")
        if not name and word == "release":  # meant to sign, list and describe everything in dist/ one day
            hint = "'packyard check --summary' lists the artifacts with their digests"
            raise UsageError(Problem("'release' is not supported yet", hint=hint))
        if not name:
            called = [one for one in known if one.partition(":")[2] == word]
            near = called or difflib.get_close_matches(word, [*known, *commands], 1)
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "'packyard list' shows them"
            raise UsageError(Problem(f"{word!r} is neither a target nor a command", hint=hint))
        chosen.append(name)
    return chosen
