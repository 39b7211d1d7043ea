"""The fixture `space`: a real workspace in a temporary folder, driven by the installed command as a user drives it.

With PACKYARD_TESTS_MUST=1 a test that is skipped because something is not installed fails instead.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from packyard.tasks.host import network

from tests import forked

Tally = Callable[[str, int], None]
Figures = Callable[[str], None]

# Packyard asks the indexes that pip is told of. Tests ask the one that everybody has, or their own.
os.environ["PIP_CONFIG_FILE"] = os.devnull
os.environ.pop("PIP_FIND_LINKS", None)

# How fast a busy machine is decides nothing.
settings.register_profile("packyard", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("packyard")

_MADE = re.compile(r"^(ran|restored|failed) +(\S+:\S+) ", re.MULTILINE)
_DODO = "from packyard.tasks import *\n"


_TALLY, _FIGURES = "tally ", "figures"
MUST = os.environ.get("PACKYARD_TESTS_MUST", "") not in ("", "0")


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Tally:
    """Counts what tests did to the engine; the sums are shown at the end of the run."""
    return lambda name, number: record_property(_TALLY + name, number)


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Figures:
    """Remembers a line of what a test measured; the lines are shown at the end of the run."""
    return lambda line: record_property(_FIGURES, line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much was tried, and what was measured."""
    sums: dict[str, int] = {}
    lines: list[str] = []
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()) if getattr(report, "when", "") == "call" else ():
                if name.startswith(_TALLY):
                    sums[name] = sums.get(name, 0) + value
                elif name == _FIGURES:
                    lines.append(f"{report.nodeid.rpartition('::')[2]}: {value}")
    if sums or lines:
        terminalreporter.section("what was tried")
        for name in sorted(sums):
            terminalreporter.line(f"{sums[name]:>10,}  {name.removeprefix(_TALLY)}")
        for line in sorted(lines):
            terminalreporter.line(line)


@pytest.hookimpl(trylast=True)  # when those that are left out are gone
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the long tests that are not of the share that is drawn, and begin with the files that take longest, so
    that all processes end together: a file stays with one of them."""
    left = {item for item in items if item.get_closest_marker("long") and not _drawn(item.nodeid)}
    config.hook.pytest_deselected(items=list(left))
    items[:] = [item for item in items if item not in left]
    first = {item.path for item in items if item.get_closest_marker("real")}
    second = {item.path for item in items if item.get_closest_marker("share")}
    items.sort(key=lambda item: (item.path not in first, item.path not in second))


def _drawn(name: str) -> bool:
    """Whether a long test is of the share that PACKYARD_TESTS_LONG draws ('1/10'), by PACKYARD_TESTS_SEED; all are when
    it is not set."""
    share = Fraction(os.environ.get("PACKYARD_TESTS_LONG", "1"))
    drawn = hashlib.sha256(f"{os.environ.get('PACKYARD_TESTS_SEED', '')} {name}".encode()).digest()
    return Fraction(int.from_bytes(drawn[:8]), 1 << 64) < share


# Why a test may be skipped even where everything must be tried: what a machine, its kernel or its user cannot be given.
MAY_SKIP = re.compile(
    "|".join(
        (
            "this user may not mount anything",
            "root may read everything",
            "is about root",
            "this machine mounts no file systems of users",
            "this kernel gives no emulation of its own to a namespace",
            "emulates arm64 on amd64",
            "Debian's packages cannot be had",
            "this Python has no extension module with symbols in a file of its own",
            "this Python is installed where everybody's is",
            "this machine has no Python in /usr",
            "no Python 3",
            "there is no second file system",
            "from 1.0 on, compilers record no absolute path of their own",
        )
    )
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let no test pass unseen because its tool is missing."""
    report = yield
    if MUST and report.skipped and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        if not MAY_SKIP.search(reason):
            report.outcome, report.longrepr = "failed", f"must be tried here: {reason}"
    return report


