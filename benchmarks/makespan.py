"""How long whole runs take beside the least that they could: the longest chain, or the work of a class over its lanes.

    python benchmarks/makespan.py [--graphs 5] [--targets 600] [--jobs 4]

Random graphs of sleeping actions of all classes of resources, run twice by the real engine: in the first run no times
are known, in the second they are, and the longest way goes first. Beside them stands the second run as it would be if
the engine itself took no time. All as ratios to the bound.
"""

from __future__ import annotations

import argparse
import heapq
import io
import os
import tempfile
import time
from pathlib import Path

import synthetic
from packyard.tasks.console.display import Plain
from packyard.tasks.console.run import carry_out
from packyard.tasks.engine.build.admission import limits, longest_ways
from packyard.tasks.engine.graph.graph import Graph
from timing import machine


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", type=int, default=5)
    parser.add_argument("--targets", type=int, default=600)
    parser.add_argument("--jobs", type=int, default=4)
    options = parser.parse_args()
    print(f"Measured on {machine()}; {options.targets} targets, --jobs {options.jobs}.\n")
    print("| graph | bound s | simulated | times unknown | times known |\n|---|---:|---:|---:|---:|")
    for seed in range(options.graphs):
        graphs = [synthetic.layers(seed, options.targets, again=again) for again in range(2)]
        least = bound(graphs[0], options.jobs)
        with tempfile.TemporaryDirectory(prefix="packyard-bench-") as folder:
            os.environ["PACKYARD_CACHE_DIR"] = f"{folder}/cache"
            runs = [run(graph, Path(folder), options.jobs) / least for graph in graphs]
        ideal = simulated(graphs[0], options.jobs) / least
        print(f"| {seed} | {least:.2f} | {ideal:.3f} | {runs[0]:.3f} | {runs[1]:.3f} |", flush=True)


def bound(graph: Graph, jobs: int) -> float:
    """No run can be shorter, in seconds: the longest chain, and for each class of resources the work of any targets
    over its lanes, together with what must come before the first and after the last of them."""
    seconds = lengths(graph)
    ways = longest_ways(graph, list(graph.targets), seconds)
    before: dict[str, float] = {}
    for name, node in graph.nodes.items():
        before[name] = max((before[need] + seconds[need] for need in node.needs), default=0.0)
    after = {name: ways[name] - seconds[name] for name in ways}
    least = max(ways.values())
    for resource, lanes in limits(jobs).items():
        names = [name for name, target in graph.targets.items() if target.resource == resource]
        names.sort(key=lambda name: -after[name])
        for start in {before[name] for name in names}:
            work = 0.0
            for name in names:
                if before[name] >= start:
                    work += seconds[name]
                    least = max(least, start + work / lanes + after[name])
    return least


def simulated(graph: Graph, jobs: int) -> float:
    """How long the run takes, in seconds, when the targets begin in the engine's order and nothing but they takes
    time."""
    seconds = lengths(graph)
    ways = longest_ways(graph, list(graph.targets), seconds)
    free: dict[str, int] = dict(limits(jobs))
    missing = {name: len(node.needs) for name, node in graph.nodes.items()}
    ready = [(-ways[name], name) for name in missing if not missing[name]]
    running: list[tuple[float, str]] = []
    now = 0.0
    while ready or running:
        for ticket in sorted(ready):
            resource = graph.targets[ticket[1]].resource
            if free[resource]:
                free[resource] -= 1
                ready.remove(ticket)
                heapq.heappush(running, (now + seconds[ticket[1]], ticket[1]))
        now, name = heapq.heappop(running)
        free[graph.targets[name].resource] += 1
        for other in graph.dependents[name]:
            missing[other] -= 1
            if not missing[other]:
                ready.append((-ways[other], other))
    return now


def lengths(graph: Graph) -> dict[str, float]:
    """How long each target sleeps, in seconds."""
    return {name: target.params["seconds"] for name, target in graph.targets.items()}


def run(graph: Graph, folder: Path, jobs: int) -> float:
    """Build all of it; the seconds from the first look to the end."""
    front = synthetic.front(graph, folder, Plain(io.StringIO()), jobs=jobs)
    start = time.perf_counter()
    if carry_out(front, list(graph.targets)):
        raise SystemExit("the run failed")
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
