"""The graph as the trace keeps it: an index of what is asked of all targets, the text of each, decoded when it is first
needed; and everything that the graph was read from, packed, which can be asked again.

The text is one line of JSON, the index, and behind it the targets one after the other. So a run over ten thousand
targets that has to make one of them decodes one.
"""

from __future__ import annotations

import json
import os
import platform
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from packyard.tasks import null
from packyard.tasks.action import own_digest
from packyard.tasks.graph import Graph
from packyard.tasks.target import Node, Output, Pin, Source, Target, Use
from packyard.tasks.trace import StoredGraph
from packyard.tasks.watch import STAT, Watch

_STAT = struct.Struct("<4q")
_KEPT = 200  # decoded targets
_ANSWER = struct.Struct("<B16s")  # which of the questions, and a checksum of the answer


def store_graph(graph: Graph, watch: Watch, variables: Sequence[str]) -> StoredGraph:
    """A graph to be kept, that was read through `watch` in the environment of these variables."""
    questions = sorted({STAT, *(question for question, _ in watch.answers.values())})
    numbers = {question: number for number, question in enumerate(questions)}
    answers = (watch.answers.get(path, (STAT, b"")) for path in watch.seen)
    return StoredGraph(
        identity=null.identity(variables, os.urandom(8).hex()),
        variables=tuple(variables),
        needed=len(graph.closure(graph.final)),
        maker=f"{own_digest()} {platform.python_version()}",
        paths=os.fsencode("\0".join(watch.seen)),
        stats=b"".join(_STAT.pack(*look) for look in watch.seen.values()),
        questions=tuple(questions),
        answers=b"".join(_ANSWER.pack(numbers[question], checksum) for question, checksum in answers),
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
            _STAT.pack_into(stats, position * _STAT.size, *watch.seen[paths[position]])
    except (struct.error, IndexError):  # not as we wrote it
        return None
    return replace(stored, stats=bytes(stats))


def write_graph(graph: Graph) -> bytes:
    """The text of a graph; equal graphs give equal texts."""
    index: list[list[Any]] = []
    bodies = bytearray()  # one piece of memory, not one for each target
    for name, node in graph.nodes.items():
        body = json.dumps(_values(graph.targets[name]), separators=(",", ":"), sort_keys=True).encode()
        index.append([name, node.needs, node.final, node.local, node.doc, node.artifacts, node.resource, len(body)])
        bodies += body
    head = json.dumps({"cache": graph.cache, "targets": index}, separators=(",", ":")).encode()
    return b"".join([head, b"\n", bodies])


def read_graph(text: bytes) -> Graph:
    """The graph that `write_graph` wrote; ValueError, KeyError or TypeError when it did not."""
    head, index = _index(text)
    nodes = {
        name: Node(needs=tuple(needs), final=final, local=local, doc=doc, artifacts=tuple(artifacts), resource=resource)
        for name, needs, final, local, doc, artifacts, resource, _ in index
    }
    return Graph(_Targets(text, {name: slice(*place) for name, place in _places(head, index)}), head["cache"], nodes)


def changed_targets(old: bytes, new: bytes) -> set[str]:
    """The targets of the new text whose own text is not that of the old one."""
    try:
        before = dict(_places(*_index(old)))
    except (ValueError, KeyError, TypeError):
        before = {}
    changed: set[str] = set()
    for name, (start, end) in _places(*_index(new)):
        then = before.get(name)
        if then is None or old[then[0] : then[1]] != new[start:end]:
            changed.add(name)
    return changed


class _Targets(Mapping[str, Target]):
    """The targets of a text, each decoded when it is asked for; the last ones are kept, since a target is asked for
    several times while it is made."""

    def __init__(self, text: bytes, places: Mapping[str, slice]) -> None:
        self._text = text
        self._places = places
        self._decode = lru_cache(_KEPT)(self._decode_one)

    def __getitem__(self, name: str) -> Target:
        return self._decode(name)

    def _decode_one(self, name: str) -> Target:
        return _target(json.loads(self._text[self._places[name]]))

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def _index(text: bytes) -> tuple[dict[str, Any], list[list[Any]]]:
    end = text.index(b"\n")
    head = json.loads(text[:end])
    return head | {"end": end + 1}, head["targets"]


def _places(head: Mapping[str, Any], index: Iterable[list[Any]]) -> Iterator[tuple[str, tuple[int, int]]]:
    at = head["end"]
    for name, *_, length in index:
        yield name, (at, at + length)
        at += length


def _values(target: Target) -> dict[str, Any]:
    """A target as it is written: a source that stands where it lies, as most do, by its path alone."""
    sources = [one.path if one.at == one.path else [one.path, one.at] for one in target.sources]
    return asdict(replace(target, sources=())) | {"sources": sources}


def _source(value: str | list[str]) -> Source:
    path, at = (value, value) if isinstance(value, str) else value
    return Source(path=path, at=at)


def _target(values: dict[str, Any]) -> Target:
    return Target(
        **values
        | {
            "sources": tuple(map(_source, values["sources"])),
            "uses": tuple(Use(**use) for use in values["uses"]),
            "outputs": tuple(Output(**output) for output in values["outputs"]),
            "pins": tuple(_pin(pin) for pin in values["pins"]),
        }
    )


def _pin(values: dict[str, Any]) -> Pin:
    lists = {name: tuple(values[name]) for name in ("requirements", "indexes")}
    return Pin(**values | lists)
