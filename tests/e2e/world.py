"""A small real workspace that is edited, damaged, built and killed step by step, and the oracle that judges each build.

The workspace has members of all kinds. Builds go the whole way of the command, in this process: null path, manifests,
graph, plan, doit with its threads, store, trace. Only the actions are mostly fakes that are fast; archives and slots
are made by their real ones. After each build the outputs are compared with what a clean build makes, found by walking
the graph without trace, memo or store; and no action may have run whose key was run before.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import io
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import doit.plugin
import pytest
from packyard.formats.errors import FormatError
from packyard.tasks import __main__ as command
from packyard.tasks.engine.build.artifacts import Artifacts
from packyard.tasks.engine.execute import action, plain, sandbox
from packyard.tasks.engine.execute.executor import Action, Inputs
from packyard.tasks.engine.graph.graph import Graph, build_graph
from packyard.tasks.engine.store.store import Result, Store
from packyard.tasks.engine.trace.trace import Trace
from packyard.tasks.errors import ActionError
from packyard.tasks.host.machine import host_platform
from packyard.tasks.index import lock
from packyard.tasks.index.pin import Pin
from packyard.tasks.kinds import TABLE
from packyard.tasks.target.params import read_params
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Target
from packyard.tasks.workspace.workspace import read_workspace

REAL = (
    "packyard.tasks.kinds.archive.make_archive:make_archive",
    "packyard.tasks.kinds.bundle.make_slot:make_slot",
)  # these actions run as they are
FAILS = b"FAIL"  # an input that holds this makes a fake fail
COMMENT = b"#"  # a fake does not see lines that start with this: editing them changes no output

PATHS = (
    "README.md", "data/a.txt", "data/b.txt", "data/deep/c.txt", "starter",
    "mojo/one/__init__.mojo", "mojo/one/more.mojo", "mojo/two/__init__.mojo", "mojo/three/__init__.mojo",
    "morloc/base/main.loc", "morloc/upper/main.loc",
    "apps/app/src/app/__init__.py", "apps/app/src/app/more.py", "apps/app/models/m", "apps/app/models/n",
    "apps/lib/src/lib/__init__.py", "apps/lib/src/lib/more.py",
)  # fmt: skip
MEMBERS = ("mojo/one", "mojo/two", "mojo/three", "morloc/base", "morloc/upper", "apps/app", "apps/lib")
ARCHIVES = {
    "kit": ("data", "README.md", "mojo:one"),
    "all": ("archive:kit", "bundle:app", "mojo:two"),
    "docs": ("README.md", "data/deep", "mojo:both"),
    "lone": ("data/*.txt",),
}
NEEDS = {
    "mojo/two": {"mojo/one"}, "mojo/three": {"mojo/one", "mojo/two"}, "morloc/upper": {"morloc/base"},
    "mojo:one": {"mojo/one"}, "mojo:two": {"mojo/one", "mojo/two"}, "mojo:both": {"mojo/one", "mojo/two"},
    "bundle:app": {"apps/app"}, "archive:kit": {"kit"},
}  # fmt: skip
TARGETS = (
    "archive:kit", "archive:all", "archive:docs", "mojo:one", "mojo:two", "mojo:three", "mojo:both", "bundle:app",
    "wheel:lib", "morloc:upper", "plane:default", "slot:app/models", "cleanroom:two", "toolchain:mojo-1.0.0",
)  # fmt: skip
VARIANTS = ("", "# one\n", "# two\n", "x = 1\n", "x = 2\n", "FAIL\n", "long = 1\n" * 500)
PLACES = ("invoke", "collect", "keep", "place", "retire", "commit", "committed", "graph")

Value = tuple[bool, bytes]  # executable, content


class Wrong(AssertionError):
    """A build did what it must not."""


@dataclass
class Counts:
    """What was done to worlds, for the summary of a test run."""

    steps: int = 0
    builds: int = 0
    edits: int = 0
    kills: int = 0
    damages: int = 0
    ran: int = 0
    clean: int = 0
    refused: int = 0
    failed: int = 0


class World:
    """One workspace, its store and its sandboxes in a folder of their own. A step is a method that takes words."""

    def __init__(self, counts: Counts) -> None:
        fast = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = Path(tempfile.mkdtemp(dir=fast, prefix="packyard-world-"))
        self.root = self.folder / "work"
        self.counts = counts
        self.versions = dict.fromkeys((*ARCHIVES, "one", "two", "three", "both", "app", "lib"), "1.0.0")
        self.archives = {"kit", "all"}
        self.members = set(MEMBERS)
        self.before: dict[str, list[Value]] = {}  # what files held earlier
        self.keys: set[str] = set()  # of actions whose results the store holds
        self.running: list[str] = []  # keys of the actions of the build under way
        self.strangers: set[str] = set()  # artifacts that a build may not take for its own
        self.known: dict[bytes, dict[str, Value] | None] = {}  # what actions make, by all they see
        self.graphs: dict[bytes, Graph | None] = {}  # by all files that they are read from
        self.hook: Callable[[str], None] = lambda place: None
        self._acting = threading.local()
        self._patch = pytest.MonkeyPatch()

    def __enter__(self) -> World:
        for folder in (self.root / "dist", self.folder / "rooms", self.folder / "clean"):
            folder.mkdir(parents=True)
        patch = self._patch
        patch.chdir(self.root)
        for name in list(os.environ):
            if name.startswith(("PACKYARD_", "FLAVOR_", "SOURCE_DATE")):
                patch.delenv(name)
        patch.setenv("PACKYARD_CACHE_DIR", str(self.folder / "cache"))
        patch.setenv("PACKYARD_KEY_SEED", "oracle")
        patch.setattr(
            doit.plugin, "entry_points_impl", lambda: _entry_points
        )  # it looks through all distributions each time
        patch.setattr(sandbox, "base", lambda: self.folder / "rooms")
        patch.setattr(lock, "resolve", _resolve)
        patch.setattr(plain, "invoke", self._invoke)
        self._pass(plain.Plain, "run", "run")
        self._pass(sandbox, "collect", "collect")
        self._pass(Store, "keep", "keep")
        self._pass(Artifacts, "_write", "place")
        self._pass(Artifacts, "retire", "retire")
        self._pass(Trace, "commit", "commit")
        self._pass(Trace, "keep_graph", "graph")
        self._create()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self._patch.undo()
        clear(self.folder)

    # edits of files ------------------------------------------------------------------------------------------

    def write(self, path: str, variant: str) -> None:
        """Write a source anew."""
        self._edit(path, text_of(path, int(variant)))

    def write_with_time_put_back(self, path: str, variant: str) -> None:
        """Write a source and give it the times that it had."""
        if (place := self.root / path).is_file():
            found = place.stat()
            self._edit(path, text_of(path, int(variant)))
            os.utime(place, ns=(found.st_atime_ns, found.st_mtime_ns))

    def replace(self, path: str, variant: str) -> None:
        """Put another file in the place of a source."""
        self._remember(path)
        _write(self.root / "new", text_of(path, int(variant)))
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / "new").rename(self.root / path)

    def revert(self, path: str) -> None:
        """Undo the last edit of a source."""
        if self.before.get(path):
            executable, content = self.before[path].pop()
            (self.root / path).unlink(missing_ok=True)
            _write(self.root / path, content)
            (self.root / path).chmod(0o755 if executable else 0o644)

    def delete(self, path: str) -> None:
        """Delete a source."""
        self._remember(path)
        (self.root / path).unlink(missing_ok=True)

    def swap(self, one: str, other: str) -> None:
        """Exchange two sources by renaming, times and all."""
        if one != other and (self.root / one).is_file() and (self.root / other).is_file():
            for source, target in ((one, "new"), (other, one), ("new", other)):
                (self.root / source).rename(self.root / target)

    def chmod(self, path: str, mode: str) -> None:
        """Change a source's mode."""
        if (self.root / path).is_file():
            (self.root / path).chmod(int(mode, 8))

    def touch(self, path: str, when: str) -> None:
        """Change the times of a source, or of all."""
        moments = {"now": None, "past": (1, 1), "future": (4_000_000_000, 4_000_000_000)}
        for place in [self.root / path] if path != "all" else [self.root / each for each in PATHS]:
            if place.is_file():
                os.utime(place, moments[when])

    def link(self, path: str, how: str) -> None:
        """Put a link to a file elsewhere in the place of a source; what the file holds counts, until it is edited."""
        if (self.root / path).is_file():
            self._remember(path)
            elsewhere = self.folder / f"linked-{self.counts.edits}-{len(list(self.folder.iterdir()))}"
            shutil.copy2(self.root / path, elsewhere)
            (self.root / path).unlink()
            (os.symlink if how == "symbolic" else os.link)(elsewhere, self.root / path)

    def rest(self) -> None:
        """Let the clock's grain pass, so that what was looked at is trusted by its times."""
        time.sleep(0.025)

    # edits of manifests --------------------------------------------------------------------------------------

    def version(self, name: str, version: str) -> None:
        """Give a member or an archive another version, and so its artifact another name."""
        self.versions[name] = version
        self._manifests()

    def declare(self, archive: str) -> None:
        """Declare an archive, or no longer."""
        self.archives ^= {archive}
        self._manifests()

    def member(self, folder: str) -> None:
        """Take a member away, or bring it back."""
        away = self.folder / folder.replace("/", "-")
        if folder in self.members:
            (self.root / folder).rename(away)
        else:
            shutil.rmtree(self.root / folder, ignore_errors=True)  # a source was written there meanwhile
            away.rename(self.root / folder)
        self.members ^= {folder}
        self._manifests()

    # damage --------------------------------------------------------------------------------------------------

    def damage_artifact(self, index: str, how: str, times: str) -> None:
        """Do something to a file in dist/, with its times kept or not."""
        artifacts = self.dist()
        if not artifacts:
            return
        place = artifacts[int(index) % len(artifacts)]
        if not place.is_file():
            return
        self.counts.damages += 1
        self.strangers.add(place.name)
        found, content = place.stat(), place.read_bytes()
        damages: dict[str, Callable[[], object]] = {
            "delete": place.unlink,
            "append": lambda: place.write_bytes(content + b"!"),
            "zero": lambda: place.write_bytes(bytes(len(content))),
            "mode": lambda: place.chmod(0o600 | found.st_mode ^ 0o100),
            "empty": lambda: place.write_bytes(b""),
            "another": lambda: shutil.copy(artifacts[0], place) if artifacts[0] != place else None,
        }
        damages[how]()
        if times == "kept" and place.exists():
            os.utime(place, ns=(found.st_atime_ns, found.st_mtime_ns))

    def damage_store(self, index: str, how: str, kind: str) -> None:
        """Do something to a blob or a result in the store, or to all of it."""
        self.counts.damages += 1
        self.keys.clear()
        base = self.folder / "cache/store/v2"
        if how == "all":
            clear(self.folder / "cache")
            return
        entries = sorted(path for path in (base / kind).rglob("*") if path.is_file())
        if len(entries) > 1:
            one = int(index) % len(entries)
            for position in range(len(entries)) if how.endswith("-all") else [one]:
                damage(entries[position], entries[position - 1], how.removesuffix("-all"))

    def damage_trace(self, how: str, index: str) -> None:
        """Do something to the trace."""
        place = self.root / ".packyard/trace.sqlite"
        if not place.exists():
            return
        self.counts.damages += 1
        self.strangers.update(path.name for path in self.dist())
        if how == "delete":
            shutil.rmtree(place.parent)
        elif how == "tear":
            place.write_bytes(place.read_bytes()[: 1000 * (1 + int(index))])
        elif how == "flip":
            content = bytearray(place.read_bytes())
            content[int(index) * 7919 % len(content)] ^= 0x10
            place.write_bytes(content)
        else:
            damage_rows(self.root, how, int(index))

    def damage_graph(self) -> None:
        """Let the stored graph say something else that can be read as well."""
        self.counts.damages += 1
        trace = Trace(self.root)
        with contextlib.closing(trace._db) as db:
            (text,) = db.execute("SELECT text FROM graphtext").fetchone()
            assert b"1.0.0" in text
            db.execute("UPDATE graphtext SET text = ?", (text.replace(b"1.0.0", b"1.0.9"),))

    # builds --------------------------------------------------------------------------------------------------

    def build(self, jobs: str, *names: str) -> None:
        """Build these targets (none: all), and compare with the oracle."""
        graph = self._graph()
        if graph is not None:
            names = tuple(name for name in names if name in graph.targets)
        status, said = self._command(jobs, names)
        self._judge(graph, names, status, said)

    def build_again(self, jobs: str) -> None:
        """Build all twice: the second time there is nothing to do."""
        self.build(jobs)
        graph = self._graph()
        if graph is not None and None not in self._evaluate(graph, graph.final).values():
            status, said = self._command("", ())
            if status or "nothing to do: " not in said:
                raise Wrong(f"a second build had something to do:\n{said}")

    def build_clean(self) -> None:
        """Build a copy of the sources with an empty store, and compare its artifacts with those here."""
        self.build("2")
        copy, cache = self.folder / "clean/work", self.folder / "clean/cache"
        shutil.copytree(self.root, copy, symlinks=True, ignore=shutil.ignore_patterns("dist", ".packyard"))
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(copy)
            patch.setenv("PACKYARD_CACHE_DIR", str(cache))
            self._command("1", ())
            self.running.clear()
        ours, clean = (
            {path.name: (path.stat().st_mode & 0o111, path.read_bytes()) for path in (root / "dist").iterdir()}
            if (root / "dist").is_dir() else {}
            for root in (self.root, copy)
        )  # fmt: skip
        clear(self.folder / "clean")
        (self.folder / "clean").mkdir()
        self.counts.clean += 1
        for name, value in clean.items():
            if ours.get(name) != value:
                raise Wrong(f"dist/{name} is not what a clean build makes")

    def build_during(self, place: str, count: str, path: str, variant: str, jobs: str) -> None:
        """Build, and write to a source when the build comes by a place for the count-th time; then build in quiet."""
        left = int(count)

        def passing(here: str) -> None:
            nonlocal left
            left -= here == place
            if here == place and left == 0:
                self.write(path, variant)

        self.hook = passing
        try:
            self._command(jobs, ())
        finally:
            self.hook = lambda place: None
        self.keys.update(self.running)
        self.strangers.update(path.name for path in self.dist())
        self.build(jobs)

    def build_killed(self, place: str, count: str, how: str, jobs: str) -> None:
        """Build in a process that ends when it comes by a place for the count-th time."""
        left = int(count)

        def passing(here: str) -> None:
            nonlocal left
            left -= here == place
            if here == place and left == 0:
                os.kill(os.getpid(), signal.SIGKILL if how == "kill" else signal.SIGINT)

        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # pytest-xdist has threads, which the child leaves alone
            child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # where it says that it was interrupted
            self.hook = passing
            with contextlib.suppress(BaseException):
                self._command(jobs, ())
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 130:
            self.counts.kills += 1
        self.strangers.update(path.name for path in self.dist())

    # judging -------------------------------------------------------------------------------------------------

    def _judge(self, graph: Graph | None, names: tuple[str, ...], status: int, said: str) -> None:
        self.counts.builds += 1
        self.counts.ran += len(self.running)
        if "internal error" in said or "Traceback" in said:
            raise Wrong(said)
        if graph is None:
            self.counts.refused += 1
            if status != 1:
                raise Wrong(f"status {status} although the workspace is wrong:\n{said}")
            return
        wanted = self._evaluate(graph, names or graph.final)
        self.counts.failed += status != 0
        if (status != 0) != (None in wanted.values()):
            raise Wrong(f"status {status}, {[name for name, made in wanted.items() if made is None]} fail:\n{said}")
        for name, made in wanted.items():
            for output in graph.targets[name].outputs:
                if made is not None and output.artifact:
                    self._compare(name, output.artifact, made[output.part], said)
        twice = [key for key in self.running if key in self.keys or self.running.count(key) > 1]
        if twice:
            raise Wrong(f"actions ran again although their keys had been run: {twice}\n{said}")
        self.keys.update(self.running)
        if not names and status == 0:
            owned = {output.artifact for target in graph.targets.values() for output in target.outputs}
            for path in self.dist():
                if f"dist/{path.name}" not in owned and path.name not in self.strangers:
                    raise Wrong(f"{path.name} is left of a target that is gone:\n{said}")

    def _compare(self, name: str, artifact: str, value: Value, said: str) -> None:
        place = self.root / artifact
        if not place.is_file():
            raise Wrong(f"{name}: {artifact} is missing:\n{said}")
        if (bool(place.stat().st_mode & 0o100), place.read_bytes()) != value:
            raise Wrong(f"{name}: {artifact} is not what a clean build makes:\n{said}")

    def _graph(self) -> Graph | None:
        """The graph as the files say it, None when they are wrong. Equal files give equal graphs."""
        state = hashlib.sha256()
        for folder, folders, files in os.walk(self.root):
            folders[:] = sorted(each for each in folders if each not in (".packyard", "dist"))
            for file in sorted(files):
                with contextlib.suppress(OSError), open(os.path.join(folder, file), "rb") as stream:
                    state.update(f"{folder}/{file}\0".encode() + stream.read() + b"\0")
        if state.digest() not in self.graphs:
            try:
                self.graphs[state.digest()] = build_graph(read_workspace(self.root), TABLE)
            except FormatError:
                self.graphs[state.digest()] = None
        return self.graphs[state.digest()]

    def _evaluate(self, graph: Graph, names: tuple[str, ...]) -> dict[str, dict[str, Value] | None]:
        """What a clean build makes of each target, by part; None for one that cannot be made."""
        made: dict[str, dict[str, Value] | None] = {}
        for name in graph.closure(names):
            target = graph.targets[name]
            try:
                inputs = {source.at: self._source(source.path, target) for source in target.sources}
                trees = {}
                for use in target.uses:
                    value = made[use.target]
                    if value is None:
                        raise FileNotFoundError(use.target)
                    (inputs if use.at else trees)[use.at or use.target] = value[use.part]
                made[name] = self._known_result(target, inputs, trees)
            except FileNotFoundError:
                made[name] = None
        return made

    def _source(self, path: str, target: Target) -> Value:
        place = self.root / path
        for prepare in target.prepares:
            if prepare.path == path and not place.is_file():
                return False, locked(read_params(Pin, prepare.params))
        if not place.is_file():
            raise FileNotFoundError(path)
        return bool(place.stat().st_mode & 0o100), place.read_bytes()

    def _known_result(
        self, target: Target, inputs: Mapping[str, Value], trees: Mapping[str, Value]
    ) -> dict[str, Value] | None:
        seen = hashlib.sha256(repr((target.run, sorted(inputs.items()), sorted(trees.items()))).encode())
        seen.update(json.dumps([target.params, [o.at for o in target.outputs]], sort_keys=True).encode())
        if seen.digest() not in self.known:
            if target.run in REAL:
                self.known[seen.digest()] = self._really(target, inputs)
            else:
                self.known[seen.digest()] = fake(target, inputs, trees)
        return self.known[seen.digest()]

    def _really(self, target: Target, inputs: Mapping[str, Value]) -> dict[str, Value]:
        """What the real action makes, in a folder that has nothing to do with the engine."""
        place = self.folder / "alone"
        room = Room(
            inputs=place / "in", outputs=place / "out", scratch=place / "tmp", home=place / "home",
            params=target.params, log=place / "log",
        )  # fmt: skip
        for folder in (room.inputs, room.outputs, room.scratch, room.home):
            folder.mkdir(parents=True)
        for at, (executable, content) in inputs.items():
            _write(room.inputs / at, content)
            (room.inputs / at).chmod(0o755 if executable else 0o644)
        action.invoke(target.run, room)
        made = {output.part: _value(room.outputs / output.at) for output in target.outputs}
        shutil.rmtree(place)
        return made

    # the engine's side ---------------------------------------------------------------------------------------

    def _command(self, jobs: str, names: tuple[str, ...]) -> tuple[int, str]:
        """`packyard` with these words, in this process; its status, and what it wrote."""
        self.running = []
        out = io.StringIO()
        argv = sys.argv
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        sys.argv = ["packyard", *names, *(["-n", jobs] if jobs else [])]
        here = Path.cwd()
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
                status = command.main()
        finally:
            sys.argv = argv
            os.chdir(here)
            for number, handler in handlers.items():
                signal.signal(number, handler)
        return status, out.getvalue()

    def _invoke(self, run: str, room: Room) -> None:
        self.hook("invoke")
        target: Target = self._acting.target
        if target.run in REAL:
            action.invoke(run, room)
            return
        inputs = {
            path.relative_to(room.inputs).as_posix(): _value(path) for path in room.inputs.rglob("*") if path.is_file()
        }
        made = fake(target, inputs, {name: _value(tree / "content") for name, tree in room.trees.items()})
        if made is None:
            raise ActionError("an input says so")
        for output in target.outputs:
            executable, content = made[output.part]
            place = room.outputs / output.at / "content" if output.tree else room.outputs / output.at
            _write(place, content)
            place.chmod(0o755 if executable else 0o644)

    def _run(self, real: Callable[..., Result], executor: plain.Plain, action: Action, inputs: Inputs) -> Result:
        self._acting.target = action.target
        made = real(executor, action, inputs)
        self.running.append(action.key)
        return made

    def _pass(self, owner: object, name: str, place: str) -> None:
        """Tell `hook` when the engine comes by."""
        real = getattr(owner, name)

        def passing(*values: object, **more: object) -> object:
            if place == "run":
                return self._run(real, *values)  # type: ignore[arg-type]
            self.hook(place)
            found = real(*values, **more)
            if place == "commit":
                self.hook("committed")
            return found

        self._patch.setattr(owner, name, passing)

    def dist(self) -> list[Path]:
        """What lies in dist/, sorted; nothing when it is gone."""
        folder = self.root / "dist"
        return sorted(folder.iterdir()) if folder.is_dir() else []

    # the files -----------------------------------------------------------------------------------------------

    def _create(self) -> None:
        for path in PATHS:
            if not path.endswith(("more.mojo", "more.py", "n")):
                _write(self.root / path, text_of(path, 0))
        _write(self.root / "python.tar.gz", b"an interpreter")
        self._manifests()

    def _manifests(self) -> None:
        """Write those manifests that are not as they should be."""
        version = self.versions
        digest = hashlib.sha256(b"an interpreter").hexdigest()
        texts = {
            "packyard.lock": f'[[interpreter]]\nversion = "{_PYTHON}"\nplatform = "{host_platform()}"\n'
            f'path = "python.tar.gz"\nsha256 = "sha256:{digest}"\n',
            "packyard.toml": self._workspace(),
            "mojo/one/mojo.toml": _mojo("one", version, ""),
            "mojo/two/mojo.toml": _mojo("two", version, f'one = "{version["one"]}"'),
            "mojo/three/mojo.toml": _mojo("three", version, f'two = "{version["two"]}"'),
            "morloc/base/package.yaml": _morloc("base", ""),
            "morloc/upper/package.yaml": _morloc("upper", "dependencies:\n  - base\n"),
            "apps/app/pyproject.toml": _project("app", version)
            + '[tool.flavor]\nentry_point = "app:main"\n'
            + '[[tool.flavor.slots]]\nid = "models"\nsource = "models"\n',
            "apps/lib/pyproject.toml": _project("lib", version),
        }
        for path, text in texts.items():
            place = self.root / path
            present = "/" not in path or path.rpartition("/")[0] in self.members
            if present and not (place.is_file() and place.read_text() == text):
                _write(place, text.encode())

    def _workspace(self) -> str:
        text = f"""\
[workspace]
name = "world"
members = {sorted(each for each in self.members if NEEDS.get(each, set()) <= self.members)}
[toolchain]
mojo = "1.0.0"
python = "{_PYTHON}"
launcher = "./starter"
"""
        if {"mojo/one", "mojo/two"} <= self.members:
            text += f'[[meta]]\nname = "both"\nversion = "{self.versions["both"]}"\nmembers = ["one", "two"]\n'
        for name in sorted(self.archives):
            include = [each for each in ARCHIVES[name] if NEEDS.get(each, set()) <= self.members | self.archives]
            include = include or ["README.md"]
            text += f'[[archive]]\nname = "{name}"\nversion = "{self.versions[name]}"\ninclude = {include}\n'
        return text

    def _edit(self, path: str, content: bytes) -> None:
        self._remember(path)
        _write(self.root / path, content)

    def _remember(self, path: str) -> None:
        if (self.root / path).is_file():
            self.before.setdefault(path, []).append(_value(self.root / path))


