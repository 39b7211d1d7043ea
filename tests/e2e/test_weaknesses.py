"""What doit alone gets wrong, each as a test that passes here; and what else has fooled build tools: environments,
clocks, damaged memories."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import sys
import time
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from packyard.tasks import kinds, nullpath
from packyard.tasks.__main__ import main
from packyard.tasks.engine.build import build as building
from packyard.tasks.engine.build import events
from packyard.tasks.engine.execute import sandbox
from packyard.tasks.target.kinds import Kinds
from packyard.tasks.target.target import Output, Target, Use

from tests.e2e.world import PLACES, Counts, World, clear, damage
from tests.share import drawn

INNER, OUTER = "dist/inner-0.1.0.tar.gz", "dist/outer-0.2.0.zip"


def touch_back(path: Path, then: os.stat_result) -> None:
    os.utime(path, ns=(then.st_atime_ns, then.st_mtime_ns))


# doit --------------------------------------------------------------------------------------------------------


def test_cycle_by_two_paths_is_named_and_ends(space):
    space.write(
        "packyard.toml",
        '[workspace]\nname = "w"\n'
        '[[archive]]\nname = "a"\nversion = "1.0.0"\ninclude = ["archive:b", "archive:c"]\n'
        '[[archive]]\nname = "b"\nversion = "1.0.0"\ninclude = ["archive:c"]\n'
        '[[archive]]\nname = "c"\nversion = "1.0.0"\ninclude = ["archive:b"]\n',
    )
    wanted = "the targets depend on each other in a cycle: archive:b -> archive:c -> archive:b"
    assert wanted in space.packyard(status=1).err
    assert wanted in space.doit("-n", "2", status=3).err


def test_input_of_another_size_with_its_time_put_back_is_seen(built):
    path = built.root / "src/a.txt"
    then = path.stat()
    built.append("src/a.txt", "more\n")
    touch_back(path, then)
    assert built.packyard().ran == ["archive:inner", "archive:outer"]
    built.expect_nothing()


def test_target_overwritten_is_restored(built):
    before, then = built.read(INNER), (built.root / INNER).stat()
    built.write(INNER, bytes(len(before)))
    touch_back(built.root / INNER, then)
    assert built.packyard().restored == ["archive:inner"]
    assert built.read(INNER) == before
    built.expect_nothing()


def test_declaration_of_an_action_edited_runs_it(built):
    built.replace("packyard.toml", 'format = "zip"', 'format = "zip"\nprefix = "top"')
    assert built.packyard().ran == ["archive:outer"]
    built.expect_nothing()


def test_one_file_by_two_names_is_one_input(space):
    space.packyard()
    before = space.files("dist")
    space.replace("packyard.toml", '["src", "README.md"]', '["src", "./src", "src/a.txt", "README.md", "./README.md"]')
    assert space.packyard().failed == []
    assert space.files("dist") == before
    space.expect_nothing()


@pytest.mark.long
def test_chain_of_ten_thousand_is_built_by_doit(tmp_path, monkeypatch, capsys):
    """The whole way of the command but for actions: read, planned, handed to doit, made in order, remembered, fresh."""
    count, made = 10_000, []

    def chain(workspace: object) -> Iterator[Target]:
        for number in range(count):
            uses = (Use(target=f"link:{number - 1}", at="in"),) if number else ()
            yield Target(
                name=f"link:{number}", doc="", place="packyard.toml", run="m:f", outputs=(Output(at="out"),), uses=uses,
                final=number == count - 1,
            )  # fmt: skip

    def make(self: building.Build, name: str) -> events.Outcome:
        made.append(name)
        outcome = self.maker.outcomes[name] = events.Outcome(name=name, how="ran", seconds=0.0)
        return outcome

    (tmp_path / "packyard.toml").write_text('[workspace]\nname = "w"\n')
    monkeypatch.setitem(sys.modules, "chained", types.SimpleNamespace(targets=chain))
    monkeypatch.setattr(kinds, "TABLE", Kinds({"chained": "chained"}))
    monkeypatch.setattr(building.Build, "make", make)
    monkeypatch.setattr(sandbox, "base", lambda: tmp_path)
    monkeypatch.setattr(sys, "argv", ["packyard", "-n", "1"])
    monkeypatch.chdir(tmp_path)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    start = time.process_time()
    assert main() == 0
    assert time.process_time() - start < 60  # quadratic work took minutes
    for number, handler in handlers.items():
        signal.signal(number, handler)
    assert made == [f"link:{number}" for number in range(count)]
    assert f"{count} ran" in capsys.readouterr().out


# environments ------------------------------------------------------------------------------------------------

POISON = {
    "TAR_OPTIONS": "--owner=nobody --mtime=@1",
    "GZIP": "-1",
    "ZIPOPT": "-0",
    "ZIP": "-0",
    "POSIXLY_CORRECT": "1",
    "CC": "false",
    "CFLAGS": "-O0",
    "LDFLAGS": "-s",
    "LD_LIBRARY_PATH": "/nowhere",
    "LD_BIND_NOW": "1",
    "LC_ALL": "tr_TR.UTF-8",
    "LANG": "C",
    "LANGUAGE": "tr",
    "TZ": "Asia/Kathmandu",
    "COLUMNS": "20",
    "TERM": "dumb",
    "PYTHONHASHSEED": "77",
    "PYTHONOPTIMIZE": "2",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUTF8": "0",
    "TMPDIR": "/dev/shm",
    "USER": "somebody",
    "LOGNAME": "somebody",
    "HOSTNAME": "elsewhere",
    "MAIL": "x",
    "EDITOR": "false",
    "PAGER": "false",
    "GIT_DIR": "/nowhere",
    "GIT_CONFIG_GLOBAL": "/nowhere",
    "MODULAR_HOME": "/nowhere",
    "MOJO_PYTHON": "/nowhere",
    "MORLOC_HOME": "/nowhere",
    "VIRTUAL_ENV": "/nowhere",
    "CONDA_PREFIX": "/nowhere",
    "SHELLOPTS_": "x",
    "BASH_ENV": "/nowhere",
    "ENV": "/nowhere",
    "CDPATH": "/",
    "IFS": "x",
    "PS4": "x",
    "MAKEFLAGS": "-j1",
    "NO_COLOR": "1",
    "XDG_DATA_HOME": "/nowhere",
}


def test_poisoned_environment_changes_neither_keys_nor_bytes(built, tally):
    shutil.rmtree(built.home / "cache/elsewhere", ignore_errors=True)
    there = built.beside("poisoned", PACKYARD_CACHE_DIR=str(built.home / "elsewhere"), **POISON)
    there.packyard()
    assert there.files("dist") == built.files("dist")
    same_store = built.beside("same-store", **POISON)
    assert same_store.packyard().restored == ["archive:inner", "archive:outer"]  # the keys are the same
    assert same_store.files("dist") == built.files("dist")
    tally("hermeticity: poisoned variables", len(POISON))


def test_action_sees_none_of_the_poison(tmp_path, monkeypatch):
    """The environment that tools get is the same whatever the caller's is."""
    from packyard.tasks.target.room import Room

    folders = dict.fromkeys(("inputs", "outputs", "scratch", "home"), tmp_path)
    room = Room(**folders, params={}, log=tmp_path / "log")
    before = room.environment()
    for name, value in POISON.items():
        monkeypatch.setenv(name, value)
    assert room.environment() == before
    room.run(["env"])
    seen = dict(line.split("=", 1) for line in room.log.read_text().splitlines() if "=" in line and line[0] != "$")
    assert seen == before