# What a space needs to reach the package index, and uv's cache of this machine; nothing else of the caller's home.
NETWORK = {name: value for name, value in network.environment().items() if not name.startswith(("HOME", "XDG"))}
NETWORK.setdefault("UV_CACHE_DIR", str(Path.home() / ".cache" / "uv"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command ended: its status, and what it wrote."""

    status: int
    out: str
    err: str

    def made(self, how: str) -> list[str]:
        """The targets that came out like this, sorted."""
        return sorted(name for found, name in _MADE.findall(self.out) if found == how)

    @property
    def ran(self) -> list[str]:
        return self.made("ran")

    @property
    def restored(self) -> list[str]:
        return self.made("restored")

    @property
    def failed(self) -> list[str]:
        return self.made("failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """A workspace at `root` with a store and a config folder of its own."""

    root: Path
    home: Path
    env: dict[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = (sys.executable, "-m", "packyard.tasks")

    @property
    def store(self) -> Path:
        """The folder of blobs and results."""
        return Path(self.environment["PACKYARD_CACHE_DIR"]) / "store" / "v2"

    @property
    def environment(self) -> dict[str, str]:
        """What the command sees, and nothing else of this process."""
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(self.home),
            "PACKYARD_CACHE_DIR": str(self.home / "cache"),
            "PACKYARD_CONFIG_DIR": str(self.home / "config"),
            **self.env,
        }

    # files ---------------------------------------------------------------------------------------------------

    def write(self, path: str, content: str | bytes) -> Path:
        """Write a file, with its folders."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        return place

    def append(self, path: str, content: str) -> None:
        """Write at the end of a file."""
        with (self.root / path).open("a") as stream:
            stream.write(content)

    def replace(self, path: str, old: str, new: str) -> None:
        """Put `new` for `old`, which must stand in the file."""
        text = self.text(path)
        assert old in text
        self.write(path, text.replace(old, new))

    def remove(self, path: str) -> None:
        """Delete a file, or a folder with all in it."""
        place = self.root / path
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink()

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        return (self.root / path).read_bytes()

    def text(self, path: str) -> str:
        """The text of a file."""
        return (self.root / path).read_text()

    def files(self, folder: str = "") -> dict[str, bytes]:
        """Every file below a folder by its workspace path, the engine's own folder left out."""
        found = {}
        for path in sorted((self.root / folder).rglob("*")):
            name = path.relative_to(self.root).as_posix()
            if path.is_file() and not name.startswith(".packyard/"):
                found[name] = path.read_bytes()
        return found

    # commands ------------------------------------------------------------------------------------------------

    def packyard(self, *words: str, status: int = 0) -> Ran:
        """Run `packyard`."""
        return self._run([*self.command, *words], status)

    def doit(self, *words: str, status: int = 0) -> Ran:
        """Run stock `doit` over the workspace's dodo.py."""
        if not (self.root / "dodo.py").exists():
            self.write("dodo.py", _DODO)
        return self._run([sys.executable, "-m", "doit", *words], status)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start `packyard` and do not wait for it."""
        return subprocess.Popen(
            [*self.command, *words],
            cwd=self.root, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def mounted(self, script: str, *, status: int = 0) -> Ran:
        """Run a shell script in a mount namespace of its own; `$PACKYARD` is the command."""
        if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
            pytest.skip("this user may not mount anything")
        words = {"PACKYARD": " ".join(self.command)}
        return self._run(["unshare", "-m", "sh", "-ec", script], status, words)

    def expect_nothing(self) -> None:
        """A build finds nothing to do and leaves every file as it is."""
        before = {path: (self.root / path).stat().st_mtime_ns for path in self.files()}
        done = self.packyard()
        assert done.out.startswith("nothing to do: "), done.out
        assert {path: (self.root / path).stat().st_mtime_ns for path in self.files()} == before

    def beside(self, name: str, **env: str) -> Space:
        """A copy of the sources in another folder, with the same store unless `env` says otherwise."""
        root = self.root.parent / name
        shutil.copytree(self.root, root, symlinks=True, ignore=shutil.ignore_patterns(".packyard", "dist"))
        return Space(root=root, home=self.home, env={**self.env, **env}, command=self.command)

    def children(self) -> list[str]:
        """The command lines of all processes that were started by a command of this space and are still alive."""
        mark = f"PACKYARD_CACHE_DIR={self.environment['PACKYARD_CACHE_DIR']}".encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (process / "environ").read_bytes().split(b"\0"):
                    found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
        return found

    def _run(self, argv: Sequence[str], status: int, env: dict[str, str] | None = None) -> Ran:
        done = forked.run(argv, cwd=self.root, env=self.environment | (env or {}), timeout=120)
        assert done.returncode == status, f"status {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr + done.stdout, done.stderr + done.stdout
        return Ran(status=done.returncode, out=done.stdout, err=done.stderr)


@pytest.fixture(scope="session")
def space_in(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Space]:
    """Makes empty workspaces that last for the session."""
    return lambda name: _make(tmp_path_factory.mktemp(name), name)


@pytest.fixture(scope="session")
def app_in(tmp_path_factory: pytest.TempPathFactory, space_in: Callable[[str], Space]) -> Callable[..., Space]:
    """Makes folders of applications, which are not workspaces and last for the session; bundles are signed with the
    key of the seed 's1' unless `env` names a seed.

    All share one store, also those of other test processes of the run: interpreters and launchers are made once.
    """
    base = tmp_path_factory.getbasetemp()
    store = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "applications"

    def make(name: str, files: Mapping[str, str | bytes], **env: str) -> Space:
        space = space_in(name)
        seed = {} if "FLAVOR_SEED" in env else {"PACKYARD_KEY_SEED": "s1"}
        space.env.update({**NETWORK, "PACKYARD_CACHE_DIR": str(store), **seed, **env})
        for path, content in files.items():
            space.write(path, content)
        return space

    return make


@pytest.fixture
def make_space(tmp_path: Path) -> Iterator[Callable[[str], Space]]:
    """Makes empty workspaces, each with a home of its own; at the end no process of theirs may be left."""
    made: list[Space] = []

    def make(name: str) -> Space:
        made.append(_make(tmp_path, name))
        return made[-1]

    yield make
    assert [line for space in made for line in space.children()] == []


def _make(folder: Path, name: str) -> Space:
    space = Space(root=folder / name, home=folder / f"home-{name}")
    space.root.mkdir()
    space.home.mkdir()
    return space


@pytest.fixture
def space(make_space: Callable[[str], Space]) -> Space:
    """A workspace with two archives, of which the second holds the first."""
    space = make_space("work")
    _write_two_archives(space)
    return space


@pytest.fixture
def built(make_space: Callable[[str], Space], built_once: Space) -> Space:
    """A copy of that workspace and its store after a build: it must be looked at anew, and is fresh."""
    space = make_space("work")
    shutil.copytree(built_once.root, space.root, symlinks=True, dirs_exist_ok=True)
    shutil.copytree(built_once.home, space.home, symlinks=True, dirs_exist_ok=True)
    return space


@pytest.fixture(scope="session")
def built_once(space_in: Callable[[str], Space]) -> Space:
    """That workspace, built; nobody changes it."""
    space = space_in("built-once")
    _write_two_archives(space)
    space.packyard()
    return space


def _write_two_archives(space: Space) -> None:
    space.write(
        "packyard.toml",
        """\
[workspace]
name = "work"

[[archive]]
name = "inner"
version = "0.1.0"
include = ["src", "README.md"]

[[archive]]
name = "outer"
version = "0.2.0"
format = "zip"
include = ["archive:inner", "LICENSE"]
""",
    )
    space.write("src/a.txt", "a\n")
    space.write("src/deep/b.txt", "b\n")
    space.write("README.md", "# work\n")
    space.write("LICENSE", "free\n")


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Bytes may hold the time or a key made just now, and every process must name a test alike."""
    return argname if isinstance(val, bytes) else None