def text_of(path: str, variant: int) -> bytes:
    """What a source holds: enough that its kind takes it, and one of seven ends."""
    start = {
        "mojo/two/__init__.mojo": "from one import f\n",
        "morloc/base/main.loc": "module base (f)\nf :: Int -> Int\n",
        "morloc/upper/main.loc": "module upper (g)\nimport base (f)\ng :: Int -> Int\n",
        "apps/app/src/app/__init__.py": "def main(): pass\n",
    }.get(path, "fn f(): pass\n" if path.endswith(".mojo") else "")
    end = VARIANTS[variant]
    if path.endswith(".loc"):
        end = "".join(f"-- {line}\n" for line in end.splitlines())
    if path.endswith(".mojo") and end[:1] == "x":
        end = f"alias {end}"
    return (start + end).encode()


def fake(target: Target, inputs: Mapping[str, Value], trees: Mapping[str, Value]) -> dict[str, Value] | None:
    """What a fake action makes, by part: a function of all that it sees but comments. None: it fails."""
    state = hashlib.sha256(json.dumps([target.run, target.params], sort_keys=True).encode())
    for at, (executable, content) in sorted({**inputs, **trees}.items()):
        if FAILS in content:
            return None
        lines = [line for line in content.splitlines() if not line.startswith(COMMENT)]
        state.update(f"{at} {executable} {lines}".encode())
    text = state.hexdigest()
    return {
        output.part: (text[0] < "8" and not output.tree, f"{text} {output.part}".encode()) for output in target.outputs
    }


