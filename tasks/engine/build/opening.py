"""Opening a workspace: its manifest, its graph (the stored one while it holds), its trace and its store."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from packyard.formats.errors import FormatError, Problem
from packyard.tasks import nullpath
from packyard.tasks.engine.build.build import Build
from packyard.tasks.engine.build.prepare import carry_out
from packyard.tasks.engine.execute.mode import Mode
from packyard.tasks.engine.graph.graph import Graph, build_graph
from packyard.tasks.engine.graph.stored import changed_targets, notice_of, python_of, read_graph, renewed, store_graph
from packyard.tasks.engine.store.store import Store, downloads_in
from packyard.tasks.engine.trace.trace import StoredGraph, Trace
from packyard.tasks.errors import PlanError
from packyard.tasks.host import closure, programs
from packyard.tasks.host.cachefolder import store_folder
from packyard.tasks.host.own import own_files
from packyard.tasks.nullpath import ARTIFACTS, MANIFEST
from packyard.tasks.target.kinds import Kinds

if TYPE_CHECKING:
    from packyard.formats.python.pyproject import ProjectManifest
    from packyard.tasks.workspace.workspace import (
        Workspace,  # imported where the manifests are read, which takes a while
    )


@dataclass(frozen=True)
class Opened:
    """A workspace ready to plan or build. `stored` is its graph as the trace should have it, None for a folder without
    packyard.toml; `kept` as the trace has it, None when it has none. `kinds` made it."""

    root: Path
    graph: Graph
    trace: Trace
    stored: StoredGraph | None = None
    kept: StoredGraph | None = None
    kinds: Kinds | None = None

    @cached_property
    def store_folder(self) -> Path:
        """Where the store lies; PlanError when that cannot be told (host/cachefolder.py)."""
        return store_folder(self.root, self.graph.cache)

    def build(self, notify: Callable[[str], None], *, locked: bool = False, mode: Mode = "plain") -> Build:
        """A build over this graph; `locked` refuses to resolve what has no lock yet, `mode` tells how
        each action is kept to what it declares."""
        folder = self.store_folder  # asked now, so that a wrong setting is one error and not one of each target
        return Build(
            self.root, self.graph, self.trace, lambda: _open_store(folder, notify), notify, locked=locked, mode=mode
        )

    @property
    def notice(self) -> str:
        """What to tell the user of the graph, unless it was told when the graph was read before."""
        told = notice_of(self.kept.text) if self.kept else ""
        return self.graph.notice if self.graph.notice != told else ""

    def reopened(self) -> Opened:
        """The same workspace, now to be written to; PlanError when it is not the same any more."""
        assert self.stored is not None and self.kinds is not None
        again = open_workspace(self.root, self.kinds)
        assert again.stored is not None
        changed = again.stored.text != self.stored.text and not self.graph.waits
        if list(again.graph.nodes) != list(self.graph.nodes) or changed:
            again.trace.close()
            raise PlanError(Problem("the workspace changed while this run was starting", hint="build again"))
        return again

    def keep_graph(self) -> None:
        """Store the graph, so that the next run need not read the manifests while they stand still; what was declared
        otherwise before, or what another Packyard would make in another way, must be judged again."""
        old, new = self.kept, self.stored
        if new is None or new == old:
            return
        if old is None or python_of(old) != python_of(new):
            changed: Collection[str] = self.graph.nodes
        else:
            changed = () if old.text == new.text else changed_targets(old.text, new.text)
        self.trace.keep_graph(
            new,
            {name: name in self.graph.needed for name in self.graph.nodes},
            changed,
            text=old is None or old.text != new.text,
        )


def find_workspace(start: Path) -> Path:
    """The root of the workspace around `start`; PlanError when there is none."""
    root = nullpath.find_root(os.fspath(start))
    if root is None:
        problem = Problem(
            f"no {MANIFEST} here or in a folder above",
            place=os.fspath(start),
            hint="'packyard init' writes one",
        )
        raise PlanError(problem)
    return Path(root)


def open_workspace(root: Path, kinds: Kinds, *, readonly: bool = False, changed: list[int] | None = None) -> Opened:
    """Read the graph of the workspace at `root`; PlanError with everything that is wrong with it.

    `changed` tells where the files that the stored graph was read from have changed, if they were looked at already.
    """
    trace = Trace(root, readonly=readonly)
    if not readonly:  # made later by the build, it would change what the root holds, and so let all be read again
        with contextlib.suppress(OSError):
            (root / ARTIFACTS).mkdir()
    kept = trace.graph()
    if changed is None:
        changed = nullpath.look(os.fspath(root), []).graph
    if kept is not None and changed is not None and (stored := renewed(kept, root, changed)) is not None:
        try:
            return Opened(root, read_graph(stored.text), trace, stored, kept, kinds)
        except (KeyError, TypeError, ValueError):
            pass  # a text that we did not write: read the manifests again
    try:
        graph, stored = _read(root, kinds, writing=not readonly)
    except FormatError:
        trace.close()
        raise
    return Opened(root, graph, trace, stored, kept, kinds)


def read_only_graph(root: Path, kinds: Kinds) -> Graph:
    """The graph of the workspace at `root` as its files say; nothing is remembered. PlanError as `open_workspace`."""
    from packyard.tasks.workspace.workspace import read_workspace

    try:
        return build_graph(read_workspace(root), kinds)
    except FormatError as error:
        raise PlanError(*error.problems) from None


def open_standalone(
    root: Path, kinds: Kinds, change: Callable[[ProjectManifest], ProjectManifest], *, compression: str = "fast"
) -> Opened:
    """The folder of one application, which is not a workspace; `change` has the last word on its manifest. Its graph is
    not stored, because it depends on more than files."""
    from packyard.tasks.workspace.workspace import read_standalone

    _, graph = _graph(lambda: read_standalone(root, change, compression=compression), kinds, writing=True)
    return Opened(root, graph, Trace(root), kinds=kinds)


def _open_store(folder: Path, notify: Callable[[str], None]) -> Store:
    store = Store(folder)
    for older in store.first_use():
        notify(f"{older}: the store of an earlier Packyard is not used any more; remove it if no workspace needs it")
    return store


def _read(root: Path, kinds: Kinds, *, writing: bool) -> tuple[Graph, StoredGraph]:
    from packyard.tasks.workspace.workspace import read_workspace

    workspace, graph = _graph(lambda: read_workspace(root), kinds, writing=writing)
    for path in own_files():
        workspace.watch.see(os.fspath(path))
    for path in dict.fromkeys((*programs.records(), *closure.records())):
        workspace.watch.expect(os.fspath(path))
    manifest = workspace.manifest
    more = [*filter(None, [manifest.sign.seed_env]), *(["PATH"] if manifest.toolchain.mojo_from == "PATH" else [])]
    stored = store_graph(graph, workspace.watch, (*nullpath.VARIABLES, *more, *sorted(workspace.watch.variables)))
    waits = graph.waits
    del workspace, graph, manifest  # what is read from the text takes a fraction of the memory, and later runs see that
    return replace(read_graph(stored.text), waits=waits), stored


def _graph(read: Callable[[], Workspace], kinds: Kinds, *, writing: bool) -> tuple[Workspace, Graph]:
    """A workspace and its graph. Who is going to write makes first what the graph waits for."""
    workspace = read()
    try:
        graph = build_graph(workspace, kinds)
        if writing and graph.waits:
            downloads = downloads_in(store_folder(workspace.root, graph.cache))
            for prepare in graph.waits:
                carry_out(prepare, workspace.root, downloads=downloads)
            workspace = read()
            graph = build_graph(workspace, kinds)
    except FormatError as error:
        raise PlanError(*error.problems) from None
    return workspace, graph
