"""Upkeep of a store: counting, collecting by last use, checking every byte, and never beside a build."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from packyard.tasks.engine.store import upkeep
from packyard.tasks.engine.store.key import key_of
from packyard.tasks.engine.store.runs import Run, remember
from packyard.tasks.engine.store.store import Result, Store
from packyard.tasks.engine.store.upkeep import Checked, Removed
from packyard.tasks.errors import ActionError
from packyard.tasks.target.target import Made

from tests.readonly import open_up

Keep = Callable[..., Result]
SIZE = 10_000


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def keep(store: Store, tmp_path: Path) -> Keep:
    """Stores the result of an action: a blob of SIZE bytes for each text, last used at that second."""

    def keep(key: str, *texts: str, at: int) -> Result:
        outputs = {}
        for text in texts:
            source = tmp_path / "source"
            source.write_text(text.ljust(SIZE))
            outputs[text] = store.put(source)
        result = Result(outputs=outputs, seconds=1.0, log=store.put_bytes(b"log of " + key.encode()))
        store.keep(key * 32, result)
        for path in [entry(store, "result", key * 32), *(blob(store, made) for made in outputs.values())]:
            os.utime(path, (at, at))
        os.utime(entry(store, "blob", result.log), (at, at))
        return result

    return keep


def entry(store: Store, kind: str, name: str) -> Path:
    return store.folder / kind / name[:2] / name[2:]


def blob(store: Store, made: Made) -> Path:
    return entry(store, "blob", made.digest)


def known(store: Store, *keys: str) -> list[str]:
    return [key for key in keys if store.result(key * 32)]


def test_census_counts_everything(store: Store, keep: Keep, tmp_path: Path) -> None:
    keep("ab", "one", "two", at=2_000)
    keep("cd", "two", at=3_000)
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/file").write_bytes(b"x" * 100)
    store.trees.put(tmp_path / "tree")
    found = upkeep.census(store)
    assert (found.results, found.blobs, found.trees, found.oldest) == (2, 5, 1, 2_000)
    assert found.size == sum(p.stat().st_size for p in store.folder.rglob("*") if p.is_file())


def test_census_of_an_empty_store_is_nothing(store: Store) -> None:
    assert upkeep.census(store) == upkeep.Census(results=0, blobs=0, trees=0, size=0, oldest=0)


def test_collect_removes_what_was_not_used_for_longest(store: Store, keep: Keep) -> None:
    for at, key in enumerate(("ab", "cd", "ef"), 1_000):
        keep(key, key, at=at)
    removed = upkeep.collect(store, 2 * SIZE + 2_000)
    assert (removed.results, removed.blobs, removed.trees) == (1, 2, 0)
    assert removed.left == upkeep.census(store).size <= 2 * SIZE + 2_000
    assert known(store, "ab", "cd", "ef") == ["cd", "ef"]


def test_collect_goes_by_use_and_not_by_age(store: Store, keep: Keep, tmp_path: Path) -> None:
    keep("ab", "old", at=1_000)
    keep("cd", "young", at=2_000)
    assert store.result("ab" * 32) is not None  # a build restores it
    upkeep.collect(store, SIZE + 1_000)
    assert known(store, "ab", "cd") == ["ab"]


def test_collect_counts_the_use_of_an_artifact_as_an_input(store: Store, keep: Keep, tmp_path: Path) -> None:
    wheel = keep("ab", "old", at=1_000).outputs["old"]
    keep("cd", "young", at=2_000)
    store.copy_out(wheel.digest, tmp_path / "staged")
    upkeep.collect(store, SIZE + 1_000)
    assert known(store, "ab", "cd") == ["ab"]


def test_collect_keeps_blobs_that_another_result_names(store: Store, keep: Keep) -> None:
    keep("ab", "shared", "own", at=1_000)
    shared = keep("cd", "shared", at=2_000).outputs["shared"]
    upkeep.collect(store, 2 * SIZE - 1)
    assert known(store, "ab", "cd") == ["cd"]
    assert store.has(shared.digest)


def test_collect_removes_what_no_result_names_first(store: Store, keep: Keep) -> None:
    keep("ab", "one", at=1_000)
    left = store.put_bytes(b"x" * SIZE)
    upkeep.collect(store, SIZE + 1_000)
    assert known(store, "ab") == ["ab"]
    assert not store.has(left)


def test_collect_below_the_limit_removes_nothing(store: Store, keep: Keep) -> None:
    keep("ab", "one", at=1_000)
    removed = upkeep.collect(store, 10 * SIZE)
    assert removed == Removed(results=0, blobs=0, trees=0, freed=0, left=upkeep.census(store).size)


def test_collect_removes_torn_results(store: Store, keep: Keep) -> None:
    keep("ab", "one", at=3_000)
    torn = entry(store, "result", "cd" * 32)
    torn.parent.mkdir(parents=True, exist_ok=True)
    torn.write_text("{" * 5_000)
    os.utime(torn, (1_000, 1_000))
    upkeep.collect(store, SIZE + 1_000)
    assert not torn.exists()
    assert known(store, "ab") == ["ab"]


def test_run_goes_with_its_result(store: Store, keep: Keep) -> None:
    for at, key in enumerate(("ab", "cd"), 1_000):
        keep(key, key, at=at)
        remember(store, "archive:a", Run(key=key * 32, at=at, where="/w", ingredients={"inputs": {}}))
    before = upkeep.census(store).size
    removed = upkeep.collect(store, before - 1)
    assert (removed.results, removed.blobs) == (1, 2)
    assert [path.name for path in (store.folder / "run/archive:a").iterdir()] == ["cd" * 32]
    assert before - removed.freed == removed.left == upkeep.census(store).size
    upkeep.clear(store)
    assert list((store.folder / "run").iterdir()) == []


def test_run_without_a_result_goes_first(store: Store, keep: Keep) -> None:
    keep("ab", "one", at=1_000)
    remember(store, "archive:a", Run(key="cd" * 32, at=2_000, where="/w", ingredients={"inputs": {}}))
    removed = upkeep.collect(store, upkeep.census(store).size - 1)
    assert (removed.results, known(store, "ab")) == (0, ["ab"])
    assert list((store.folder / "run").iterdir()) == []


def test_entry_that_cannot_be_removed_is_said(store: Store, keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    keep("ab", "one", at=1_000)

    def refuse(path: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(os, "unlink", refuse)
    with pytest.raises(ActionError) as caught:
        upkeep.clear(store)
    assert str(caught.value) == f"{entry(store, 'result', 'ab' * 32)}: cannot be removed: Permission denied"


def test_clear_leaves_an_empty_store(store: Store, keep: Keep, tmp_path: Path) -> None:
    keep("ab", "one", at=1_000)
    (tmp_path / "tree/bin").mkdir(parents=True)
    (tmp_path / "tree/bin/tool").write_bytes(b"#!/bin/sh\n")
    store.trees.put(tmp_path / "tree")
    removed = upkeep.clear(store)
    assert (removed.results, removed.blobs, removed.trees, removed.left) == (1, 3, 1, 0)
    assert upkeep.census(store).size == 0


@pytest.mark.parametrize("remove", [upkeep.clear, lambda store: upkeep.collect(store, 1)])
def test_collect_beside_a_build_gives_up(store: Store, keep: Keep, remove: Callable[[Store], Removed]) -> None:
    keep("ab", "one", at=1_000)
    building = Store(store.folder.parent)
    building.hold()
    with pytest.raises(ActionError) as caught:
        remove(store)
    assert str(caught.value).startswith("a build is using the store; nothing was removed")
    assert known(store, "ab") == ["ab"]
    building.close()
    assert remove(store).results == 1


def test_two_builds_hold_a_store_at_once(store: Store) -> None:
    other = Store(store.folder.parent)
    store.hold()
    other.hold(lambda: pytest.fail("nobody removes anything"))


def test_verify_of_a_whole_store_finds_nothing(store: Store, keep: Keep) -> None:
    keep("ab", "one", "two", at=1_000)
    assert upkeep.verify(store) == Checked(files=3, size=2 * SIZE + len("log of ab"), damaged=())


def test_verify_removes_a_damaged_blob(store: Store, keep: Keep) -> None:
    made = keep("ab", "one", at=1_000).outputs["one"]
    blob(store, made).chmod(0o644)
    blob(store, made).write_bytes(b"y" * SIZE)
    assert upkeep.verify(store).damaged == (f"blob {made.digest}",)
    assert not store.has(made.digest)
    assert known(store, "ab") == []


def test_verify_removes_a_run_that_was_altered(store: Store) -> None:
    ingredients = {"inputs": {"a": "- 1"}}
    key = key_of(ingredients)
    remember(store, "archive:a", Run(key=key, at=1_000, where="/w", ingredients=ingredients))
    assert upkeep.verify(store).damaged == ()
    run = store.folder / "run/archive:a" / key
    run.chmod(0o644)
    run.write_text(run.read_text().replace("- 1", "- 2"))
    assert upkeep.verify(store).damaged == (f"run archive:a/{key}",)
    assert not run.exists()


def _change(tree: Path) -> None:
    (tree / "bin/tool").chmod(0o644)
    (tree / "bin/tool").write_text("#!/bin/no\n")


def _add(tree: Path) -> None:
    (tree / "bin/more").write_text("")


def _turn(tree: Path) -> None:
    (tree / "bin/link").unlink()
    (tree / "bin/link").symlink_to("elsewhere")


@pytest.mark.parametrize(
    "damage",
    [_change, _add, _turn, lambda tree: (tree / "bin/tool").unlink(), lambda tree: (tree / "bin/tool").chmod(0o444)],
    ids=["content", "addition", "link", "loss", "mode"],
)
def test_verify_removes_a_damaged_tree(store: Store, tmp_path: Path, damage: Callable[[Path], None]) -> None:
    (tmp_path / "tree/bin").mkdir(parents=True)
    (tmp_path / "tree/bin/tool").write_text("#!/bin/sh\n")
    (tmp_path / "tree/bin/tool").chmod(0o755)
    (tmp_path / "tree/bin/link").symlink_to("tool")
    (tmp_path / "tree/a tool").symlink_to("bin/no such tool")
    made = store.trees.put(tmp_path / "tree")
    open_up(store.folder / "tree" / made.digest)
    assert upkeep.verify(store).damaged == ()
    damage(store.folder / "tree" / made.digest)
    assert upkeep.verify(store).damaged == (f"tree {made.digest}",)
    assert not store.holds(made)


def test_downloads_are_counted_checked_and_removed_first(store: Store) -> None:
    store.downloads.mkdir()
    content = b"a wheel"
    good, bad = hashlib.sha256(content).hexdigest(), "0" * 64
    for name in (good, bad):
        (store.downloads / name).write_bytes(content)
    assert upkeep.census(store).downloads == 2
    assert upkeep.verify(store).damaged == (f"download {bad}",)
    store.close()
    before = upkeep.census(store)
    removed = upkeep.collect(store, before.size - 1)
    assert (removed.downloads, removed.results, removed.freed) == (1, 0, len(content))
    assert upkeep.census(store).results == before.results
