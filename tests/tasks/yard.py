"""A workspace of Mojo members for tests on real compilers."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from packyard.tasks.engine.execute.action import invoke
from packyard.tasks.engine.graph.graph import build_graph
from packyard.tasks.kinds import TABLE
from packyard.tasks.kinds.mojo.compiler import Compiler, toolchain_of
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Target
from packyard.tasks.workspace.workspace import read_workspace


class Yard:
    """A workspace of Mojo members, built without the engine: each action in a room of its own."""

    def __init__(self, root: Path, version: str, tree: Path, home: Path) -> None:
        self.root = root
        self.home = home
        self.version = version
        self.compiler = Compiler(version, tree)
        self.made: dict[str, Path] = {}
        self.before: dict[str, bytes] = {}
        self.seconds: dict[str, float] = {}
        self.write({"packyard.toml": f'[workspace]\nname = "w"\nmembers = ["*"]\n[toolchain]\nmojo = "{version}"\n'})

    def write(self, files: Mapping[str, str]) -> None:
        for path, text in files.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(text)

    def build(self, *wanted: str) -> dict[str, bytes]:
        """Make every package, or the `wanted` and what they need, dependencies first; the bytes of each by name."""
        graph = build_graph(read_workspace(self.root / ""), TABLE)
        names = wanted or [name for name in graph.targets if name.startswith("mojo:")]
        self.made.clear()
        for name in graph.closure(names):
            if not name.startswith("toolchain:"):
                self.made[name] = self.make(graph.targets[name])
        return {name.partition(":")[2]: path.read_bytes() for name, path in self.made.items()}

    def make(self, target: Target) -> Path:
        room = self.room(target)
        for source in target.sources:
            copy(self.root / source.path, room.inputs / source.at)
        for use in target.uses:
            if use.at:
                made = self.made[use.target]
                copy(made.with_name(f"{made.name}.json") if use.part == "manifest" else made, room.inputs / use.at)
        start = spent()
        invoke(target.run, room)
        self.seconds[target.name] = spent() - start
        return room.outputs / target.outputs[0].at

    def room(self, target: Target) -> Room:
        # Beside the workspace, so that the depth of the one is the depth of the other.
        place = self.root.parent / "rooms" / f"{len(list(self.root.parent.glob('rooms/*'))):04}"
        for name in ("in", "out", "tmp"):
            (place / name).mkdir(parents=True)
        return Room(
            inputs=place / "in", outputs=place / "out", scratch=place / "tmp", home=self.home,
            params=target.params, log=place / "log", trees={toolchain_of(self.version): self.compiler.tree},
        )  # fmt: skip

    def compile(self, *words: str | Path, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
        """Call the compiler as a person does, with `more` variables in the environment."""
        environment = {"PATH": "/usr/bin:/bin", "HOME": os.fspath(self.home), **self.compiler.environment(), **more}
        return subprocess.run(
            [self.compiler.program, *words], cwd=cwd, env=environment, capture_output=True, text=True, check=False
        )


def spent() -> float:
    """Seconds of computing by this process and by the children that ended: what else the machine does is not part."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