def locked(pin: Pin) -> bytes:
    """What stands in for a resolved lock."""
    return f"{pin.requirements} {pin.python}\n".encode()


def _resolve(pin: Pin, root: Path, *, downloads: Path) -> None:
    _write(root / pin.path, locked(pin))


def clear(folder: Path) -> None:
    """Remove a folder in which some are read-only, as trees in the store are; it may be gone, and files of SQLite may
    go meanwhile, when a connection is collected."""
    for place, _, _ in os.walk(folder):
        os.chmod(place, 0o755)
    shutil.rmtree(folder, ignore_errors=True)


def damage(entry: Path, other: Path, how: str) -> None:
    """Do something to a file of the store; `other` is one of its kind."""
    entry.parent.chmod(0o755)
    entry.chmod(0o644)
    content = entry.read_bytes()
    match how:
        case "delete":
            entry.unlink()
        case "flip":
            entry.write_bytes(bytes([content[0] ^ 1]) + content[1:] if content else b"!")
        case "cut":
            entry.write_bytes(content[: len(content) // 2])
        case "empty":
            entry.write_bytes(b"")
        case "append":
            entry.write_bytes(content + b"!")
        case "swap":
            other.chmod(0o644)
            entry.write_bytes(other.read_bytes())
            other.write_bytes(content)


def damage_rows(root: Path, how: str, index: int) -> None:
    """Do something to the rows of a trace: 'zero COLUMN', or 'swap COLUMN' with the next row."""
    what, _, column = how.partition(" ")
    trace = Trace(root)
    with contextlib.closing(trace._db) as db:
        rows = db.execute(f"SELECT name, {column} FROM target ORDER BY name").fetchall()
        if len(rows) > 1:
            (one, mine), (other, others) = rows[index % len(rows)], rows[(index + 1) % len(rows)]
            if what == "zero":
                db.execute(f"UPDATE target SET {column} = zeroblob(length({column})) WHERE name = ?", (one,))
            else:
                for value, name in ((others, one), (mine, other)):
                    db.execute(f"UPDATE target SET {column} = ? WHERE name = ?", (value, name))


_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
_entry_points = functools.cache(importlib.metadata.entry_points)


def _value(path: Path) -> Value:
    return bool(path.stat().st_mode & 0o100), path.read_bytes()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _mojo(name: str, version: Mapping[str, str], dependencies: str) -> str:
    return f'[project]\nname = "{name}"\nversion = "{version[name]}"\n[dependencies]\n{dependencies}\n'


def _morloc(name: str, more: str) -> str:
    facts = "version: 0.1.0\nsynopsis: s\ndescription: d\nlicense: MIT\nauthor: a"
    return f"name: {name}\n{facts}\n{more}"


def _project(name: str, version: Mapping[str, str]) -> str:
    return f"""\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "{name}"
version = "{version[name]}"
"""