# clocks ------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("faketime"), reason="faketime is not installed")
def test_clock_that_jumps_fools_no_build(built, tally):
    """Back and forth by years between builds and edits, and once at a hundred times its speed."""
    for number, when in enumerate(("-3y", "+3y", "-1d", "+0 x100")):
        jumped = type(built)(
            root=built.root,
            home=built.home,
            env=built.env,
            command=(shutil.which("faketime"), "-f", when, *built.command),
        )
        built.append("src/a.txt", f"{number}\n")
        assert jumped.packyard().ran == ["archive:inner", "archive:outer"]
        path = built.root / "src/a.txt"
        then = path.stat()
        built.replace("src/a.txt", f"{number}\n", "x\n")
        touch_back(path, then)
        assert built.packyard().ran == ["archive:inner", "archive:outer"]
        assert jumped.packyard().out.startswith("nothing to do")
        built.expect_nothing()
        tally("races: clock jumps", 1)


# memories ----------------------------------------------------------------------------------------------------


def test_store_and_trace_of_a_newer_version_are_left_alone(built):
    newer = built.store.parent / "v2/blob/ab"
    newer.mkdir(parents=True)
    (newer / "cd").write_text("newer")
    with contextlib.closing(sqlite3.connect(built.root / ".packyard/trace.sqlite")) as db:
        db.execute("PRAGMA user_version = 99")
    done = built.packyard()
    assert "was written by another version (format 99, this is" in done.out
    assert done.restored == ["archive:inner", "archive:outer"] or done.out.startswith("nothing")
    assert (newer / "cd").read_text() == "newer"
    (aside,) = (built.root / ".packyard").glob("trace.sqlite.*.aside")
    with contextlib.closing(sqlite3.connect(aside)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (99,)
    built.expect_nothing()


HOWS = ("delete", "flip", "cut", "empty", "append", "swap")


@pytest.fixture
def here(built, monkeypatch, tmp_path):
    """That workspace, driven in this process."""
    import doit.plugin

    from tests.e2e.world import _entry_points

    monkeypatch.setattr(doit.plugin, "entry_points_impl", lambda: _entry_points)
    monkeypatch.chdir(built.root)
    for name in nullpath.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name in ("PACKYARD_CACHE_DIR", "PACKYARD_CONFIG_DIR"):
        monkeypatch.setenv(name, built.environment[name])
    (tmp_path / "rooms").mkdir()
    monkeypatch.setattr(sandbox, "base", lambda: tmp_path / "rooms")
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setattr(sys, "argv", ["packyard", "-n", "1"])
    yield built
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.share
@pytest.mark.parametrize("kind", ["blob", "result", "run"])
def test_store_damaged_in_any_way_gives_nothing_wrong(here, capsys, tally, kind):
    before = here.files("dist")
    entries = sorted(path for path in (here.store / kind).rglob("*") if path.is_file())
    assert len(entries) > 1
    kept = here.home / "kept"
    shutil.copytree(here.store, kept)
    for number, how in drawn([(number, how) for number in range(len(entries)) for how in HOWS], kind):
        damage(entries[number], entries[number - 1], how)
        shutil.rmtree(here.root / ".packyard")
        shutil.rmtree(here.root / "dist")
        assert main() == 0, capsys.readouterr().out
        assert here.files("dist") == before, f"{how} {entries[number]}"
        shutil.rmtree(here.store)
        shutil.copytree(kept, here.store)
        tally(f"corruptions: of a {kind} in the store", 1)


@pytest.mark.share
def test_trace_damaged_in_any_row_gives_nothing_wrong(here, capsys, tally):
    place = here.root / ".packyard/trace.sqlite"
    with contextlib.closing(sqlite3.connect(place)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        columns = [
            row[1] for row in db.execute("PRAGMA table_info(target)") if row[1] not in ("name", "fresh", "needed")
        ]
        tables = {
            "target": columns,
            "graph": [row[1] for row in db.execute("PRAGMA table_info(graph)") if row[1] != "id"],
        }
    kept = place.read_bytes()
    here.append("src/a.txt", "edit\n")
    shutil.copytree(here.root, here.home / "clean", ignore=shutil.ignore_patterns(".packyard", "dist"))
    changes = ("zeroblob(length({}))", "substr({}, 1, length({}) / 2)", "substr({}, 2)", "''", "x'ff'")
    cases = [(t, c, change) for t, found in tables.items() for c in found for change in changes]
    cases += [("target", column, "swap") for column in columns]
    wanted = None
    for table, column, change in drawn(cases, "rows"):
        for suffix in ("-wal", "-shm"):
            place.with_name(place.name + suffix).unlink(missing_ok=True)
        place.write_bytes(kept)
        with contextlib.closing(sqlite3.connect(place, isolation_level=None)) as db:
            if change == "swap":
                one, other = db.execute(f"SELECT {column} FROM target ORDER BY name").fetchall()
                db.execute(f"UPDATE target SET {column} = ? WHERE name = 'archive:inner'", other)
                db.execute(f"UPDATE target SET {column} = ? WHERE name = 'archive:outer'", one)
            else:
                db.execute(f"UPDATE {table} SET {column} = {change.format(column, column)}")
        status = main()
        said = capsys.readouterr()
        assert status == 0, f"{table}.{column} {change}: {said.out}{said.err}"
        wanted = wanted or here.files("dist")
        assert here.files("dist") == wanted, f"{table}.{column} {change}"
        tally("corruptions: of rows of the trace", 1)
    clean = type(here)(root=here.home / "clean", home=here.home, env={"PACKYARD_CACHE_DIR": str(here.home / "fresh")})
    clean.packyard()
    assert clean.files("dist") == wanted


@pytest.mark.parametrize("words", [(), ("archive:outer",)], ids=["all", "one"])
def test_trace_that_calls_a_stale_target_fresh_is_not_believed(here, monkeypatch, capsys, tally, words):
    """A build was killed before the outer archive was made again: only its mark tells that it must be."""
    place = here.root / ".packyard/trace.sqlite"
    with contextlib.closing(sqlite3.connect(place, isolation_level=None)) as db:
        kept = db.execute("SELECT fresh FROM target WHERE name = 'archive:inner'").fetchone()
        for mark in (0, 1, -1, 1 << 32, kept[0], kept[0] ^ 1 << 7, kept[0] ^ 1 << 32, "fresh", b"\1"):
            db.execute("UPDATE target SET fresh = ? WHERE name = 'archive:outer'", (mark,))
            assert nullpath.fresh_targets(str(here.root), list(words) or None) is None, mark
            tally("corruptions: of marks in the trace", 1)
        deps = db.execute("SELECT deps FROM target WHERE name = 'archive:outer'").fetchone()
        assert deps == ("archive:inner",)
    monkeypatch.setattr(sys, "argv", ["packyard", *words])
    for _ in range(2):  # the first one may find files as young as the clock's grain
        assert main() == 0
        assert "nothing to do: 2 targets" in capsys.readouterr().out
        time.sleep(0.05)
    looked = nullpath.look(str(here.root), list(words) or None)
    assert (looked.graph, len(looked.fresh), looked.known, looked.needed) == ([], 2, 2, 2)
    here.append("src/a.txt", "edit\n")
    with contextlib.closing(sqlite3.connect(place, isolation_level=None)) as db:  # what it is made from is forgotten
        db.execute("UPDATE target SET deps = '' WHERE name = 'archive:outer'")
    assert nullpath.fresh_targets(str(here.root), ["archive:outer"]) is None


@pytest.mark.share
@pytest.mark.parametrize("what", ["dist", "cache", ".packyard"])
def test_folder_that_vanishes_while_building_does_no_lasting_harm(tally, what):
    """Whatever the build under way makes of it, it says so in words, and the next one is right."""
    for place in drawn(PLACES, what):
        with World(Counts()) as world:
            world.build("1", "archive:kit")
            world.write("data/a.txt", "3")
            folder = world.folder / "cache" if what == "cache" else world.root / what

            def passing(here, place=place, folder=folder):
                if here == place:
                    clear(folder)

            world.hook = passing
            status, said = world._command("1", ())
            world.hook = lambda here: None
            assert status in (0, 1), said
            assert "Traceback" not in said, said
            assert "internal error" not in said, said
            world.keys.clear()
            world.strangers.update(path.name for path in world.dist())
            world.build("1")
            world.build_again("1")
            tally("faults: folders that vanish while building", 1)
