"""Opening a workspace: its manifest, its graph (the stored one while it holds), its trace and its store."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import platformdirs
from packyard.formats.errors import FormatError, Problem
from packyard.formats.flavor import ProjectManifest
from packyard.tasks import null
from packyard.tasks.action import own_files
from packyard.tasks.build import Build
from packyard.tasks.errors import PlanError
from packyard.tasks.graph import Graph, build_graph, read_graph
from packyard.tasks.memo import pack_stat
from packyard.tasks.store import Store
from packyard.tasks.trace import StoredGraph, Trace
from packyard.tasks.workspace import MANIFEST, Workspace, read_standalone, read_workspace


@dataclass(frozen=True)
class Opened:
    """A workspace ready to plan or build. `changed` tells that the graph differs from the stored one."""

    root: Path
    graph: Graph
    trace: Trace
    stored: StoredGraph | None  # None for a folder without packyard.toml

    @cached_property
    def store_folder(self) -> Path:
        """Where the store lies: PACKYARD_CACHE_DIR, else [cache] directory, else the user's cache folder."""
        return store_folder(self.root, self.graph.cache)

    def build(self, notify: Callable[[str], None], *, locked: bool = False, strict: bool = False) -> Build:
        """A build over this graph; `locked` refuses to resolve what has no lock yet, `strict` runs each action in a
        sandbox that holds its inputs alone."""
        return Build(
            self.root, self.graph, self.trace, lambda: Store(self.store_folder), notify, locked=locked, strict=strict
        )

    def reopened(self) -> Opened:
        """The same workspace, now to be written to; PlanError when it is not the same any more."""
        assert self.stored is not None
        trace = Trace(self.root)
        unsigned = _lacks_key(self.graph)
        if not unsigned and _holds(self.stored, self.root):
            return Opened(self.root, self.graph, trace, self.stored)
        graph, trace, stored = _read(self.root, trace, writing=True)
        if list(graph.targets) != list(self.graph.targets) or (not unsigned and stored.text != self.stored.text):
            raise PlanError(Problem("the workspace changed while this run was starting", hint="build again"))
        return Opened(self.root, graph, trace, stored)

    def keep_graph(self) -> None:
        """Store the graph, so that the next run need not read the manifests while they stand still."""
        if self.stored is None:
            return
        needed = set(self.graph.closure(self.graph.final))
        self.trace.keep_graph(self.stored, {name: name in needed for name in self.graph.targets})


def store_folder(root: Path, directory: str) -> Path:
    """Where the store of a workspace at `root` lies whose [cache] directory is `directory`."""
    given = os.environ.get("PACKYARD_CACHE_DIR") or directory
    return (root / given if given else platformdirs.user_cache_path("packyard")) / "store"


def find_workspace(start: Path) -> Path:
    """The root of the workspace around `start`; PlanError when there is none."""
    root = null.find_root(os.fspath(start))
    if root is None:
        problem = Problem(
            f"no {MANIFEST} here or in a folder above",
            place=os.fspath(start),
            hint="'packyard init' writes one",
        )
        raise PlanError(problem)
    return Path(root)


def open_workspace(root: Path, *, readonly: bool = False) -> Opened:
    """Read the graph of the workspace at `root`; PlanError with everything that is wrong with it."""
    trace = Trace(root, readonly=readonly)
    stored = trace.graph()
    if stored is not None and _holds(stored, root):
        try:
            return Opened(root, read_graph(stored.text), trace, stored)
        except (KeyError, TypeError, ValueError):
            pass  # a text that we did not write: read the manifests again
    return Opened(root, *_read(root, trace, writing=not readonly))


def read_only_graph(root: Path) -> Graph:
    """The graph of the workspace at `root` as its files say; nothing is remembered. PlanError as `open_workspace`."""
    try:
        return build_graph(read_workspace(root))
    except FormatError as error:
        raise PlanError(*error.problems) from None


def open_standalone(
    root: Path, change: Callable[[ProjectManifest], ProjectManifest], *, compression: str = "fast"
) -> Opened:
    """The folder of one application, which is no workspace; `change` has the last word on its manifest. Its graph is
    not stored, because it depends on more than files."""
    _, graph = _graph(lambda: read_standalone(root, change, compression=compression), writing=True)
    return Opened(root, graph, Trace(root), None)


def _read(root: Path, trace: Trace, *, writing: bool) -> tuple[Graph, Trace, StoredGraph]:
    workspace, graph = _graph(lambda: read_workspace(root), writing=writing)
    looks = dict(workspace.watch.seen)
    for path in own_files():
        looks[os.fspath(path)] = pack_stat(path.stat())
    manifest = workspace.manifest
    more = [*filter(None, [manifest.sign.seed_env]), *(["PATH"] if manifest.toolchain.mojo_from == "PATH" else [])]
    variables = (*null.VARIABLES, *more)
    stored = StoredGraph(
        identity=null.identity(variables, os.urandom(8).hex()),
        variables=variables,
        needed=len(graph.closure(graph.final)),
        looks=looks,
        text=graph.text(),
    )
    return graph, trace, stored


def _graph(read: Callable[[], Workspace], *, writing: bool) -> tuple[Workspace, Graph]:
    """A workspace and its graph. Who is going to write makes the development key when a bundle waits for it."""
    workspace = read()
    try:
        graph = build_graph(workspace)
        if writing and _lacks_key(graph):
            from packyard.tasks import signing  # and with it cryptography, which a stored graph can do without

            signing.make_development_key()
            workspace = read()
            graph = build_graph(workspace)
    except FormatError as error:
        raise PlanError(*error.problems) from None
    return workspace, graph


def _lacks_key(graph: Graph) -> bool:
    """Whether a bundle is to be signed by a development key that is not there yet (signing.TO_BE_MADE)."""
    return any(target.local and not target.params["public_key"] for target in graph.targets.values())


def _holds(stored: StoredGraph, root: Path) -> bool:
    if null.identity(stored.variables, stored.identity.partition(":")[0]) != stored.identity:
        return False
    try:
        return all(pack_stat(os.stat(root / path)) == look for path, look in stored.looks.items())
    except OSError:
        return False
