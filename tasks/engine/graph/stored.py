"""The graph as the trace keeps it: an index of what is asked of all targets, the text of each, decoded when it is first
needed; and everything that the graph was read from, packed, which can be asked again.

The text is lines of JSON, a head and the index with a line for each target, and behind them the packed targets one
after the other. So a run over ten thousand targets that has to make one of them decodes one.
"""

from __future__ import annotations

import io
import json
import os
import platform
import struct
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from packyard.tasks import nullpath
from packyard.tasks.engine.graph.graph import Graph
from packyard.tasks.engine.trace.trace import StoredGraph
from packyard.tasks.host.closure import closure_of
from packyard.tasks.host.own import own_digest
from packyard.tasks.target.packed import PackedTargets, packed_targets
from packyard.tasks.target.target import Node
from packyard.tasks.workspace.memo import PACKED_STAT
from packyard.tasks.workspace.watch import NOTHING, Watch

_ANSWER = struct.Struct("<B16s")  # which of the questions, and a checksum of the answer


def store_graph(graph: Graph, watch: Watch, variables: Sequence[str]) -> StoredGraph:
    """A graph to be kept, that was read through `watch` in the environment of these variables."""
    return StoredGraph(
        identity=nullpath.identity(variables, os.urandom(8).hex()),
        variables=tuple(variables),
        needed=len(graph.needed),
        maker=f"{own_digest()} {platform.python_version()}",
        paths=os.fsencode("\0".join(watch.seen)),
        stats=b"".join(watch.seen.values()),
        questions=tuple(watch.questions),
        answers=b"".join(watch.answers.get(path, NOTHING) for path in watch.seen),
        text=write_graph(graph),
    )


def renewed(stored: StoredGraph, root: Path, changed: Iterable[int]) -> StoredGraph | None:
    """The same graph after those of its paths whose stats have changed, by position, were asked again; None when one
    of them tells something else now, so that the graph must be read anew."""
    paths = os.fsdecode(stored.paths).split("\0")
    stats = bytearray(stored.stats)
    watch = Watch(root)
    try:
        for position in changed:
            number, checksum = _ANSWER.unpack_from(stored.answers, position * _ANSWER.size)
            if not watch.tells_the_same(paths[position], (stored.questions[number], checksum)):
                return None
            seen = PACKED_STAT.unpack(watch.seen[paths[position]])
            PACKED_STAT.pack_into(stats, position * PACKED_STAT.size, *seen)
    except (struct.error, IndexError):  # not as we wrote it
        return None
    return replace(stored, stats=bytes(stats))


def python_of(stored: StoredGraph) -> str:
    """The version of Python that read a graph, which is in every key."""
    return stored.maker.partition(" ")[2]


def write_graph(graph: Graph) -> bytes:
    """The text of a graph; equal graphs give equal texts, as long as what makes their targets is equal."""
    packed = packed_targets(graph.targets)
    index = io.BytesIO()
    for name, node in graph.nodes.items():
        row = [name, node.needs, node.final, node.local, node.doc, node.artifacts, node.resource]
        row += [node.module, len(packed[name])]
        index.write(json.dumps(row, separators=(",", ":")).encode() + b"\n")
    modules = sorted({node.module for node in graph.nodes.values()})
    closures = {module: closure_of(module).digest for module in modules}
    said = {"cache": graph.cache, "notice": graph.notice, "closures": closures, "index": index.tell()}
    head = json.dumps(said, separators=(",", ":")).encode()
    return b"".join([head, b"\n", index.getvalue(), *(packed[name] for name in graph.nodes)])


def read_graph(text: bytes) -> Graph:
    """The graph that `write_graph` wrote; ValueError, KeyError or TypeError when it did not."""
    nodes: dict[str, Node] = {}
    packed: dict[str, bytes] = {}
    intern: Callable[[Any], Any] = sys.intern  # the name of a target stands with each that needs it
    for (name, needs, final, local, doc, artifacts, resource, module, _), place in _index(text):
        nodes[intern(name)] = Node(
            needs=tuple(map(intern, needs)), final=final, local=local, doc=doc, artifacts=tuple(artifacts),
            resource=intern(resource), module=intern(module),
        )  # fmt: skip
        packed[intern(name)] = text[place]
    head = json.loads(_line(text, 0))
    return Graph(PackedTargets(packed), head["cache"], nodes, notice=head["notice"])


def notice_of(text: bytes) -> str:
    """The notice of the graph that `write_graph` wrote; '' when it did not."""
    try:
        return str(json.loads(_line(text, 0))["notice"])
    except (ValueError, KeyError, TypeError):
        return ""


def changed_targets(old: bytes, new: bytes) -> set[str]:
    """The targets of the new text whose own text is not that of the old one, or whose function another Packyard's
    closure has a part in."""
    try:
        made = _closures(old)
        before = {row[0]: (old[place], made[row[-2]]) for row, place in _index(old)}
    except (ValueError, KeyError, TypeError, IndexError):
        before = {}
    makes = _closures(new)
    return {row[0] for row, place in _index(new) if before.get(row[0]) != (new[place], makes[row[-2]])}


def _closures(text: bytes) -> dict[str, str]:
    """The digest of the closure of each module that makes targets."""
    found: dict[str, str] = json.loads(_line(text, 0))["closures"]
    return found


def _index(text: bytes) -> Iterator[tuple[list[Any], slice]]:
    """Each row of the index, and where the body of its target stands."""
    head = _line(text, 0)
    start = len(head) + json.loads(head)["index"]
    at = len(head)
    body = start
    while at < start:
        line = _line(text, at)
        row = json.loads(line)
        yield row, slice(body, body + row[-1])
        body += row[-1]
        at += len(line)


def _line(text: bytes, at: int) -> bytes:
    return text[at : text.index(b"\n", at) + 1]
