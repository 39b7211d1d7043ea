"""A workspace of Python members whose actions run without the engine, each in a room of its own."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from packyard.tasks import lock
from packyard.tasks.action import invoke
from packyard.tasks.graph import KINDS, build_graph
from packyard.tasks.room import Room
from packyard.tasks.target import Target
from packyard.tasks.workspace import Workspace, read_workspace

assert "slot" in KINDS


class Yard:
    """Files below `root`; `make` runs a target and what it needs, and gives its main artifact."""

    def __init__(self, root: Path, files: Mapping[str, str], *, manifest: str = "") -> None:
        self.root = root / "workspace"
        self.work = root / "work"
        self.made: dict[tuple[str, str], Path] = {}
        self.write({"packyard.toml": manifest or '[workspace]\nname = "w"\nmembers = ["*"]\n', **files})

    def write(self, files: Mapping[str, str]) -> None:
        for path, text in files.items():
            place = self.root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")

    @property
    def workspace(self) -> Workspace:
        return read_workspace(self.root)

    @property
    def targets(self) -> Mapping[str, Target]:
        return build_graph(self.workspace).targets

    def make(self, name: str, part: str = "") -> Path:
        targets = self.targets
        self._make(name, targets)
        return self.made[name, part]

    def _make(self, name: str, targets: Mapping[str, Target]) -> None:
        target = targets[name]
        if (name, target.outputs[0].part) in self.made:
            return
        for other in target.dependencies:
            self._make(other, targets)
        for pin in target.pins:
            if not (self.root / pin.path).exists():
                lock.resolve(pin, self.root)
        place = self.work / name.replace(":", "-").replace("/", "-")
        room = Room(
            inputs=place / "in", outputs=place / "out", scratch=place / "tmp", home=place / "home",
            params=target.params, log=place / "log", network=target.network,
            trees={use.target: self.made[use.target, use.part] for use in target.uses if not use.at},
        )  # fmt: skip
        for folder in (room.inputs, room.outputs, room.scratch, room.home):
            folder.mkdir(parents=True)
        room.log.touch()
        for source in target.sources:
            _put(self.root / source.path, room.inputs / source.at)
        for use in target.uses:
            if use.at:
                _put(self.made[use.target, use.part], room.inputs / use.at)
        invoke(target.run, room)
        self.made.update(((name, output.part), room.outputs / output.at) for output in target.outputs)


def _put(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, place)
