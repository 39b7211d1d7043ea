"""Scripts of steps for a world: drawn at random, played, made short when they fail, and kept as text, a step a line."""

from __future__ import annotations

import random
import shlex
from collections.abc import Callable, Iterable, Sequence

from tests.e2e.world import ARCHIVES, MEMBERS, PATHS, PLACES, TARGETS, VARIANTS, Counts, World

Step = tuple[str, ...]  # the name of a method of World, and its words

_EDITS: tuple[tuple[int, Callable[[random.Random], Step]], ...] = (
    (8, lambda r: ("write", r.choice(PATHS), _variant(r))),
    (4, lambda r: ("write_with_time_put_back", r.choice(PATHS), _variant(r))),
    (3, lambda r: ("replace", r.choice(PATHS), _variant(r))),
    (6, lambda r: ("revert", r.choice(PATHS))),
    (2, lambda r: ("delete", r.choice(PATHS if r.random() < _REFUSED else _SPARE))),
    (2, lambda r: ("swap", r.choice(PATHS[:4]), r.choice(PATHS[:4]))),
    (3, lambda r: ("chmod", r.choice(PATHS), r.choice(("755", "644", "700", "600")))),
    (3, lambda r: ("touch", r.choice((*PATHS, "all")), r.choice(("now", "past", "future")))),
    (2, lambda r: ("link", r.choice(PATHS[:4]), r.choice(("symbolic", "hard")))),
    (2, lambda r: ("version", r.choice((*ARCHIVES, "one", "two", "app", "lib")), r.choice(("1.0.0", "1.0.1")))),
    (2, lambda r: ("declare", r.choice(tuple(ARCHIVES)))),
    (1, lambda r: ("member", r.choice(MEMBERS))),
    (4, lambda r: ("damage_artifact", _number(r), r.choice(_ARTIFACT), r.choice(("kept", "new")))),
    (3, lambda r: ("damage_store", _number(r), r.choice(_STORE), r.choice(("blob", "result")))),
    (1, lambda r: ("rest",)),
    (1, lambda r: ("damage_trace", r.choice(_TRACE), _number(r))),
)  # fmt: skip
_BUILDS: tuple[tuple[int, Callable[[random.Random], Step]], ...] = (
    (60, lambda r: ("build", _jobs(r))),
    (25, lambda r: ("build", _jobs(r), *r.sample(TARGETS, r.randint(1, 3)))),
    (8, lambda r: ("build_again", _jobs(r))),
    (4, lambda r: ("build_during", r.choice(PLACES), str(r.randint(1, 6)), r.choice(PATHS), _variant(r), _jobs(r))),
    (6, lambda r: ("build_killed", r.choice(PLACES), str(r.randint(1, 3)), r.choice(("kill", "interrupt")), _jobs(r))),
)  # fmt: skip
_ABSENT, _BUILT = 0.4, 0.85  # how often a member is left out at first, and an edit followed by a build
_REFUSED = 0.1  # how often a file goes without which there is no graph
_SPARE = tuple(path for path in PATHS if path.startswith("data/") or path.endswith(("more.mojo", "more.py", "n")))
_ARTIFACT = ("delete", "append", "zero", "mode", "empty", "another")
_STORE = ("delete", "flip", "flip-all", "cut", "empty", "append", "swap", "all")
_TRACE = (
    "delete", "tear", "flip", "zero looks", "zero stats", "zero paths", "zero record",
    "swap record", "swap looks", "swap stats", "swap paths",
)  # fmt: skip


def draw(chance: random.Random, length: int) -> list[Step]:
    """A script of so many steps, edits and builds, for a workspace with some of all members."""
    steps: list[Step] = [("member", member) for member in MEMBERS if chance.random() < _ABSENT]
    while len(steps) < length - 1:
        steps.append(_one_of(chance, _EDITS))
        if chance.random() < _BUILT:
            steps.append(_one_of(chance, _BUILDS))
    return [*steps, ("build_clean",)]


def play(steps: Iterable[Step], counts: Counts) -> None:
    """Do all steps in a new world; Wrong when a build is."""
    with World(counts) as world:
        for step in steps:
            counts.steps += 1
            counts.edits += not step[0].startswith("build")
            getattr(world, step[0])(*step[1:])


def shorten(steps: Sequence[Step], fails: Callable[[Sequence[Step]], bool]) -> list[Step]:
    """The steps without all that are not needed to fail: pieces are left out, halves first, single ones last."""
    kept = list(steps)
    size = len(kept) // 2
    while size:
        position = 0
        while position < len(kept):
            fewer = kept[:position] + kept[position + size :]
            if fails(fewer):
                kept = fewer
            else:
                position += size
        size //= 2
    return kept


def fails(steps: Sequence[Step]) -> bool:
    """Whether a build goes wrong."""
    try:
        play(steps, Counts())
    except Exception:
        return True
    return False


def write(steps: Iterable[Step]) -> str:
    """The steps as text."""
    return "".join(f"{shlex.join(step)}\n" for step in steps)


def read(text: str) -> list[Step]:
    """What `write` wrote; lines that start with '#' say why a script is kept."""
    return [tuple(shlex.split(line)) for line in text.splitlines() if line and not line.startswith("#")]


def _one_of(chance: random.Random, choices: Sequence[tuple[int, Callable[[random.Random], Step]]]) -> Step:
    return chance.choices([make for _, make in choices], [weight for weight, _ in choices])[0](chance)


def _variant(chance: random.Random) -> str:
    return str(chance.choices(range(len(VARIANTS)), [3, 3, 3, 4, 4, 1, 2])[0])


def _number(chance: random.Random) -> str:
    return str(chance.randrange(40))


def _jobs(chance: random.Random) -> str:
    return chance.choice(("", "1", "2", "4"))  # without it the null path is tried first
