"""Timing commands side by side: interleaved rounds, medians, ratios, peak memory."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One command to measure. `before` puts its folder into the state to measure from, untimed."""

    name: str
    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], object] = lambda: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Median seconds of a contender's rounds, the fastest round, and the largest peak of memory in MB."""

    name: str
    median: float
    best: float
    memory: float


def race(contenders: Sequence[Contender], rounds: int) -> list[Figure]:
    """Run every contender once a round, so that a noisy minute falls on all of them."""
    seconds: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    memory: dict[str, float] = {contender.name: 0.0 for contender in contenders}
    for number in range(rounds):
        for contender in contenders:
            contender.before()
            took, peak = measure(contender)
            seconds[contender.name].append(took)
            memory[contender.name] = max(memory[contender.name], peak)
            sys.stderr.write(f"round {number + 1}/{rounds} {contender.name}: {took:.3f} s\n")
    return [
        Figure(name=name, median=statistics.median(times), best=min(times), memory=memory[name])
        for name, times in seconds.items()
    ]


def measure(contender: Contender) -> tuple[float, float]:
    """Seconds and peak memory in MB of one run; SystemExit with its output when it fails."""
    start = time.perf_counter()
    child = subprocess.Popen(
        contender.argv,
        cwd=contender.cwd,
        env={**os.environ, **contender.env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert child.stdout is not None
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    took = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{contender.name} ended with {child.returncode}:\n{output.decode(errors='replace')[-4000:]}")
    return took, _megabytes(usage)


def table(title: str, figures: Sequence[Figure], against: str) -> str:
    """The figures as a Markdown table; the ratio says how many times longer than `against` each took."""
    base = next(figure.median for figure in figures if figure.name == against)
    lines = [f"### {title}", "", f"| | median s | best s | against {against} | peak MB |", "|---|---:|---:|---:|---:|"]
    lines += [f"| {f.name} | {f.median:.3f} | {f.best:.3f} | {f.median / base:.2f} | {f.memory:.0f} |" for f in figures]
    return "\n".join(lines) + "\n"


def ratios(title: str, seconds: Mapping[str, Sequence[float]], against: str) -> str:
    """The seconds of each contender as a Markdown table: how many times as long as `against` it took comes first."""
    base = statistics.median(seconds[against])
    lines = [f"### {title}", "", f"| | against {against} | median s | best s |", "|---|---:|---:|---:|"]
    for name, times in seconds.items():
        median = statistics.median(times)
        lines.append(f"| {name} | {median / base:.2f} | {median:.3f} | {min(times):.3f} |")
    return "\n".join(lines) + "\n"


def machine() -> str:
    """What this was measured on, in one line."""
    return f"{os.cpu_count()} cores, {os.uname().sysname} {os.uname().release}, Python {sys.version.split()[0]}"


def _megabytes(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024 * 1024)
