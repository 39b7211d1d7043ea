"""Which packages a set of packages needs, and in which order: the same answer in whatever order things are asked.

There is one candidate for each name, so there is no search: ranges of versions are conditions that the candidate must
meet, and a commit that a package pins wins over the pins of others by being nearer to a root. Only if a range is not
met is another commit requested, once for each set of ranges.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from packyard.formats.errors import FormatError, Problem
from packyard.formats.versionrange import read_range

_ROUNDS = 100  # pins may lead to packages that pin others, each of which starts over


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A package that is available. `ranges` are conditions on versions of others, `pins` their commits, by name;
    `commit` is '' if it comes from no repository."""

    name: str
    version: str
    needs: tuple[str, ...] = ()
    ranges: Mapping[str, str] = field(default_factory=dict)
    pins: Mapping[str, str] = field(default_factory=dict)
    commit: str = ""


# The candidate for a name at a pinned commit ('' for none); FormatError if there is none.
Find = Callable[[str, str], Candidate]
# The commit of a package's newest version that meets all of some ranges, '' if there is none to choose.
Choose = Callable[[str, tuple[str, ...]], str]


def resolve(roots: Iterable[str], find: Find, choose: Choose = lambda name, ranges: "") -> tuple[Candidate, ...]:
    """`roots` and everything they need, dependencies first, ties by name.

    FormatError with every missing package, unmet range, contradiction between pins, and the first cycle, each with the
    path that led to it.
    """
    wanted = sorted(set(roots))
    pins: dict[str, str] = {}
    chosen: dict[str, tuple[tuple[str, ...], str]] = {}  # for which ranges, and what
    for _ in range(_ROUNDS):
        walk = _Walk(wanted, find, pins)
        decided = walk.pins()
        for name, ranges in walk.unmet_ranges().items():
            if name not in decided and chosen.get(name, ((), ""))[0] != ranges:
                chosen[name] = ranges, choose(name, ranges)
        decided = {name: commit for name, (_, commit) in sorted(chosen.items()) if commit} | decided
        if decided == pins:
            break
        pins = decided
    else:
        raise FormatError("the pinned commits keep contradicting each other")
    problems = [*walk.problems, *walk.unmet()]
    if cycle := find_cycle({name: found.needs for name, found in walk.found.items()}):
        problems.append(Problem(f"the packages depend on each other in a cycle: {' -> '.join(cycle)}"))
    if problems:
        raise FormatError(*problems)
    return tuple(walk.found[name] for name in order({name: found.needs for name, found in walk.found.items()}))


def order(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """The names, each after what it needs, ties by name; names that are not keys do not count. There must be no
    cycle."""
    open_needs = {name: {need for need in wanted if need in needs} for name, wanted in needs.items()}
    users: dict[str, list[str]] = defaultdict(list)
    for name, wanted in open_needs.items():
        for need in wanted:
            users[need].append(name)
    ready = [name for name, wanted in open_needs.items() if not wanted]
    heapq.heapify(ready)
    found: list[str] = []
    while ready:
        name = heapq.heappop(ready)
        found.append(name)
        for user in users[name]:
            open_needs[user].discard(name)
            if not open_needs[user]:
                heapq.heappush(ready, user)
    return found


def find_cycle(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """A path from a node back to itself, from the first of its nodes; [] when there is none."""
    sorter = TopologicalSorter({name: sorted(needs[name]) for name in sorted(needs)})
    try:
        sorter.prepare()
    except CycleError as error:
        path = list(reversed(error.args[1]))[1:]  # graphlib names dependencies before their dependents
        start = path.index(min(path))
        return [*path[start:], *path[:start], path[start]]
    return []


class _Walk:
    """One pass from the roots outwards, level by level, with the pins known so far."""

    def __init__(self, roots: list[str], find: Find, pins: Mapping[str, str]) -> None:
        self.found: dict[str, Candidate] = {}
        self.problems: list[Problem] = []
        self._by: dict[str, str] = dict.fromkeys(roots, "")  # who asked first
        self._depth = dict.fromkeys(roots, 0)
        level = roots
        while level:
            following: set[str] = set()
            for name in level:
                try:
                    candidate = find(name, pins.get(name, ""))
                except FormatError as error:
                    self.problems += [self._with_path(problem, name) for problem in error.problems]
                    continue
                self.found[name] = candidate
                for need in sorted(candidate.needs):
                    if need not in self._by:
                        self._by[need] = name
                        self._depth[need] = self._depth[name] + 1
                        following.add(need)
            level = sorted(following)

    def path(self, name: str) -> str:
        """How a root leads to the package: 'a -> b -> name'."""
        names = [name]
        while by := self._by[names[-1]]:
            names.append(by)
        return " -> ".join(reversed(names))

    def pins(self) -> dict[str, str]:
        """The commit of each pinned package: that of whoever is nearest to a root; FormatError if two differ."""
        nearest: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
        for name in sorted(self.found):
            for pinned, commit in self.found[name].pins.items():
                nearest[pinned].append((self._depth[name], commit, name))
        decided: dict[str, str] = {}
        problems: list[Problem] = []
        for pinned, choices in sorted(nearest.items()):
            depth = min(choices)[0]
            commits = {commit: by for level, commit, by in sorted(choices, reverse=True) if level == depth}
            if len(commits) > 1:
                said = ", ".join(f"{commit[:12]} by {self.path(by)}" for commit, by in sorted(commits.items()))
                problems.append(Problem(f"is pinned to different commits: {said}", place=pinned))
            decided[pinned] = next(iter(commits))
        if problems:
            raise FormatError(*problems)
        return decided

    def unmet_ranges(self) -> dict[str, tuple[str, ...]]:
        """The packages with a version that some requirement rules out, and all requirements on it, sorted."""
        wanted: dict[str, set[str]] = defaultdict(set)
        for candidate in self.found.values():
            for need, text in candidate.ranges.items():
                wanted[need].add(text)
        return {
            name: tuple(sorted(ranges))
            for name, ranges in sorted(wanted.items())
            if (found := self.found.get(name)) and not all(read_range(text).admits(found.version) for text in ranges)
        }

    def unmet(self) -> Iterable[Problem]:
        """The version conditions that are not met."""
        for name in sorted(self.found):
            for need, text in sorted(self.found[name].ranges.items()):
                other = self.found.get(need)
                if other is not None and not read_range(text).admits(other.version):
                    message = f"has version {other.version}, but {self.path(name)} requires {text!r}"
                    yield Problem(message, place=need)

    def _with_path(self, problem: Problem, name: str) -> Problem:
        if not self._by[name]:
            return problem
        return Problem(
            f"{problem.message} (needed by {self.path(self._by[name])})", problem.key, problem.place, problem.hint
        )
