"""What is asked of a build afterwards: artifacts elsewhere, facts in them, and what was done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from packyard.tasks.engine.build.build import Build
from packyard.tasks.engine.build.events import Outcome
from packyard.tasks.engine.store.blobs import Damaged
from packyard.tasks.host.atomic import replacing
from packyard.tasks.target.target import Json


def deliver(build: Build, name: str, place: Path) -> None:
    """Put the main artifact of a target that is done at `place`, whole or not at all; OSError when that cannot be
    written to."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with replacing(place) as aside:
        try:
            _copy(build, name, aside)
        except Damaged:
            build.maker.make_again(name, "stored output is missing or corrupt")
            aside.unlink(missing_ok=True)
            _copy(build, name, aside)


def fact(build: Build, name: str, part: str, key: str) -> Json:
    """A value in an artifact of a target that is done: a JSON object."""
    data = build.holding.store.read(build.known.made(name)[part].digest)
    return json.loads(data)[key]


def discard(build: Build, name: str, *, dry_run: bool = False) -> Iterator[tuple[str, bool]]:
    """Remove the artifacts of a target that are still what it made here; each path that is there, and whether it is
    removed (with `dry_run`: would be)."""
    return build.artifacts.discard(build.graph.targets[name], build.trace.record(name), dry_run=dry_run)


def details(build: Build, outcome: Outcome) -> list[str]:
    """What was done for a target, in lines: the function, the key, and its log."""
    target = build.graph.targets[outcome.name]
    record = build.trace.record(outcome.name)
    lines = [f"{outcome.name}: {target.run}, key {record.key if record else 'none'}"]
    log = build.maker.log(outcome.name)
    if outcome.how != "restored" and log.is_file():
        lines += [f"  {line}" for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    return lines


def _copy(build: Build, name: str, place: Path) -> None:
    made = build.known.made(name)[""]
    build.holding.store.copy_out(made.digest, place, executable=made.executable)
