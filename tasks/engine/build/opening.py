"""Opening a workspace: its manifest, its graph (the stored one while it holds), its trace and its store."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from packyard.formats.errors import FormatError, Problem
from packyard.tasks import nullpath
from packyard.tasks.engine.build.build import Build
from packyard.tasks.engine.execute.mode import Mode
from packyard.tasks.engine.graph.graph import Graph, build_graph
from packyard.tasks.engine.graph.stored import changed_targets, read_graph, renewed, store_graph
from packyard.tasks.engine.store.store import Store
from packyard.tasks.engine.trace.trace import StoredGraph, Trace
from packyard.tasks.errors import PlanError
from packyard.tasks.host import programs
from packyard.tasks.host.cachefolder import store_folder
from packyard.tasks.host.own import own_files
from packyard.tasks.nullpath import MANIFEST

if TYPE_CHECKING:
    from packyard.formats.python.pyproject import ProjectManifest
    from packyard.tasks.workspace.workspace import (
        Workspace,  # imported where the manifests are read, which takes a while
    )


@dataclass(frozen=True)
class Opened:
    """A workspace ready to plan or build. `stored` is its graph as the trace should have it, None for a folder without
    packyard.toml; `kept` as the trace has it, None when it has none."""

    root: Path
    graph: Graph
    trace: Trace
    stored: StoredGraph | None = None
    kept: StoredGraph | None = None

    @cached_property
    def store_folder(self) -> Path:
        """Where the store lies; PlanError when that cannot be told (host/cachefolder.py)."""
        return store_folder(self.root, self.graph.cache)

    def build(self, notify: Callable[[str], None], *, locked: bool = False, mode: Mode = "plain") -> Build:
        """A build over this graph; `locked` refuses to resolve what has no lock yet, `mode` tells how
        each action is kept to what it declares."""
        folder = self.store_folder  # asked now, so that a wrong setting is one error and not one of each target
        return Build(self.root, self.graph, self.trace, lambda: Store(folder), notify, locked=locked, mode=mode)

    def reopened(self) -> Opened:
        """The same workspace, now to be written to; PlanError when it is not the same any more."""
        assert self.stored is not None
        again = open_workspace(self.root)
        assert again.stored is not None
        changed = again.stored.text != self.stored.text and not _lacks_key(self.graph)
        if list(again.graph.nodes) != list(self.graph.nodes) or changed:
            again.trace.close()
            raise PlanError(Problem("the workspace changed while this run was starting", hint="build again"))
        return again

    def keep_graph(self) -> None:
        """Store the graph, so that the next run need not read the manifests while they stand still; what was declared
        otherwise before, or made by another Packyard, must be judged again."""
        old, new = self.kept, self.stored
        if new is None or new == old:
            return
        if old is None or old.maker != new.maker:
            changed: Collection[str] = self.graph.nodes
        else:
            changed = () if old.text == new.text else changed_targets(old.text, new.text)
        needed = set(self.graph.closure(self.graph.final))
        self.trace.keep_graph(
            new,
            {name: name in needed for name in self.graph.nodes},
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


def open_workspace(root: Path, *, readonly: bool = False, changed: list[int] | None = None) -> Opened:
    """Read the graph of the workspace at `root`; PlanError with everything that is wrong with it.

    `changed` tells where the files that the stored graph was read from have changed, if they were looked at already.
    """
    trace = Trace(root, readonly=readonly)
    if not readonly:  # made later by the build, it would change what the root holds, and so let all be read again
        with contextlib.suppress(OSError):
            (root / "dist").mkdir()
    kept = trace.graph()
    if changed is None:
        changed = nullpath.look(os.fspath(root), []).graph
    if kept is not None and changed is not None and (stored := renewed(kept, root, changed)) is not None:
        try:
            graph = read_graph(stored.text)
            if readonly or not _lacks_key(graph):
                return Opened(root, graph, trace, stored, kept)
        except (KeyError, TypeError, ValueError):
            pass  # a text that we did not write: read the manifests again
    try:
        graph, stored = _read(root, writing=not readonly)
    except FormatError:
        trace.close()
        raise
    return Opened(root, graph, trace, stored, kept)


def read_only_graph(root: Path) -> Graph:
    """The graph of the workspace at `root` as its files say; nothing is remembered. PlanError as `open_workspace`."""
    from packyard.tasks.workspace.workspace import read_workspace

    try:
        return build_graph(read_workspace(root))
    except FormatError as error:
        raise PlanError(*error.problems) from None


def open_standalone(
    root: Path, change: Callable[[ProjectManifest], ProjectManifest], *, compression: str = "fast"
) -> Opened:
    """The folder of one application, which is no workspace; `change` has the last word on its manifest. Its graph is
    not stored, because it depends on more than files."""
    from packyard.tasks.workspace.workspace import read_standalone

    _, graph = _graph(lambda: read_standalone(root, change, compression=compression), writing=True)
    return Opened(root, graph, Trace(root))


def _read(root: Path, *, writing: bool) -> tuple[Graph, StoredGraph]:
    from packyard.tasks.workspace.workspace import read_workspace

    workspace, graph = _graph(lambda: read_workspace(root), writing=writing)
    for path in own_files():
        workspace.watch.see(os.fspath(path))
    for path in programs.records():
        workspace.watch.expect(os.fspath(path))
    manifest = workspace.manifest
    more = [*filter(None, [manifest.sign.seed_env]), *(["PATH"] if manifest.toolchain.mojo_from == "PATH" else [])]
    stored = store_graph(graph, workspace.watch, (*nullpath.VARIABLES, *more, *sorted(workspace.watch.variables)))
    del workspace, graph, manifest  # what is read from the text takes a fraction of the memory, and later runs see that
    return read_graph(stored.text), stored


def _graph(read: Callable[[], Workspace], *, writing: bool) -> tuple[Workspace, Graph]:
    """A workspace and its graph. Who is going to write makes the development key when a bundle waits for it."""
    workspace = read()
    try:
        graph = build_graph(workspace)
        if writing and _lacks_key(graph):
            from packyard.tasks.kinds.bundle import signing

            signing.make_development_key()
            workspace = read()
            graph = build_graph(workspace)
    except FormatError as error:
        raise PlanError(*error.problems) from None
    return workspace, graph


def _lacks_key(graph: Graph) -> bool:
    """Whether a bundle is to be signed by a development key that is not there yet (signing.TO_BE_MADE)."""
    bundles = (name for name, node in graph.nodes.items() if node.local and name.startswith("bundle:"))
    return any(not graph.targets[name].params["public_key"] for name in bundles)
