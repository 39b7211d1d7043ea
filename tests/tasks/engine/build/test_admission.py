"""Admission of actions: lanes by class, the longest way first; and the length of whole runs against their bound."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from packyard.tasks.engine.build.admission import Gate, limits, longest_ways
from packyard.tasks.engine.graph.graph import Graph
from packyard.tasks.target.target import Resource, Target, Use


def graph(**needs: str) -> Graph:
    """Targets `x:NAME`, dependencies first, each with the names it is made from."""
    return Graph(
        {
            f"x:{name}": Target(
                name=f"x:{name}", doc="", place="", run="", uses=tuple(Use(target=f"x:{use}") for use in uses.split())
            )
            for name, uses in needs.items()
        }
    )


DIAMOND = graph(a="", b="a", c="a", d="b c")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ({"x:a": 1, "x:b": 5, "x:c": 2, "x:d": 1}, {"x:a": 7, "x:b": 6, "x:c": 3, "x:d": 1}),
        ({"x:a": 1, "x:b": 5}, {"x:a": 9, "x:b": 8, "x:c": 6, "x:d": 3}),  # the others count as the mean, 3
        ({}, {"x:a": 3, "x:b": 2, "x:c": 2, "x:d": 1}),
    ],
)
def test_longest_ways_lead_to_the_end(seconds: Mapping[str, float], expected: Mapping[str, float]) -> None:
    assert longest_ways(DIAMOND, list(DIAMOND.targets), seconds) == expected


def test_longest_ways_look_at_the_chosen_alone() -> None:
    assert longest_ways(DIAMOND, ["x:b", "x:d"], {"x:b": 1.0, "x:c": 100.0, "x:d": 1.0}) == {"x:b": 2.0, "x:d": 1.0}


def test_longest_ways_sort_dependencies_first() -> None:
    ways = longest_ways(DIAMOND, list(DIAMOND.targets), dict.fromkeys(DIAMOND.targets, 0.0))
    assert sorted(DIAMOND.targets, key=lambda name: -ways[name]) == list(DIAMOND.targets)


def test_one_job_is_one_action() -> None:
    assert Gate(1, {}).threads == 1
    assert limits(2) == {"cpu": 2, "io": 8, "memory": 1}


def run(gate: Gate, work: list[tuple[str, Resource, float]]) -> tuple[list[str], dict[str, int]]:
    """Start all at once; in which order they were admitted, and the most of each class at once."""
    order: list[str] = []
    now: dict[str, int] = dict.fromkeys(("cpu", "io", "memory"), 0)
    most = dict(now)
    lock = threading.Lock()

    def one(name: str, resource: Resource, length: float) -> None:
        with gate.admit(name, resource):
            with lock:
                order.append(name)
                now[resource] += 1
                most[resource] = max(most[resource], now[resource])
            time.sleep(length)
            with lock:
                now[resource] -= 1

    threads = [threading.Thread(target=one, args=values) for values in work]
    for thread in threads:
        thread.start()
        time.sleep(0.005)
    for thread in threads:
        thread.join()
    return order, most


def test_gate_admits_the_longest_way_first() -> None:
    ways = {"first": 1.0, "short": 2.0, "long": 9.0, "middle": 5.0}
    order, _ = run(Gate(1, ways), [(name, "cpu", 0.1) for name in ways])
    assert order == ["first", "long", "middle", "short"]


def test_gate_keeps_classes_apart() -> None:
    work = [(f"cpu{n}", "cpu", 0.6) for n in range(4)] + [(f"io{n}", "io", 0.6) for n in range(12)]
    order, most = run(Gate(2, {}), work)  # type: ignore[arg-type]
    assert (most["cpu"], most["io"]) == (2, 8)
    assert len(order) == 16
    assert order.index("io7") < order.index("cpu2")  # no download waits for a compression


def test_gate_frees_the_lane_of_a_failure() -> None:
    gate = Gate(1, {})
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), gate.admit("x:a", "cpu"):
            raise ZeroDivisionError


def leave_b_on_its_way() -> tuple[Gate, threading.Thread, threading.Event]:
    """A gate with one lane for actions that need memory: `a` has just ended, `b` is made from it and has a long way to
    go, and `c`, which waits in the thread, a short one; the event tells that `c` was let in."""
    one = graph(a="", b="a", c="")
    one = Graph({name: replace(target, resource="memory") for name, target in one.targets.items()})
    gate = Gate(2, {"x:a": 10.0, "x:b": 9.0, "x:c": 1.0}, one)
    let_in = threading.Event()

    def wait() -> None:
        with gate.admit("x:c", "memory"):
            let_in.set()

    waiting = threading.Thread(target=wait)
    with gate.admit("x:a", "memory"):
        waiting.start()
        assert not let_in.wait(0.1)
        gate.done("x:a")
    return gate, waiting, let_in


def test_gate_keeps_a_lane_for_who_is_on_its_way() -> None:
    gate, waiting, let_in = leave_b_on_its_way()
    assert not let_in.wait(0.1)
    with gate.admit("x:b", "memory"):
        assert not let_in.wait(0.1)
    waiting.join(10)
    assert let_in.is_set()


@pytest.mark.parametrize("end", [lambda gate: gate.done("x:b"), lambda gate: gate.failed()])
def test_gate_keeps_no_lane_for_who_will_not_come(end: Callable[[Gate], None]) -> None:
    """What was on its way proved fresh; or something failed, after which doit may start nothing more."""
    gate, waiting, let_in = leave_b_on_its_way()
    assert not let_in.wait(0.1)
    end(gate)
    waiting.join(10)
    assert let_in.is_set()


def test_gate_keeps_no_lane_when_every_thread_waits() -> None:
    """Nobody can be on its way then: doit has given its threads to others."""
    gate, waiting, let_in = leave_b_on_its_way()
    over = threading.Event()

    def stay(name: str) -> None:
        with gate.admit(name, "cpu"):
            over.wait(10)

    others = [threading.Thread(target=stay, args=(f"x:{n}",)) for n in range(gate.threads - 1)]
    for other in others[:-1]:
        other.start()
    assert not let_in.wait(0.1)
    others[-1].start()
    waiting.join(10)
    assert let_in.is_set()
    over.set()


@pytest.mark.parametrize("seed", range(20))
def test_order_by_longest_way_comes_near_the_bound(seed: int) -> None:
    """In simulated time: random layered graphs over all classes take at most 5 % longer than the critical path or the
    work of one class shared out over its lanes, whichever is longest."""
    chance = random.Random(seed)
    needs = {
        str(number): " ".join(
            {str(chance.randrange(max(0, number - 30), number)) for _ in range(2)} if number else set()
        )
        for number in range(600)
    }
    one = graph(**needs)
    seconds = {name: chance.uniform(0.1, 1.0) for name in one.targets}
    classes: dict[str, Resource] = {name: chance.choices(("cpu", "io", "memory"), (6, 3, 1))[0] for name in seconds}
    lanes = limits(2)
    ways = longest_ways(one, list(one.targets), seconds)
    shares = [sum(seconds[name] for name in seconds if classes[name] == kind) / lanes[kind] for kind in lanes]
    assert _simulate(one, seconds, ways, classes) <= max(*ways.values(), *shares) * 1.05


def _simulate(
    one: Graph, seconds: Mapping[str, float], ways: Mapping[str, float], classes: Mapping[str, Resource]
) -> float:
    clock = 0.0
    done: set[str] = set()
    running: list[tuple[float, str]] = []
    left = set(one.targets)
    lanes = limits(2)
    while left or running:
        ready = sorted((n for n in left if {*one.targets[n].dependencies} <= done), key=lambda n: -ways[n])
        for name in ready:
            if sum(classes[other] == classes[name] for _, other in running) < lanes[classes[name]]:
                running.append((clock + seconds[name], name))
                left.discard(name)
        running.sort()
        clock, name = running.pop(0)
        done.add(name)
    return clock
