"""How long whole runs take beside the least that they could: the longest chain, or the work of a class over its lanes.

    python benchmarks/makespan.py [--graphs 5] [--targets 150] [--jobs 4]

Random graphs of sleeping actions of all classes of resources, run twice by the real engine: in the first run no times
are known, in the second they are, and the longest way goes first.
"""

from __future__ import annotations

import argparse
import io
import os
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import synthetic
from packyard.tasks.cli import carry_out
from packyard.tasks.display import Plain
from packyard.tasks.gate import limits, longest_ways
from packyard.tasks.graph import Graph
from timing import machine


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", type=int, default=5)
    parser.add_argument("--targets", type=int, default=150)
    parser.add_argument("--jobs", type=int, default=4)
    options = parser.parse_args()
    print(f"Measured on {machine()}; {options.targets} targets, --jobs {options.jobs}.\n")
    print("| graph | bound s | times unknown | times known |\n|---|---:|---:|---:|")
    for seed in range(options.graphs):
        graphs = [synthetic.layers(seed, options.targets, again=again) for again in range(2)]
        least = bound(graphs[0], options.jobs)
        with tempfile.TemporaryDirectory(prefix="packyard-bench-") as folder:
            os.environ["PACKYARD_CACHE_DIR"] = f"{folder}/cache"
            runs = [run(graph, Path(folder), options.jobs) / least for graph in graphs]
        print(f"| {seed} | {least:.2f} | {runs[0]:.3f} | {runs[1]:.3f} |", flush=True)


def bound(graph: Graph, jobs: int) -> float:
    """No run can be shorter, in seconds."""
    seconds = {name: target.params["seconds"] for name, target in graph.targets.items()}
    work: dict[str, float] = defaultdict(float)
    for name, target in graph.targets.items():
        work[target.resource] += seconds[name]
    lanes = limits(jobs)
    shares = [work[resource] / lanes[resource] for resource in lanes]
    return max(*longest_ways(graph, list(graph.targets), seconds).values(), *shares)


def run(graph: Graph, folder: Path, jobs: int) -> float:
    """Build all of it; the seconds from the first look to the end."""
    front = synthetic.front(graph, folder, Plain(io.StringIO()), jobs=jobs)
    start = time.perf_counter()
    if carry_out(front, list(graph.targets)):
        raise SystemExit("the run failed")
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
