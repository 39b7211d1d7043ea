"""The engine against an oracle: random small graphs, random edits, kills and damage; after every step the outputs are
those of a clean build, and nothing ran whose key had been run before.

PACKYARD_ORACLE_STEPS sets how many steps are tried (default 400).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from packyard.tasks import build as building
from packyard.tasks import null, sandbox
from packyard.tasks.action import ingredients, key_of
from packyard.tasks.build import Build
from packyard.tasks.graph import Graph
from packyard.tasks.room import Room
from packyard.tasks.store import Store
from packyard.tasks.target import Output, Source, Target, Use
from packyard.tasks.trace import StoredGraph, Trace

FILES = ("a", "b", "c", "d", "e")
NUMBERS = range(6)
PLACES = ("invoke", "collect", "place", "retire", "commit", "committed")
STEPS_EACH = 20
STEPS = int(os.environ.get("PACKYARD_ORACLE_STEPS", "400"))

files = st.sampled_from(FILES)
numbers = st.sampled_from(NUMBERS)
contents = st.sampled_from(["", "1", "2", "12", "21", "x" * 3000])


class Killed(BaseException):
    """The process ends here."""


@dataclass(frozen=True)
class Spec:
    """A target of the model: what from, and how. With `cut` most edits of its inputs do not change its output."""

    files: frozenset[str] = frozenset()
    uses: frozenset[int] = frozenset()
    level: int = 0
    version: int = 0
    cut: bool = False
    kept: bool = True

    def artifact(self, number: int) -> str | None:
        return f"dist/{number}-{self.version}.out" if self.kept else None


specs = st.builds(
    Spec, files=st.frozensets(files, min_size=1, max_size=3), uses=st.frozensets(numbers, max_size=2),
    level=st.integers(0, 1), version=st.integers(0, 1), cut=st.booleans(), kept=st.sampled_from([True, True, False]),
)  # fmt: skip


def result(spec: Spec, inputs: dict[str, tuple[bool, str]]) -> str:
    """What a target makes of its inputs: in the model and in the action."""
    lines = [f"{name} {executable} {text}" for name, (executable, text) in sorted(inputs.items())]
    return str(sum(map(len, lines)) % 2) if spec.cut else "\n".join([str(spec.level), *lines])


def make(room: Room) -> None:
    """The action."""
    spec = Spec(level=room.params["level"], cut=room.params["cut"])
    inputs = {path.name: (bool(path.stat().st_mode & 0o100), path.read_text()) for path in room.inputs.iterdir()}
    (room.outputs / "out").write_text(result(spec, inputs))


class Oracle(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        fast = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = Path(tempfile.mkdtemp(dir=fast))
        self.root = self.folder / "work"
        (self.root / "dist").mkdir(parents=True)
        (self.folder / "rooms").mkdir()
        self.files: dict[str, tuple[bool, str]] = {}
        self.specs: dict[int, Spec] = {}
        self.run_keys: set[str] = set()  # of actions whose results the store holds
        self.ran: list[str] = []
        self.expected: dict[str, str] = {}
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(sandbox, "base", lambda: self.folder / "rooms")
        self.patch.setattr(building, "invoke", lambda run, room: make(room))

    def teardown(self) -> None:
        self.patch.undo()
        shutil.rmtree(self.folder)

    # the world -----------------------------------------------------------------------------------------------

    @initialize(texts=st.lists(contents, min_size=5, max_size=5), made=st.lists(specs, min_size=6, max_size=6))
    def start(self, texts: list[str], made: list[Spec]) -> None:
        for name, text in zip(FILES, texts):
            self.write(name, text)
        for number, spec in enumerate(made):
            self.declare(number, spec)

    @rule(name=files, text=contents)
    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)
        self.files[name] = (self.files.get(name, (False, ""))[0], text)

    @rule(name=files, text=contents)
    def write_with_time_put_back(self, name: str, text: str) -> None:
        if name in self.files:
            found = (self.root / name).stat()
            self.write(name, text)
            os.utime(self.root / name, ns=(found.st_atime_ns, found.st_mtime_ns))

    @rule(name=files, text=contents)
    def replace_by_rename(self, name: str, text: str) -> None:
        (self.root / "new").write_text(text)
        (self.root / "new").rename(self.root / name)
        self.files[name] = (False, text)

    @rule(name=files)
    def delete(self, name: str) -> None:
        if self.files.pop(name, None):
            (self.root / name).unlink()

    @rule(one=files, other=files)
    def swap(self, one: str, other: str) -> None:
        if one in self.files and other in self.files and one != other:
            for source, target in ((one, "new"), (other, one), ("new", other)):
                (self.root / source).rename(self.root / target)
            self.files[one], self.files[other] = self.files[other], self.files[one]

    @rule(name=files, executable=st.booleans())
    def chmod(self, name: str, executable: bool) -> None:
        if name in self.files:
            (self.root / name).chmod(0o700 if executable else 0o600)
            self.files[name] = (executable, self.files[name][1])

    @rule(name=files, when=st.sampled_from([None, (1, 1), (4_000_000_000, 4_000_000_000)]))
    def touch(self, name: str, when: tuple[int, int] | None) -> None:
        if name in self.files:
            os.utime(self.root / name, when)

    @rule(number=numbers, spec=specs)
    def declare(self, number: int, spec: Spec) -> None:
        # Uses only of lower numbers, so that there is no cycle.
        self.specs[number] = replace(
            spec, uses=frozenset(use for use in spec.uses if use < number and use in self.specs)
        )

    @rule(number=numbers)
    def undeclare(self, number: int) -> None:
        self.specs.pop(number, None)
        for other, spec in self.specs.items():
            self.specs[other] = replace(spec, uses=spec.uses - {number})

    @rule(
        index=st.integers(0, 5),
        how=st.sampled_from(["delete", "append", "zero", "executable", "empty"]),
        put_back=st.booleans(),
    )
    def damage_artifact(self, index: int, how: str, put_back: bool) -> None:
        artifacts = sorted((self.root / "dist").iterdir())
        if not artifacts:
            return
        place = artifacts[index % len(artifacts)]
        found = place.stat()
        damages: dict[str, Callable[[Path], object]] = {
            "delete": Path.unlink,
            "append": lambda path: path.write_text(path.read_text() + "!"),
            "zero": lambda path: path.write_bytes(bytes(found.st_size)),
            "executable": lambda path: path.chmod(0o755),
            "empty": lambda path: path.write_text(""),
        }
        damages[how](place)
        if put_back and how != "delete":
            os.utime(place, ns=(found.st_atime_ns, found.st_mtime_ns))

    @rule(index=st.integers(0, 50), how=st.sampled_from(["delete", "alter", "all"]))
    def damage_store(self, index: int, how: str) -> None:
        blobs = sorted(path for path in (self.folder / "store").rglob("blob/*/*") if path.is_file())
        if how == "all":
            shutil.rmtree(self.folder / "store", ignore_errors=True)
        elif blobs:
            path = blobs[index % len(blobs)]
            path.chmod(0o644)
            path.unlink() if how == "delete" else path.write_bytes(path.read_bytes() + b"!")
        self.run_keys.clear()

    @rule(how=st.sampled_from(["delete", "tear", "zero looks"]))
    def damage_trace(self, how: str) -> None:
        place = self.root / ".packyard" / "trace.sqlite"
        if not place.exists():
            return
        if how == "delete":
            place.unlink()
        elif how == "tear":
            place.write_bytes(place.read_bytes()[:6000])
        else:
            trace = Trace(self.root)
            trace._db.execute("UPDATE target SET looks = zeroblob(length(looks))")
            trace.close()

    # builds --------------------------------------------------------------------------------------------------

    @rule(name=files, text=contents)
    def write_and_build(self, name: str, text: str) -> None:
        self.write(name, text)
        self._run(sorted(self.specs))

    @rule(index=st.integers(0, 5), how=st.sampled_from(["append", "zero", "executable"]), put_back=st.booleans())
    def damage_and_build(self, index: int, how: str, put_back: bool) -> None:
        self.damage_artifact(index, how, put_back)
        self._run(sorted(self.specs))

    @rule()
    def build_all(self) -> None:
        done = self._run(sorted(self.specs))
        if "failed" not in done.values():
            trace = Trace(self.root)
            assert trace.stale(f"x:{number}" for number in self.specs) == []
            assert trace.orphans() == {}
            trace.close()
            kept = {
                str(spec.artifact(number)).removeprefix("dist/") for number, spec in self.specs.items() if spec.kept
            }
            ours = {path.name for path in (self.root / "dist").iterdir()}
            assert kept <= ours
            again = self._run(sorted(self.specs))
            assert set(again.values()) <= {"fresh"}

    @rule(chosen=st.frozensets(numbers, min_size=1))
    def build_some(self, chosen: frozenset[int]) -> None:
        self._run(sorted(chosen & set(self.specs)))

    @rule(place=st.sampled_from(PLACES), count=st.integers(1, 4))
    def build_killed(self, place: str, count: int) -> None:
        left = count

        def crossing() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed

        with pytest.MonkeyPatch.context() as patch:
            _at(patch, place, crossing)
            try:
                self._run(sorted(self.specs))
            except Killed:
                self.build.trace.close()

    def _run(self, chosen: list[int]) -> dict[str, str]:
        """One run as the front door makes it; how each target came out. Every success is compared with the model."""
        graph = Graph({f"x:{number}": self._target(number) for number in self._order()})
        trace = Trace(self.root)
        stored = StoredGraph(
            identity=null.identity((), "salt"), variables=(), needed=len(graph.targets), looks={}, text=graph.text()
        )
        trace.keep_graph(stored, dict.fromkeys(graph.targets, True))
        self.build = build = Build(self.root, graph, trace, lambda: Store(self.folder / "store"), lambda text: None)
        names = [f"x:{number}" for number in chosen]
        vouched = null.fresh_targets(str(self.root), graph.closure(names)) is not None
        build.plan(names)
        done: dict[str, str] = {}
        for name in graph.closure(names):
            target = graph.targets[name]
            if any(done[other] in ("failed", "blocked") for other in target.dependencies):
                done[name] = "blocked"
                continue
            fresh = build.judge(name).state == "fresh"
            done[name] = "fresh" if fresh else build.make(name).how
            self._check(build, name, done[name])
        assert not vouched or set(done.values()) <= {"fresh"}, "the null path vouched for what was not fresh"
        build.settle()
        if len(chosen) == len(self.specs) and not {"failed", "blocked"} & set(done.values()):
            build.clean_orphans()
        trace.close()
        return done

    def _check(self, build: Build, name: str, how: str) -> None:
        number = int(name[2:])
        wanted = self._wanted(number)
        assert (wanted is None) == (how == "failed"), build.outcomes.get(name)
        if wanted is None:
            return
        artifact = self.specs[number].artifact(number)
        if artifact is not None:
            assert (self.root / artifact).read_text() == wanted
            assert (self.root / artifact).stat().st_mode & 0o777 == 0o644
        target = build.graph.targets[name]
        key = key_of(ingredients(target, build._sources(target), build._uses(target)))
        if how == "ran":
            assert key not in self.run_keys, f"{name} ran again with the same key"
        if how != "fresh":  # what was made in an earlier life of the store may be gone from it
            self.run_keys.add(key)

    def _wanted(self, number: int) -> str | None:
        """What a clean build makes, None when it cannot."""
        spec = self.specs[number]
        if not spec.files <= set(self.files):
            return None
        inputs = {name: self.files[name] for name in spec.files}
        for use in spec.uses:
            text = self._wanted(use)
            if text is None:
                return None
            inputs[f"{use}.out"] = (False, text)
        return result(spec, inputs)

    def _order(self) -> list[int]:
        return sorted(self.specs)

    def _target(self, number: int) -> Target:
        spec = self.specs[number]
        return Target(
            name=f"x:{number}", doc="", place="packyard.toml", run="oracle:make",
            params={"level": spec.level, "cut": spec.cut, "number": number},
            sources=tuple(Source(path=name, at=name) for name in sorted(spec.files)),
            uses=tuple(Use(target=f"x:{use}", at=f"{use}.out") for use in sorted(spec.uses)),
            outputs=(Output(at="out", artifact=spec.artifact(number)),),
            final=True,
        )  # fmt: skip

    @invariant()
    def nothing_half_written_is_left(self) -> None:
        for path in (self.root / "dist").iterdir():
            assert path.name.endswith(".out")


def _at(patch: pytest.MonkeyPatch, place: str, crossing: Callable[[], None]) -> None:
    """Call `crossing` each time that a build comes by this place."""
    owner, name = {
        "invoke": (building, "invoke"), "collect": (sandbox, "collect"), "place": (Build, "_write"),
        "retire": (Build, "_retire"), "commit": (Trace, "commit"), "committed": (Trace, "commit"),
    }[place]  # fmt: skip
    real = getattr(owner, name)

    def passing(*how: object, **more: object) -> object:
        if place != "committed":
            crossing()
        found = real(*how, **more)
        if place == "committed":
            crossing()
        return found

    patch.setattr(owner, name, passing)


Oracle.TestCase.settings = settings(
    max_examples=max(1, STEPS // STEPS_EACH),
    stateful_step_count=STEPS_EACH,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
TestOracle = Oracle.TestCase
