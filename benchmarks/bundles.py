"""One file of an application, side by side: Packyard, FlavorPack, pex, `pex -D`, shiv, PyInstaller.

    python benchmarks/bundles.py [--rounds 3] [--minutes 14] [--apps hello,medium]

Two applications: `hello` (click) and `medium` (flask, requests, sqlalchemy). In each round every tool makes its first
file, and another one after one edited line; then every file is started with nothing unpacked yet, and again. Download
caches are warm for all. Rounds end when the next would not fit into the minutes. Run it with Python 3.11, the version
that FlavorPack bundles whatever is asked.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import flavorpack
from bundlers import install, peers
from packyard.tasks.engine.store.store import DOWNLOADS
from timing import Contender, machine, measure, ratios

HERE = Path(__file__).resolve().parent.parent
CACHE = Path(tempfile.gettempdir()) / "packyard-bench-peers"
PACKYARD = str(Path(sys.executable).parent / "packyard")
OURS, THEIRS = "packyard", "flavor pack"
APPS = {"hello": ("click>=8.1",), "medium": ("flask>=3", "requests>=2.31", "sqlalchemy>=2")}
FIRST, SECOND, EDIT, START, NEXT, TENTH = (
    "first bundle, wheels cached",
    "first bundle, after that of another application",
    "one line edited",
    "first start",
    "next start",
    "a tenth application with the same dependencies",
)
_NEXT_STARTS = 3  # a round; they are short
_MEDIUM = '''"""Asks its dependencies for a little work."""

import flask
import requests
import sqlalchemy


def main() -> None:
    """Answer one request from a database in memory."""
    engine = sqlalchemy.create_engine("sqlite://")
    app = flask.Flask("medium")

    @app.get("/")
    def root() -> str:
        with engine.connect() as connection:
            return str(connection.scalar(sqlalchemy.text("select 42")))

    print(app.test_client().get("/").text, requests.Request("GET", "http://x/", params={"a": "b"}).prepare().url)
'''


@dataclass(slots=True)
class Tool:
    """One tool on one application: what makes the file, and where that is. `forget` makes it a first time again."""

    make: Contender
    out: str
    forget: Callable[[], None]
    start: Contender | None = None
    start_cache: str = ""


@dataclass(slots=True)
class Figures:
    """Seconds by row ('hello: first start') and contender, in the order in which they came."""

    seconds: dict[str, dict[str, list[float]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    def time(self, row: str, contender: Contender) -> None:
        """Measure once."""
        contender.before()
        os.sync()  # or the next one waits for what the last one wrote
        took, _ = measure(contender)
        self.seconds[row][contender.name].append(took)
        sys.stderr.write(f"{row}: {contender.name}: {took:.3f} s\n")

    def median(self, row: str, name: str) -> float:
        """The median of a contender."""
        return statistics.median(self.seconds[row][name])


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=14)
    parser.add_argument("--apps", default=",".join(APPS))
    options = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # every tool and every program may keep its bytecode
    begin = time.monotonic()
    names = options.apps.split(",")
    flavor = flavorpack.install(CACHE)
    install(CACHE, [text for requirements in APPS.values() for text in requirements])
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="packyard-bench-") as given:
        folder = Path(given)
        tools = {name: _tools(folder / name, name, flavor) for name in names}
        sizes = {name: _prepare(tools[name], folder / name) for name in names}
        sizes["hello"]["packyard, compression small"] = _small(folder) if "hello" in names else 0
        tenth = _tenth(folder / "ten")
        said = f"{(time.monotonic() - begin) / 60:.1f} minutes to prepare"
        rounds = 0
        while rounds < options.rounds:
            start = time.monotonic()
            for name in names:
                _round(name, tools[name], figures)
            figures.time(TENTH, tenth)
            rounds += 1
            now = time.monotonic()
            if (now - begin) + (now - start) > options.minutes * 60:
                break
    print(f"Measured on {machine()}; medians of {rounds} interleaved rounds, {said}.\n")
    _goals(figures, sizes, names)
    for row, seconds in figures.seconds.items():
        print(ratios(row, seconds, next(iter(seconds))))
    for name in names:
        print(f"### {name}: size\n\n| | against {OURS} | MB |\n|---|---:|---:|")
        for tool, size in sizes[name].items():
            print(f"| {tool} | {size / sizes[name][OURS]:.2f} | {size / 1e6:.1f} |")
        print()


def _round(name: str, tools: Sequence[Tool], figures: Figures) -> None:
    for tool in tools:
        if not tool.make.name.endswith(", Go"):  # another launcher at the front of the same file
            figures.time(f"{name}: {FIRST}", replace(tool.make, before=tool.forget))
    ours = next(tool for tool in tools if tool.make.name == OURS)
    figures.time(f"{name}: {SECOND}", replace(ours.make, before=lambda: _pack_another(ours)))
    for tool in tools:
        if not tool.make.name.endswith(", Go"):
            figures.time(f"{name}: {EDIT}", replace(tool.make, before=lambda cwd=tool.make.cwd: _edit(cwd)))
    starts = [tool for tool in tools if tool.start is not None]
    for tool in starts:
        if tool.make.name == "pex -D":
            continue  # starts as pex does
        assert tool.start is not None
        forget = (lambda path=tool.start_cache: _emptied(path)) if tool.start_cache else _none
        figures.time(f"{name}: {START}", replace(tool.start, before=forget))
        for _ in range(_NEXT_STARTS):
            figures.time(f"{name}: {NEXT}", tool.start)


def _tools(folder: Path, name: str, flavor: Path) -> list[Tool]:
    """Every tool on an application, each with a copy of its own."""
    source = folder / "source"
    _write(source, name)
    found: list[Tool] = []
    for launcher in ("rust", "go"):
        suffix = "" if launcher == "rust" else ", Go"
        workspace = _copy(source, folder / f"packyard-{launcher}" / "app").parent
        (workspace / "packyard.toml").write_text(
            f'[workspace]\nname = "bench"\nmembers = ["app"]\n[toolchain]\nlauncher = "{launcher}"\n'
        )
        cache = workspace / "cache"
        env = {"PACKYARD_CACHE_DIR": str(cache), "PACKYARD_KEY_SEED": "bench"}
        make = Contender(name=f"{OURS}{suffix}", argv=[PACKYARD], cwd=workspace, env=env)
        found.append(Tool(make, f"dist/{name}-0.1.0.psp", lambda place=workspace: _forget(place)))
        project = _copy(source, folder / f"flavor-{launcher}")
        argv = [str(flavor), "pack", "--manifest", "pyproject.toml", "--key-seed", "bench", "--output", "out.psp"]
        argv += ["--quiet", "--launcher-bin", str(flavorpack.launcher(CACHE, launcher))]
        make = Contender(name=f"{THEIRS}{suffix}", argv=argv, cwd=project, env=flavorpack.environment(CACHE))
        found.append(Tool(make, "out.psp", _none))
    for tool in found:
        # A machine that has never seen the application: FlavorPack's bundle installs its wheels, by a cache in HOME.
        home = tool.make.cwd / "unpacked"
        env = {"FLAVOR_LOG_LEVEL": "error", "FLAVOR_CACHE_DIR": str(home / "cache"), "HOME": str(home)}
        tool.start = Contender(name=tool.make.name, argv=[str(tool.make.cwd / tool.out)], cwd=folder, env=env)
        tool.start_cache = env["HOME"]
    for position in range(4):
        project = _copy(source, folder / f"peer-{position}")
        peer = list(peers(CACHE, name, project, APPS[name]))[position]
        make = Contender(name=peer.name, argv=peer.argv, cwd=project, env=peer.env)
        tool = Tool(make, peer.out, lambda peer=peer, project=project: _remove(*(project / c for c in peer.caches)))
        env = {peer.start_cache: str(project / "unpacked")} if peer.start_cache else {}
        argv = [*peer.starter, str(project / peer.out)]
        tool.start = Contender(name=peer.name, argv=argv, cwd=folder, env=env)
        tool.start_cache = env.get(peer.start_cache, "")
        found.append(tool)
    return found


def _prepare(tools: Sequence[Tool], folder: Path) -> dict[str, int]:
    """Make every file once, which fills the download caches; their sizes in bytes."""
    sizes = {}
    for tool in tools:
        took, _ = measure(tool.make)
        sys.stderr.write(f"{folder.name}: {tool.make.name}: made once in {took:.1f} s\n")
        sizes[tool.make.name] = (tool.make.cwd / tool.out).stat().st_size
    return sizes


def _small(folder: Path) -> int:
    """The size of hello as it is made for a release."""
    project = _copy(folder / "hello" / "source", folder / "small")
    env = {"PACKYARD_CACHE_DIR": str(folder / "hello/packyard-rust/cache"), "PACKYARD_KEY_SEED": "bench"}
    argv = [PACKYARD, "pack", "--compression", "small", "--output", "out.psp", "--quiet"]
    measure(Contender(name="packyard pack", argv=argv, cwd=project, env=env))
    return (project / "out.psp").stat().st_size


def _tenth(workspace: Path) -> Contender:
    """Nine applications with the dependencies of medium and committed locks; each time one more is added."""
    env = {"PACKYARD_CACHE_DIR": str(workspace / "cache"), "PACKYARD_KEY_SEED": "bench"}
    number = iter(range(1, 1_000))
    workspace.mkdir()
    (workspace / "packyard.toml").write_text('[workspace]\nname = "ten"\nmembers = ["app*"]\n')

    def add() -> None:
        name = f"app{next(number)}"
        _write(workspace / name, "medium", name)
        lock = workspace / "app1/pylock.toml"
        if lock.exists():
            shutil.copy(lock, workspace / name)

    add()
    subprocess.run([PACKYARD, "lock"], cwd=workspace, env={**os.environ, **env}, check=True, capture_output=True)
    for _ in range(8):
        add()
    build = Contender(name=OURS, argv=[PACKYARD], cwd=workspace, env=env, before=add)
    measure(build)
    return build


def _write(folder: Path, kind: str, name: str = "") -> None:
    """The sources of an application."""
    name = name or kind
    if kind == "hello":
        shutil.copytree(HERE / "examples" / "apps" / "hello", folder)
        return
    package = folder / "src" / name
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "cli.py").write_text(_MEDIUM)
    (folder / "pyproject.toml").write_text(_manifest(name, f"{name}.cli:main", APPS[kind]))


def _manifest(name: str, entry_point: str, requirements: Sequence[str]) -> str:
    listed = ", ".join(f'"{text}"' for text in requirements)
    return (
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        f'[project]\nname = "{name}"\nversion = "0.1.0"\nrequires-python = ">=3.11"\ndependencies = [{listed}]\n'
        f'[project.scripts]\n{name} = "{entry_point}"\n[tool.flavor]\nentry_point = "{entry_point}"\n'
    )


def _edit(folder: Path) -> None:
    with next(folder.glob("**/src/*/cli.py")).open("a") as stream:
        stream.write("# one more line\n")


def _copy(source: Path, place: Path) -> Path:
    shutil.copytree(source, place)
    return place


def _forget(workspace: Path) -> None:
    """Of all that Packyard remembers, only what it downloaded stays."""
    store = workspace / "cache/store/v2"
    _remove(workspace / ".packyard", workspace / "dist", *(path for path in store.iterdir() if path.name != DOWNLOADS))


def _pack_another(tool: Tool) -> None:
    """The same, on a machine where another application was packed, so that its Python was packed already."""
    tool.forget()
    workspace = tool.make.cwd.with_name("another")
    _remove(workspace)
    package = workspace / "app/src/another"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('def main() -> None:\n    print("another")\n')
    (workspace / "app/pyproject.toml").write_text(_manifest("another", "another:main", ()))
    shutil.copy(tool.make.cwd / "packyard.toml", workspace)
    measure(replace(tool.make, cwd=workspace, before=_none))


def _remove(*paths: Path) -> None:
    for path in paths:
        for folder, _, _ in os.walk(path):  # of the store's trees they are read-only
            os.chmod(folder, 0o700)
        shutil.rmtree(path, ignore_errors=True)


def _emptied(path: str) -> None:
    shutil.rmtree(path, ignore_errors=True)
    os.mkdir(path)


def _none() -> None:
    """Nothing to forget."""


def _goals(figures: Figures, sizes: dict[str, dict[str, int]], names: Sequence[str]) -> None:
    """The table that says at once what was promised and what came out."""
    print("### Goals\n\n| work | goal | found |\n|---|---|---:|")
    for name in names:
        first, edit, start = (f"{name}: {row}" for row in (FIRST, EDIT, START))
        ours = figures.median(edit, OURS)
        print(f"| {first} | 10x faster than {THEIRS} | {_times(figures, first, THEIRS, OURS)} |")
        again = figures.median(first, THEIRS) / figures.median(f"{name}: {SECOND}", OURS)
        print(f"| {name}: {SECOND} | 10x faster than {THEIRS} | {again:.1f}x |")
        print(f"| {edit} | at most 1 s | {ours:.2f} s |")
        print(f"| {edit} | 25x faster than {THEIRS} | {_times(figures, edit, THEIRS, OURS)} |")
        for peer in ("pex", "pex -D", "shiv", "PyInstaller"):
            print(f"| {edit} | faster than {peer} | {_times(figures, edit, peer, OURS)} |")
        for suffix, launcher in (("", "Rust"), (", Go", "Go")):
            times = _times(figures, start, f"{THEIRS}{suffix}", f"{OURS}{suffix}")
            print(f"| {start}, {launcher} launcher | 8x faster than {THEIRS}'s | {times} |")
        if name == "hello":
            print(f"| {start}, Rust launcher | under 0.5 s | {figures.median(start, OURS):.2f} s |")
            share = sizes[name]["packyard, compression small"] / sizes[name][THEIRS]
            print(f"| {name}: size, compression small | at most 0.5 of {THEIRS}'s | {share:.2f} |")
    print(f"| {TENTH} | at most 1 s | {figures.median(TENTH, OURS):.2f} s |\n")


def _times(figures: Figures, row: str, slow: str, fast: str) -> str:
    return f"{figures.median(row, slow) / figures.median(row, fast):.1f}x"


if __name__ == "__main__":
    main()
