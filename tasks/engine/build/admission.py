"""Admission of actions: how many of each class of resource run at once, those on the longest way to the end first."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from packyard.tasks.engine.graph.graph import Graph
from packyard.tasks.target.target import Resource

_DOWNLOADS = 8  # actions that mostly wait for a disk or a network
_CHOICE = 8  # threads that wait, beside those that run: who is dispatched early may have a short way to go
_GUESS = 1.0  # seconds of a target that was never made, when none of its kind was


def limits(jobs: int) -> dict[Resource, int]:
    """How many actions of each class may run at once for `--jobs`; one job is one action of any class."""
    return {"cpu": jobs, "io": max(jobs, _DOWNLOADS), "memory": max(1, jobs // 2)}


def longest_ways(graph: Graph, names: Sequence[str], seconds: Mapping[str, float]) -> dict[str, float]:
    """For each of `names` (dependencies first) the seconds from its start to the end of the run, if nothing else ran:
    its own and those of its longest chain of dependants. `seconds` are those of earlier runs; a target without any
    gets the mean of its kind."""
    kinds: dict[str, list[float]] = {}
    for name, length in seconds.items():
        kinds.setdefault(name.partition(":")[0], []).append(length)
    means = {kind: sum(lengths) / len(lengths) for kind, lengths in kinds.items()}
    chosen = set(names)
    found: dict[str, float] = {}
    for name in reversed(names):
        after = max((found[other] for other in graph.dependents[name] if other in chosen), default=0.0)
        own = seconds.get(name, means.get(name.partition(":")[0], _GUESS))
        found[name] = max(own, 0.0) + after
    return found


class Gate:
    """Lets actions begin, in whichever threads they wait. Each class has its own lanes, so that two compressions keep
    no download waiting.

    A lane that gets free is kept for a target of `graph` that has just become ready and is still on its way here, when
    nobody who waits has a longer way to go: else one that may wait would be in its place for as long as it takes.
    """

    def __init__(self, jobs: int, ways: Mapping[str, float], graph: Graph | None = None) -> None:
        self.lanes = limits(jobs)
        self._alone = jobs == 1
        self._ways = ways
        self._graph = graph
        self._lock = threading.Lock()
        self._here = 0  # threads, waiting or running
        self._running: dict[Resource, int] = dict.fromkeys(self.lanes, 0)
        self._waiting: dict[Resource, list[tuple[float, str, int, threading.Event]]] = {r: [] for r in self.lanes}
        self._coming: dict[Resource, set[str]] = {resource: set() for resource in self.lanes}
        self._missing = {name: sum(need in ways for need in graph.nodes[name].needs) for name in ways} if graph else {}

    @property
    def threads(self) -> int:
        """How many threads it takes to fill every lane, and to have a choice of who comes next."""
        return 1 if self._alone else sum(self.lanes.values()) + _CHOICE

    @contextmanager
    def admit(self, name: str, resource: Resource) -> Iterator[None]:
        """Wait until a lane is free and nobody waits who has a longer way to go."""
        turn = threading.Event()
        with self._lock:
            self._here += 1
            self._coming[resource].discard(name)
            heapq.heappush(self._waiting[resource], (-self._ways.get(name, 0.0), name, id(turn), turn))
            self._let_in()
        turn.wait()
        try:
            yield
        finally:
            with self._lock:
                self._here -= 1
                self._running[resource] -= 1
                self._let_in()

    def done(self, name: str) -> None:
        """A target is made, or needed not be: those that waited for it alone are on their way."""
        with self._lock:
            if self._graph is None or name not in self._missing:
                return
            self._coming[self._graph.nodes[name].resource].discard(name)
            for other in self._graph.dependents[name]:
                if other in self._missing:
                    self._missing[other] -= 1
                    if not self._missing[other]:
                        self._coming[self._graph.nodes[other].resource].add(other)
            self._let_in()

    def failed(self) -> None:
        """A target failed: from now on nobody is sure to come."""
        with self._lock:
            self._graph = None
            for names in self._coming.values():
                names.clear()
            self._let_in()

    def _let_in(self) -> None:
        """Wake those who are next and have a lane, and nobody else: there are many threads."""
        able = max(0, self.threads - self._here)  # so many can come before one of these has left
        for resource, queue in self._waiting.items():
            while queue:
                free = self.lanes[resource] - self._running[resource]
                way = -queue[0][0]
                if free <= min(able, sum(self._ways[name] > way for name in self._coming[resource])):
                    break
                self._running[resource] += 1
                *_, turn = heapq.heappop(queue)
                turn.set()
