"""Graphs that no manifest describes, built by the real engine: a chain, and random layers of sleeping actions.

As a program it builds one of them in the current folder, as the command `packyard` would:

    python synthetic.py chain COUNT
"""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

from packyard.tasks.console.display import Plain
from packyard.tasks.console.run import carry_out
from packyard.tasks.engine.build.events import Display
from packyard.tasks.engine.build.opening import Opened
from packyard.tasks.engine.build.session import Session
from packyard.tasks.engine.graph.graph import Graph
from packyard.tasks.engine.trace.trace import Trace
from packyard.tasks.target.kinds import Kinds
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Output, Resource, Target, Use


def link(room: Room) -> None:
    """The action of a link: its number."""
    (room.outputs / "out").write_text(room.params["number"])


def sleep(room: Room) -> None:
    """The action of a layer: takes its time."""
    time.sleep(room.params["seconds"])
    (room.outputs / "out").write_text(room.params["number"])


def chain(count: int) -> Graph:
    """Targets of which each is made from the one before it."""
    return Graph(dict(_target(n, (n - 1,) if n else (), "link", {}, "cpu") for n in range(count)))


def layers(seed: int, count: int, *, again: int = 0) -> Graph:
    """Targets of all classes of resources that take 40 to 400 ms, each made from up to two of those a little before
    it; `again` another time."""
    chance = random.Random(seed)
    made: list[tuple[str, Target]] = []
    for number in range(count):
        uses = {chance.randrange(max(0, number - 30), number) for _ in range(2)} if number else set()
        resource: Resource = chance.choices(("cpu", "io", "memory"), (6, 3, 1))[0]
        params = {"seconds": chance.uniform(0.04, 0.4), "again": again}
        made.append(_target(number, sorted(uses), "sleep", params, resource))
    return Graph(dict(made))


def front(graph: Graph, root: Path, display: Display, *, jobs: int) -> Session:
    """A run over a graph in a folder."""
    made = Session(root, Kinds(), display, jobs=jobs, opened=lambda: Opened(root, graph, Trace(root)))
    made.lock()
    return made


def _target(
    number: int, uses: tuple[int, ...] | list[int], action: str, params: dict[str, float], resource: Resource
) -> tuple[str, Target]:
    name = f"x:{number:05}"
    return name, Target(
        name=name, doc="", place="", run=f"synthetic:{action}", params={"number": str(number), **params},
        uses=tuple(Use(target=f"x:{use:05}", at=str(use)) for use in uses), outputs=(Output(at="out"),),
        resource=resource, final=True,
    )  # fmt: skip


if __name__ == "__main__":
    sys.modules["synthetic"] = sys.modules["__main__"]  # actions are found by their module's name
    made = chain(int(sys.argv[2]))
    running = front(made, Path(os.getcwd()), Plain(sys.stdout), jobs=2)
    sys.exit(carry_out(running, [list(made.targets)[-1]]))
