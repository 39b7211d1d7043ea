"""The engine against an oracle: random workspaces, random edits, damage and kills; after every build the outputs are
those of a clean build, and nothing ran whose key had been run before.

PACKYARD_ORACLE_STEPS sets how many steps are tried; 12,000 are the whole set. A failure is made short and printed as a
script; put into tests/e2e/scripts/ it stays a test.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from packyard.tasks.engine.build import verdict
from packyard.tasks.engine.build.build import Build
from packyard.tasks.engine.execute import sandbox
from packyard.tasks.engine.store import intake, store
from packyard.tasks.engine.store.store import Store
from packyard.tasks.engine.trace import record, trace
from packyard.tasks.engine.trace.trace import Trace
from packyard.tasks.workspace import memo

from tests.e2e import script
from tests.e2e.world import Counts
from tests.share import SEED, amount

STEPS = amount("PACKYARD_ORACLE_STEPS", 12_000)
SHARDS, STEPS_EACH = 5, 100
SAID = {
    "steps": "steps",
    "edits": "edits, and damage to artifacts, store and trace",
    "damages": "of them damage",
    "builds": "builds compared with what a clean build makes",
    "clean": "of them also with a clean build of the engine's own",
    "failed": "of them failed as they had to",
    "refused": "of them refused a workspace that was wrong",
    "ran": "actions ran",
    "kills": "builds killed or interrupted",
}
SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.txt"))


@pytest.mark.share
@pytest.mark.parametrize("shard", range(SHARDS))
def test_random_steps_give_what_a_clean_build_gives(shard, tally):
    counts = Counts()
    for start in range(shard * STEPS_EACH, STEPS, SHARDS * STEPS_EACH):
        seed = SEED + start // STEPS_EACH
        steps = script.draw(random.Random(seed), min(STEPS_EACH, STEPS - start))
        try:
            script.play(steps, counts)
        except Exception as error:
            short = script.write(script.shorten(steps, script.fails))
            pytest.fail(f"seed {seed}: {error}\n\nkeep this as tests/e2e/scripts/NAME.txt:\n{short}")
    for name, what in SAID.items():
        tally(f"oracle: {what}", getattr(counts, name))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script_that_failed_once_passes(path):
    script.play(script.read(path.read_text()), Counts())


class _EqualToAll:
    def __ne__(self, other: object) -> bool:
        return False


def _unread(reading, target, copy=sandbox._copy):
    copy(reading, target)
    return _EqualToAll()


def _unchecked(self, digest, target, *, executable=False):
    intake.copy_file(self._blob(digest), target)
    target.chmod(0o755 if executable else 0o644)


def _without_dependents(self, name, made, looks, *, commit=Trace.commit, **more):
    commit(self, name, made, looks, **more | {"dependents": ()})


BROKEN: dict[str, tuple[object, str, object]] = {
    "times-put-back": (memo, "pack_stat", lambda found: (found.st_size, found.st_mtime_ns, 0, found.st_ino)),
    "mode-changed": (memo.Look, "entry", property(lambda look: f"- {look.digest.hex()}")),
    "artifact-altered": (verdict, "_altered", lambda record, artifacts: iter(())),
    "blob-altered": (Store, "copy_out", _unchecked),
    "result-swapped": (store, "_sum", lambda key, values: ""),
    "graph-altered": (trace, "_checksum", lambda text: b"1234"),
    "record-swapped": (record, "_sum", lambda name, body: "00000000"),
    "dependents-settle": (Trace, "commit", _without_dependents),
    "written-while-building": (sandbox, "_copy", _unread),
    "target-gone": (Build, "clean_orphans", lambda self: None),
    "version-gone": (Trace, "optional", lambda self: {}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_oracle_sees_that_an_engine_is_broken(name, monkeypatch):
    """An engine that lacks one precaution fails the script that was kept for it."""
    steps = script.read((Path(__file__).parent / f"scripts/{name}.txt").read_text())
    monkeypatch.setattr(*BROKEN[name])
    assert script.fails(steps)


def test_failure_shrinks_to_the_steps_that_matter(monkeypatch):
    """A broken engine is found by chance, and its script made short, without help."""
    monkeypatch.setattr(verdict, "_altered", lambda record, artifacts: iter(()))
    steps = next(steps for steps in _drawn() if script.fails(steps))
    short = script.shorten(steps, script.fails)
    assert len(short) <= 4
    assert {step[0] for step in short} >= {"damage_artifact"}
    assert script.read(script.write(short)) == short
    monkeypatch.undo()
    assert not script.fails(short)


def _drawn() -> Iterator[list[script.Step]]:
    return (script.draw(random.Random(seed), 20) for seed in range(50))


def test_shorten_keeps_what_is_needed_in_order():
    steps = [(str(number),) for number in range(100)]

    def needs(*wanted: str) -> Callable[[object], bool]:
        return lambda found: [step[0] for step in found if step[0] in wanted] == list(wanted)

    assert script.shorten(steps, needs("3", "41", "97")) == [("3",), ("41",), ("97",)]
    assert script.shorten(steps, needs()) == []


def test_real_command_gives_what_a_clean_build_gives(space, tally):
    """A part of all this by the installed command and with real actions alone, beside clean builds of the command."""
    chance = random.Random(SEED)
    paths = ("src/a.txt", "src/deep/b.txt", "README.md", "LICENSE")
    for number in range(8):
        path = chance.choice(paths)
        match chance.randrange(4):
            case 0:
                space.append(path, f"{number}\n")
            case 1:
                (space.root / path).chmod(chance.choice((0o644, 0o755)))
            case 2:
                os.utime(space.root / path, (number, number))
            case 3:
                space.write(f"src/{number}.txt", "more\n")
        if chance.random() < 0.3 and space.files("dist"):
            space.write(chance.choice(sorted(space.files("dist"))), "damaged")
        space.packyard(*chance.choice(((), ("-n", "1"), ("archive:outer",))))
        clean = space.beside(f"clean-{number}", PACKYARD_CACHE_DIR=str(space.home / f"clean-{number}"))
        clean.packyard()
        assert space.files("dist") == clean.files("dist")
        tally("oracle: builds by the real command compared", 1)
