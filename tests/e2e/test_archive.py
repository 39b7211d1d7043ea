"""The engine as users meet it, on archives alone: what runs again, what is restored, what is said."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
import zipfile
from pathlib import Path

import pytest

INNER, OUTER = "dist/inner-0.1.0.tar.gz", "dist/outer-0.2.0.zip"
BOTH = ["archive:inner", "archive:outer"]


# what runs ---------------------------------------------------------------------------------------------------


def test_build_first_makes_everything(space):
    done = space.packyard()
    assert done.ran == BOTH
    assert sorted(space.files("dist")) == [INNER, OUTER]
    with zipfile.ZipFile(space.root / OUTER) as archive:
        assert archive.read("inner-0.1.0.tar.gz") == space.read(INNER)
    assert f"made     {INNER}" in done.out
    assert "2 ran in " in done.out


def test_build_again_does_nothing(built):
    built.expect_nothing()
    assert built.doit().out.startswith("nothing to do: 2 targets are fresh")


def test_build_by_doit_gives_the_same(space):
    other = space.beside("other", PACKYARD_CACHE_DIR=str(space.home / "cache2"))
    assert space.packyard().ran == other.doit().ran == BOTH
    assert space.files("dist") == other.files("dist")
    space.append("src/a.txt", "more\n")
    other.append("src/a.txt", "more\n")
    assert other.packyard("-n", "1").ran == space.doit("-n", "1").ran == BOTH
    assert space.files("dist") == other.files("dist")


def test_build_after_touching_everything_does_nothing(built):
    for path in built.root.rglob("*"):
        if ".packyard" not in path.parts:
            os.utime(path)
    assert built.packyard().out.startswith("nothing to do")
    time.sleep(0.03)
    built.packyard()
    built.expect_nothing()


@pytest.mark.parametrize(
    ("path", "made"),
    [("src/a.txt", BOTH), ("src/deep/b.txt", BOTH), ("README.md", BOTH), ("LICENSE", ["archive:outer"])],
)
def test_build_after_edit_runs_what_depends_on_it(built, path, made):
    built.append(path, "edited\n")
    assert built.packyard().ran == made
    built.expect_nothing()


@pytest.mark.parametrize(
    ("change", "made"),
    [
        (lambda space: space.write("src/new.txt", "new\n"), BOTH),
        (lambda space: space.remove("src/deep"), BOTH),
        (lambda space: (space.root / "src/a.txt").rename(space.root / "src/z.txt"), BOTH),
        (lambda space: (space.root / "src/a.txt").chmod(0o755), BOTH),
        (lambda space: space.write("src/.packyard/x", "left out"), []),
        (lambda space: space.write("notes.txt", "of nobody"), []),
    ],
    ids=["added", "folder gone", "renamed", "executable", "skipped folder", "unused"],
)
def test_build_after_change_of_files_runs_what_depends_on_them(built, change, made):
    change(built)
    assert built.packyard().ran == made
    built.expect_nothing()


def test_build_after_edit_undone_restores(built):
    before = built.files("dist")
    built.write("src/a.txt", "other\n")
    built.packyard()
    built.write("src/a.txt", "a\n")
    done = built.packyard()
    assert (done.ran, done.restored) == ([], BOTH)
    assert built.files("dist") == before
    built.expect_nothing()


def test_build_after_undo_without_a_build_does_nothing(built):
    built.write("src/a.txt", "other\n")
    built.write("src/a.txt", "a\n")
    assert built.packyard().out.startswith("nothing to do")


def test_build_after_manifest_edit_runs_what_became_different(built):
    built.append("packyard.toml", "# a comment\n")
    assert built.packyard().out.startswith("nothing to do")
    built.replace("packyard.toml", '["src", "README.md"]', '["src", "README.md", "src/a.txt"]')
    assert built.packyard().out.startswith("nothing to do")
    built.replace("packyard.toml", '"src/a.txt"]', '"src/a.txt"]\nexclude = ["src/deep"]')
    assert built.packyard().ran == BOTH


def test_build_after_changed_parameter_runs(built):
    built.replace("packyard.toml", 'format = "zip"', 'format = "zip"\nprefix = "top"')
    assert built.packyard().ran == ["archive:outer"]
    with zipfile.ZipFile(built.root / OUTER) as archive:
        assert archive.namelist() == ["top/LICENSE", "top/inner-0.1.0.tar.gz"]


def test_build_after_same_size_edit_with_time_put_back_runs(built):
    place = built.root / "src/a.txt"
    found = place.stat()
    built.write("src/a.txt", "b\n")
    os.utime(place, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert place.stat().st_size == found.st_size
    assert built.packyard().ran == BOTH


def test_build_after_edit_at_once_runs(space):
    """The second edit may fall into the same tick of the clock as the look of the build before."""
    for letter in "bcde":
        space.write("src/a.txt", f"{letter}\n")
        assert space.packyard().ran == BOTH
        assert space.packyard().ran == []


def test_build_with_file_of_the_future_is_remembered(space):
    space.write("src/a.txt", "a\n")
    os.utime(space.root / "src/a.txt", (4102444800, 4102444800))
    time.sleep(0.03)
    space.packyard()
    space.expect_nothing()
    space.write("src/a.txt", "b\n")
    assert space.packyard().ran == BOTH


def test_build_of_one_target_makes_only_its_own(space):
    assert space.packyard("archive:inner").ran == ["archive:inner"]
    assert sorted(space.files("dist")) == [INNER]
    assert space.packyard("archive:inner").out.startswith("nothing to do: 1 targets")
    assert space.packyard(OUTER).ran == ["archive:outer"]


def test_build_with_four_jobs_under_doit(space):
    assert space.doit("-n", "4").ran == BOTH
    assert space.doit("-n", "4", "archive:outer").ran == []


def test_build_always_under_doit_restores(built):
    done = built.doit("-a")
    assert (done.ran, done.restored) == ([], BOTH)
    built.append("src/a.txt", "more\n")
    assert built.doit("-a").ran == BOTH


def test_build_by_processes_under_doit_is_refused(space):
    done = space.doit("-n", "2", "-P", "process", status=2)
    assert "processes cannot share a build; use '-P thread'" in done.out
    assert space.files("dist") == {}


def test_clean_removes_artifacts_and_build_restores(built):
    before = built.files("dist")
    built.packyard("clean")
    assert built.files("dist") == {}
    assert built.packyard().restored == BOTH
    built.doit("clean", "archive:outer")
    assert sorted(built.files("dist")) == [INNER]
    assert built.packyard().restored == ["archive:outer"]
    assert built.files("dist") == before


def test_clean_keeps_what_was_not_made_here(built):
    built.write(INNER, "mine\n")
    (built.root / "dist/outer-0.2.0.zip").touch()
    assert f"keeping {INNER}: it is not what Packyard made\n" in built.packyard("clean", "-n").out
    done = built.packyard("clean")
    assert f"keeping {INNER}: it is not what Packyard made\n" in done.out
    assert "removing dist/outer-0.2.0.zip\n" in done.out
    assert built.files("dist") == {INNER: b"mine\n"}
    shutil.rmtree(built.root / ".packyard")  # nobody knows any more who made it
    built.write("dist/outer-0.2.0.zip", "mine too\n")
    assert "removing" not in built.doit("clean").out
    assert len(built.files("dist")) == 2


@pytest.mark.parametrize(
    "words", [("list",), ("list", "-s"), ("info", "archive:outer"), ("list", "--sort", "definition"), ("clean", "-n")]
)
def test_question_before_a_build_writes_nothing(space, words):
    space.write("dodo.py", "from packyard.tasks import *\n")
    before = sorted(path for path in space.root.rglob("*") if "__pycache__" not in path.parts)
    space.doit(*words, status=1 if words[0] == "info" else 0)
    space.packyard(*words, status=1 if words[0] == "info" else 0)
    assert sorted(path for path in space.root.rglob("*") if "__pycache__" not in path.parts) == before


def test_question_after_an_edit_writes_nothing(space):
    space.doit()
    space.append("src/a.txt", "edit")
    before = {path: path.read_bytes() for path in space.root.rglob("*") if path.is_file()}
    assert "stale: src/a.txt changed" in space.doit("info", "archive:inner", status=1).out
    assert "waiting: archive:inner is not done" in space.doit("info", "archive:outer", status=1).out
    space.doit("list", "-s")
    assert {path: path.read_bytes() for path in space.root.rglob("*") if path.is_file()} == before


# artifacts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(path.read_bytes() + b"x"),
        lambda path: path.write_bytes(bytes(path.stat().st_size)),
        lambda path: path.write_bytes(b""),
        lambda path: path.chmod(0o755),
        lambda path: (path.unlink(), path.symlink_to("nowhere")),
    ],
    ids=["deleted", "longer", "zeroed", "emptied", "executable", "dangling link"],
)
def test_artifact_damaged_is_restored(built, damage):
    before = built.files("dist")
    damage(built.root / INNER)
    done = built.packyard()
    assert (done.ran, done.restored) == ([], ["archive:inner"])
    assert built.files("dist") == before
    assert (built.root / INNER).stat().st_mode & 0o777 == 0o644
    built.expect_nothing()


def test_artifact_altered_with_size_and_time_put_back_is_restored(built):
    place = built.root / INNER
    found = place.stat()
    content = place.read_bytes()
    place.write_bytes(bytes(len(content)))
    os.utime(place, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert built.packyard().restored == ["archive:inner"]
    assert place.read_bytes() == content


def test_artifact_replaced_by_a_folder_is_said(built):
    built.remove(INNER)
    (built.root / INNER).mkdir()
    done = built.packyard(status=1)
    assert done.failed == ["archive:inner"]
    assert f"{INNER}: cannot be written: Is a directory" in done.out


def test_artifact_of_old_version_is_removed(built):
    built.replace("packyard.toml", '"0.1.0"', '"0.3.0"')
    assert built.packyard().ran == BOTH
    assert sorted(built.files("dist")) == ["dist/inner-0.3.0.tar.gz", OUTER]


def test_artifact_of_old_version_that_was_altered_stays(built):
    built.write(INNER, "mine now")
    built.replace("packyard.toml", '"0.1.0"', '"0.3.0"')
    built.packyard()
    assert sorted(built.files("dist")) == [INNER, "dist/inner-0.3.0.tar.gz", OUTER]


def _without_outer(space) -> None:
    space.write("packyard.toml", space.text("packyard.toml").partition('[[archive]]\nname = "outer"')[0])


def test_artifact_of_target_gone_is_removed_by_a_full_build(built):
    built.write("dist/foreign.zip", "not ours")
    _without_outer(built)
    built.append("packyard.toml", '[[archive]]\nname = "third"\nversion = "1.0.0"\ninclude = ["LICENSE"]\n')
    assert built.packyard("archive:inner").out.startswith("nothing to do")
    assert OUTER in built.files("dist")
    assert f"removed  {OUTER}" in built.packyard().out
    assert sorted(built.files("dist")) == ["dist/foreign.zip", INNER, "dist/third-1.0.0.tar.gz"]
    built.expect_nothing()


def test_artifact_of_target_gone_that_was_altered_stays(built):
    built.write(OUTER, "mine now")
    _without_outer(built)
    built.packyard()
    assert built.read(OUTER) == b"mine now"
    built.expect_nothing()


def test_artifacts_that_swap_their_names_both_arrive(space):
    space.write(
        "packyard.toml",
        '[workspace]\nname = "w"\n'
        '[[archive]]\nname = "one"\nversion = "1.0.0"\ninclude = ["src"]\n'
        '[[archive]]\nname = "two"\nversion = "1.0.0"\ninclude = ["LICENSE"]\n',
    )
    space.packyard()
    one, two = space.read("dist/one-1.0.0.tar.gz"), space.read("dist/two-1.0.0.tar.gz")
    text = space.text("packyard.toml")
    space.write("packyard.toml", text.replace('"one"', '"x"').replace('"two"', '"one"').replace('"x"', '"two"'))
    space.packyard()
    assert (space.read("dist/one-1.0.0.tar.gz"), space.read("dist/two-1.0.0.tar.gz")) != (one, two)
    other = space.beside("clean", PACKYARD_CACHE_DIR=str(space.home / "cache2"))
    other.packyard()
    assert other.files("dist") == space.files("dist")


# the same bytes everywhere -----------------------------------------------------------------------------------


def test_clones_in_different_surroundings_are_identical(space):
    (space.root / "src/tool").write_text("#!/bin/sh\n")
    (space.root / "src/tool").chmod(0o755)
    long = "a-folder-with-a-much-longer-name/and-another"
    first = space.beside("c", PACKYARD_CACHE_DIR=str(space.home / "1"), TZ="Asia/Tokyo", PYTHONHASHSEED="1")
    second = space.beside(
        long, PACKYARD_CACHE_DIR=str(space.home / "2"), TZ="America/New_York", LANG="C", PYTHONHASHSEED="2"
    )
    for path in second.root.rglob("*"):
        path.chmod(0o700 if path.is_dir() or path.stat().st_mode & 0o100 else 0o600)
        os.utime(path, (1, 1))
    old = os.umask(0o077)
    try:
        first.packyard()
        os.umask(0)
        second.doit("-n", "2")
    finally:
        os.umask(old)
    assert first.files("dist") == second.files("dist")
    assert {(first.root / path).stat().st_mode for path in first.files("dist")} == {0o100644}


def test_clone_beside_restores_from_the_store(built):
    other = built.beside("other-clone")
    done = other.packyard()
    assert (done.ran, done.restored) == ([], BOTH)
    assert other.files("dist") == built.files("dist")


# the store and the trace -------------------------------------------------------------------------------------


def _blobs(space) -> list[Path]:
    return sorted(path for path in (space.store / "blob").rglob("*") if path.is_file() and path.stat().st_size > 100)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"x" + path.read_bytes()[1:]),
        lambda path: path.write_bytes(path.read_bytes()[:50]),
        lambda path: path.write_bytes(b""),
        lambda path: path.unlink(),
    ],
    ids=["altered", "truncated", "emptied", "gone"],
)
def test_store_entry_damaged_is_made_again(built, damage):
    before = built.files("dist")
    for path in _blobs(built):
        path.chmod(0o644)
        damage(path)
    built.remove("dist")
    done = built.packyard()
    assert done.ran == BOTH
    assert built.files("dist") == before
    built.remove("dist")
    assert built.packyard().restored == BOTH


def test_store_entries_swapped_are_made_again(built):
    before = built.files("dist")
    one, other = _blobs(built)[:2]
    one.rename(one.with_suffix(".x"))
    other.rename(one)
    one.with_suffix(".x").rename(other)
    built.remove("dist")
    assert built.packyard().ran == BOTH
    assert built.files("dist") == before


def test_store_entry_of_an_input_damaged_is_taken_from_dist(built):
    for path in _blobs(built):
        path.chmod(0o644)
        path.write_bytes(b"damaged")
    built.append("LICENSE", "and open\n")
    done = built.packyard()
    assert done.ran == ["archive:outer"]
    assert "archive:inner: stored output is missing or corrupt" in done.out


@pytest.mark.parametrize("content", ["", "{", "[]", '{"outputs": 1}', "\0\0"])
def test_store_result_torn_is_made_again(built, content):
    for path in (built.store / "result").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            path.write_text(content)
    built.remove("dist")
    assert built.packyard().ran == BOTH


def test_store_removed_is_made_again_only_when_needed(built):
    shutil.rmtree(built.store)
    built.expect_nothing()
    built.append("LICENSE", "and open\n")
    assert built.packyard().ran == ["archive:outer"]


def test_store_that_cannot_be_made_is_said(space):
    (space.home / "cache").write_text("a file")
    done = space.packyard(status=1)
    assert "cannot be made" in done.out + done.err


def test_trace_removed_costs_a_restore(built):
    built.remove(".packyard")
    assert built.packyard().restored == BOTH
    built.expect_nothing()


def _trace(space) -> Path:
    return space.root / ".packyard" / "trace.sqlite"


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"this is not a database" * 1000),
        lambda path: path.write_bytes(path.read_bytes()[:5000]),
        lambda path: path.write_bytes(path.read_bytes()[:4096] + bytes(8192) + path.read_bytes()[12288:]),
    ],
    ids=["foreign", "truncated", "zeroed pages"],
)
def test_trace_damaged_is_set_aside_and_said(built, damage):
    damage(_trace(built))
    done = built.packyard()
    assert ".packyard/trace.sqlite: is corrupt" in done.out
    assert "it was set aside as trace.sqlite." in done.out
    assert done.restored == BOTH
    assert len(list(_trace(built).parent.glob("trace.sqlite.*.aside"))) == 1
    built.expect_nothing()


def test_trace_of_newer_version_is_set_aside_and_said(built):
    db = sqlite3.connect(_trace(built))
    db.execute("PRAGMA user_version = 99")
    db.close()
    done = built.packyard()
    assert ".packyard/trace.sqlite: was written by another version (format 99, this is 2)" in done.out
    assert done.restored == BOTH
    built.expect_nothing()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE target SET record = 'torn'",
        "UPDATE target SET record = '{}'",
        "UPDATE target SET record = replace(record, 'digest\":\"', 'digest\":\"00')",
        "UPDATE target SET looks = zeroblob(length(looks))",
        "UPDATE target SET looks = x'00', stats = x'01'",
        "UPDATE target SET paths = x'ff00ff', fresh = 1",
        "UPDATE target SET fresh = 0",
        "UPDATE graphtext SET text = '{}'; UPDATE graph SET stats = zeroblob(length(stats))",
        "UPDATE graphtext SET text = ''; UPDATE graph SET paths = ''",
        "UPDATE graph SET answers = x'', stats = zeroblob(length(stats))",
        "UPDATE graph SET stats = x'00'",
        "DELETE FROM graph",
    ],
)
def test_trace_with_wrong_rows_is_not_believed(built, statement):
    before = built.files("dist")
    db = sqlite3.connect(_trace(built))
    db.executescript(statement)
    db.close()
    built.append("LICENSE", "")
    assert built.packyard().ran == []
    assert built.files("dist") == before
    built.packyard()
    built.expect_nothing()


def test_strict_sandbox_gives_the_same_bytes(space):
    if space._run(["sh", "-c", "bwrap --ro-bind / / true && echo yes || true"], 0).out != "yes\n":
        pytest.skip("bubblewrap is not here")
    assert len(space.packyard("--sandbox=strict").ran) == 2
    made = space.files("dist")
    other = space.beside("other", PACKYARD_CACHE_DIR=str(space.home / "other-cache"))
    assert len(other.packyard().ran) == 2
    assert other.files("dist") == made


def test_run_leaves_a_timeline(space):
    space.packyard()
    names = [event["name"] for event in json.loads(space.text(".packyard/trace.json"))["traceEvents"]]
    assert names == ["process_name", "plan", "archive:inner", "archive:outer"]
    space.append("LICENSE", "more\n")
    space.packyard("--profile", "run.json")
    names = [event["name"] for event in json.loads(space.text("run.json"))["traceEvents"]]
    assert names == ["process_name", "plan", "archive:outer"]
