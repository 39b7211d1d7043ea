"""One build, and every fault at every place: killed or interrupted before each change to a disk, a full disk from each
write on, an error from each call. Nothing wrong is delivered, nothing finished is lost, the next build repairs it.

The whole set, of which a share is tried, is every place for a kill and each so-many-th for the other faults;
PACKYARD_FAULTS=all tries every place for every fault.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from packyard.tasks.engine.trace.trace import Trace

from tests.share import drawn

pytestmark = pytest.mark.share

WRITES, CHANGES, READS = 1, 2, 4
ALL = os.environ.get("PACKYARD_FAULTS") == "all"
HERE = Path(__file__).parent
MANIFEST = """\
[workspace]
name = "w"
[[archive]]
name = "inner"
version = "1.0.0"
include = ["a.txt"]
[[archive]]
name = "outer"
version = "1.0.0"
format = "zip"
include = ["archive:inner", "b.txt"]
"""
SOURCES = {"packyard.toml": MANIFEST, "a.txt": "a\n" * 1000, "b.txt": "b\n"}


@dataclass
class Sufferer:
    """A workspace that is made anew for each fault, and the process that builds it."""

    folder: Path
    process: subprocess.Popen[str]

    @property
    def root(self) -> Path:
        return self.folder / "w"

    def anew(self) -> None:
        """The sources and nothing else."""
        for name in ("w", "cache", "rooms"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
            (self.folder / name).mkdir()
        for path, text in SOURCES.items():
            (self.root / path).write_text(text)

    def build(
        self, at: int = 0, *, under: str = "", signal: int = 0, errno: int = 0, on: bool = False, kinds: int = WRITES
    ) -> tuple[int, int, str]:
        """A build that suffers; its status, how many calls there were, and what it said."""
        log = self.folder / "log"
        self.said(
            root=str(self.root), rooms=str(self.folder / "rooms"), log=str(log), words=["-n", "2"], at=at,
            under=str(self.folder / under), signal=signal, errno=errno, on=on, kinds=kinds,
            env={"PACKYARD_CACHE_DIR": str(self.folder / "cache"), "PACKYARD_CONFIG_DIR": str(self.folder / "config")},
        )  # fmt: skip
        assert self.process.stdout is not None
        answer = json.loads(self.process.stdout.readline())
        return answer["status"], answer["count"], log.read_text()

    def said(self, **values: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(values) + "\n")
        self.process.stdin.flush()

    def dist(self) -> dict[str, bytes]:
        folder = self.root / "dist"
        return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}

    def finished(self) -> set[str]:
        """The targets whose records are in the trace."""
        trace = Trace(self.root)
        names = set(trace.records())
        trace.close()
        return names


@pytest.fixture(scope="module")
def sufferer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sufferer]:
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs a C compiler, and Linux")
    shim = tmp_path_factory.mktemp("shim") / "shim.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", shim, HERE / "shim.c", "-ldl"], check=True)
    fast = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else tmp_path_factory.mktemp("faults")
    folder = fast / f"packyard-faults-{os.getpid()}"
    folder.mkdir()
    environment = {**os.environ, "LD_PRELOAD": str(shim), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        [sys.executable, str(HERE / "suffering.py"), str(shim)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
    ) as process:  # fmt: skip
        yield Sufferer(folder, process)
        assert process.stdin is not None
        process.stdin.close()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def wanted(sufferer: Sufferer) -> dict[str, bytes]:
    """What an undisturbed build makes."""
    sufferer.anew()
    assert sufferer.build()[0] == 0
    return sufferer.dist()


def places(sufferer: Sufferer, most: int, **how: object) -> list[int]:
    """Every call at which a fault can come, or the share of so many of them."""
    sufferer.anew()
    status, count, _ = sufferer.build(**how)  # type: ignore[arg-type]
    assert status == 0
    assert count > 3, how
    if ALL:
        return list(range(1, count + 1))
    return drawn(range(1, count + 1, max(1, count // most)), f"{how}")


def repaired(sufferer: Sufferer, wanted: dict[str, bytes]) -> str:
    """The next build ends well, with nothing left over; what it said."""
    status, _, said = sufferer.build()
    assert status == 0, said
    assert sufferer.dist() == wanted
    left = [path.name for path in (sufferer.folder / "rooms").iterdir()]
    if "nothing to do" in said:  # a build that has nothing to make looks for no sandboxes
        assert all(name.startswith("gone-") for name in left)
    else:
        assert left == []
    tmp = sufferer.root / ".packyard/tmp"
    assert not tmp.exists() or list(tmp.iterdir()) == []
    again = sufferer.build()
    assert again[0] == 0
    assert "nothing to do: 2 targets are fresh" in again[2]
    return said


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_build_ended_before_any_change_keeps_what_was_finished(sufferer, wanted, tally, number):
    ended = 0
    for at in places(sufferer, 1000 if number == signal.SIGKILL else 40, kinds=WRITES | CHANGES):
        sufferer.anew()
        status, _, said = sufferer.build(at, signal=number, kinds=WRITES | CHANGES)
        assert status in ((-9,) if number == signal.SIGKILL else (130, 0)), said
        assert "Traceback" not in said
        ended += status != 0
        for name, content in sufferer.dist().items():
            assert content == wanted[name], f"{name} is not whole after call {at}"
        finished = sufferer.finished()
        again = repaired(sufferer, wanted)
        for name in finished:
            assert f" {name} " not in again, f"{name} was finished, and was made again after call {at}:\n{again}"
    tally(f"faults: builds {'killed' if number == signal.SIGKILL else 'interrupted'} before a change to a disk", ended)


@pytest.mark.parametrize("place", ["rooms", "cache", "w/.packyard", "w/dist"])
def test_disk_full_from_any_write_on_is_said(sufferer, wanted, tally, place):
    for at in places(sufferer, 15, under=place):
        sufferer.anew()
        status, _, said = sufferer.build(at, under=place, errno=errno.ENOSPC, on=True)
        check(sufferer, wanted, said)
        assert status in (0, 1), said
        if status:
            assert re.search("No space left on device|disk is full|trace.sqlite: cannot be (opened|written)", said), (
                said
            )
        else:  # what could not be written was not needed
            assert sufferer.dist() == wanted
        repaired(sufferer, wanted)
        tally(f"faults: disk full in {place.rpartition('/')[2]}", 1)


@pytest.mark.parametrize("kinds", [WRITES | CHANGES, READS], ids=["changes", "reads"])
def test_error_of_any_call_is_said_or_does_no_harm(sufferer, wanted, tally, kinds):
    for at in places(sufferer, 40, kinds=kinds):
        sufferer.anew()
        status, _, said = sufferer.build(at, errno=errno.EIO, kinds=kinds)
        check(sufferer, wanted, said)
        assert status in (0, 1), said
        if status == 0:
            assert sufferer.dist() == wanted
        repaired(sufferer, wanted)
        tally(f"faults: I/O errors of {'reads' if kinds == READS else 'changes to a disk'}", 1)


def check(sufferer: Sufferer, wanted: dict[str, bytes], said: str) -> None:
    assert "Traceback" not in said, said
    assert "internal error" not in said, said
    for name, content in sufferer.dist().items():
        assert content == wanted[name], f"{name} is not whole"
