"""A small workspace of two archives, and a way to run commands in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from packyard.formats.pspf import Build, Execution, Metadata, Slot, key_from_seed, write_bundle
from packyard.tasks.commands import cli
from packyard.tasks.engine.build.opening import open_workspace
from packyard.tasks.kinds import TABLE

MANIFEST = """\
[workspace]
name = "small"

[[archive]]
name = "inner"
version = "0.1.0"
include = ["src"]

[[archive]]
name = "outer"
version = "0.2.0"
format = "zip"
include = ["archive:inner", "README.md"]
"""


@dataclass(frozen=True)
class Space:
    """A workspace on disk, entered."""

    root: Path
    capsys: pytest.CaptureFixture[str]

    def write(self, path: str, text: str) -> None:
        """Write a file of the workspace."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def run(self, *words: str) -> tuple[int, str, str]:
        """Run one command: its exit status, what it printed, and what it complained."""
        try:
            status = cli.run(words)
        except SystemExit as end:  # argparse, after --help or a usage error
            status = int(end.code or 0)
        return status, *self.capsys.readouterr()

    def output(self, *words: str) -> str:
        """What a command printed that went well."""
        status, out, err = self.run(*words)
        assert (status, err) == (0, "")
        return out

    def build(self) -> dict[str, str]:
        """Make what is stale; how each target came out that was made."""
        opened = open_workspace(self.root, TABLE)
        opened.keep_graph()
        build = opened.build(print)
        build.plan(opened.graph.targets)
        for name in opened.graph.targets:
            if build.judge(name).state == "stale":
                build.make(name)
        opened.trace.close()
        return {name: outcome.how for name, outcome in build.outcomes.items()}


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Space:
    """Two archives, of which the outer one contains the inner one."""
    root = tmp_path / "small"
    root.mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setenv("PACKYARD_CACHE_DIR", str(tmp_path / "cache"))
    space = Space(root, capsys)
    space.write("packyard.toml", MANIFEST)
    space.write("README.md", "small\n")
    space.write("src/a.txt", "a\n")
    return space


Tree = Callable[[Path], dict[str, bytes]]


@pytest.fixture
def tree() -> Tree:
    """Reads a folder whole: relative path -> bytes."""
    return lambda root: {
        path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()
    }


@pytest.fixture
def bundle(space: Space) -> Path:
    """A bundle `app.psp` in the workspace: a launcher and one file, signed with the key of the seed 's1'."""
    space.write("launcher", "not really a launcher")
    space.write("notes.txt", "a file of its own\n")
    metadata = Metadata(
        name="app",
        version="1.0",
        slots=(Slot(id="notes", target="{workenv}/doc/notes.txt", purpose="data"),),
        execution=Execution(command="/bin/cat {workenv}/doc/notes.txt"),
        build=Build(tool="packyard", os="linux", arch="amd64"),
    )
    path = space.root / "app.psp"
    write_bundle(
        path,
        launcher=space.root / "launcher",
        metadata=metadata,
        slots=[space.root / "notes.txt"],
        key=key_from_seed("s1"),
    )
    return path
