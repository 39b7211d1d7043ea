from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import threading
import time
from pathlib import Path

import pytest
from packyard.tasks.engine.store.blobs import Damaged, full_or
from packyard.tasks.engine.store.store import Result, Store
from packyard.tasks.errors import ActionError
from packyard.tasks.target.target import Made

from tests.readonly import open_up

KEY = "ab" * 32


def blob(store: Store, digest: str) -> Path:
    return store.folder / "blob" / digest[:2] / digest[2:]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(b"content")
    return path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "bin").mkdir(parents=True)
    (folder / "empty").mkdir()
    (folder / "bin/tool").write_text("#!/bin/sh\n")
    (folder / "bin/tool").chmod(0o700)
    (folder / "data").write_text("data\n")
    (folder / "bin/link").symlink_to("../data")
    return folder


# blobs -------------------------------------------------------------------------------------------------------


def test_put_and_copy_out_give_the_same_bytes(store, source, tmp_path):
    made = store.put(source)
    assert made == Made(digest=hashlib.sha256(b"content").hexdigest(), size=7)
    store.copy_out(made.digest, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"content"
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o644
    assert blob(store, made.digest).stat().st_mode & 0o777 == 0o444
    assert list((store.folder / "tmp").iterdir()) == []


def test_file_that_is_taken_is_moved_unless_it_has_another_name(store, source, tmp_path):
    source.chmod(0o755)
    os.utime(source, (0, 0))
    inode = source.stat().st_ino
    made = store.take(source)
    assert made == Made(digest=hashlib.sha256(b"content").hexdigest(), size=7, executable=True)
    assert not source.exists()
    kept = blob(store, made.digest).stat()
    assert (kept.st_ino, kept.st_mode & 0o777) == (inode, 0o444)
    assert time.time() - kept.st_mtime < 60  # it was used just now
    linked = tmp_path / "linked"
    linked.write_bytes(b"more")
    os.link(linked, tmp_path / "other-name")
    made = store.take(linked)
    (tmp_path / "other-name").write_bytes(b"less")
    assert store.read(made.digest) == b"more"
    assert list((store.folder / "tmp").iterdir()) == []


def test_file_on_another_file_system_is_copied(store, source, monkeypatch):
    def refuse(source, target):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "rename", refuse)
    made = store.take(source)
    assert source.exists()
    assert store.read(made.digest) == b"content"


def test_put_of_executable_comes_out_executable(store, source, tmp_path):
    source.chmod(0o700)
    made = store.put(source)
    assert made.executable
    store.copy_out(made.digest, tmp_path / "out", executable=made.executable)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o755


def test_put_bytes_and_read_give_the_same(store):
    assert store.read(store.put_bytes(b"log")) == b"log"


def test_put_bytes_again_replaces_a_damaged_blob(store):
    digest = store.put_bytes(b"log")
    blob(store, digest).chmod(0o644)
    blob(store, digest).write_bytes(b"lag")
    assert store.read(store.put_bytes(b"log")) == b"log"


@pytest.mark.parametrize("content", [b"CONTENT", b"con", b"", b"content and more"])
def test_copy_out_of_damaged_blob_drops_it(store, source, tmp_path, content):
    made = store.put(source)
    blob(store, made.digest).chmod(0o644)
    blob(store, made.digest).write_bytes(content)
    with pytest.raises(Damaged):
        store.copy_out(made.digest, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not store.has(made.digest)


def test_copy_out_of_missing_blob_is_damaged(store, tmp_path):
    with pytest.raises(Damaged):
        store.copy_out("00" * 32, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_read_of_damaged_blob_drops_it(store):
    digest = store.put_bytes(b"log")
    blob(store, digest).chmod(0o644)
    blob(store, digest).write_bytes(b"LOG")
    with pytest.raises(Damaged):
        store.read(digest)
    assert not store.has(digest)


def test_put_again_mends_a_damaged_blob(store, source, tmp_path):
    made = store.put(source)
    blob(store, made.digest).chmod(0o644)
    blob(store, made.digest).write_bytes(b"x")
    store.put(source)
    store.copy_out(made.digest, tmp_path / "out")


def test_put_by_many_threads_at_once(store, source):
    threads = [threading.Thread(target=store.put, args=(source,)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.read(hashlib.sha256(b"content").hexdigest()) == b"content"
    assert list((store.folder / "tmp").iterdir()) == []


# trees -------------------------------------------------------------------------------------------------------


def test_tree_keeps_files_modes_and_links(store, tree):
    made = store.trees.put(tree)
    assert made.tree
    place = store.trees.place(made.digest)
    assert (place / "bin/tool").stat().st_mode & 0o777 == 0o555
    assert (place / "data").stat().st_mode & 0o777 == 0o444
    assert place.stat().st_mode & 0o777 == (place / "bin").stat().st_mode & 0o777 == 0o555
    assert os.readlink(place / "bin/link") == "../data"
    assert (place / "empty").is_dir()
    assert store.trees.put(tree) == made


def test_tree_receipt_tells_of_everything(store, tree):
    receipt = store.read(store.trees.put(tree).digest).decode()
    tool, data = (hashlib.sha256(text).hexdigest() for text in (b"#!/bin/sh\n", b"data\n"))
    assert receipt == (
        f'["l","bin/link","../data"]\n["x","bin/tool",10,"{tool}"]\n["-","data",5,"{data}"]\n["d","empty"]\n'
    )


@pytest.mark.parametrize("goal", ["/etc/passwd", "../outside", "bin/../../outside"])
def test_tree_with_link_out_of_it_is_refused(store, tree, goal):
    (tree / "out").symlink_to(goal)
    with pytest.raises(ActionError, match="'out' is a link that leaves its tree, to "):
        store.trees.put(tree)
    assert list((store.folder / "tmp").iterdir()) == []


def test_tree_that_is_taken_is_moved_and_the_stores_alone(store, tree, tmp_path):
    taken = shutil.copytree(tree, tmp_path / "taken", symlinks=True)
    os.link(taken / "data", tmp_path / "other-name")
    made = store.trees.put(tree)
    other = Store(tmp_path / "other")
    inode = (taken / "bin/tool").stat().st_ino
    assert other.trees.take(taken) == made
    assert not taken.exists()
    place = other.trees.place(made.digest)
    assert (place / "bin/tool").stat().st_ino == inode
    assert (place / "bin/tool").stat().st_mode & 0o777 == 0o555
    assert os.readlink(place / "bin/link") == "../data"
    (tmp_path / "other-name").write_text("altered")
    assert (place / "data").read_text() == "data\n"
    assert (place / "data").stat().st_mode & 0o777 == 0o444


def test_tree_on_another_file_system_is_copied(store, tree, tmp_path, monkeypatch):
    made = Store(tmp_path / "other").trees.put(tree)
    rename = os.rename

    def refuse(source, target):
        if source == tree:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        rename(source, target)

    monkeypatch.setattr(os, "rename", refuse)
    assert store.trees.take(tree) == made
    assert (tree / "data").exists()
    assert store.holds(made)


def test_tree_that_is_taken_with_link_out_of_it_is_refused(store, tree):
    (tree / "out").symlink_to("../outside")
    with pytest.raises(ActionError, match="'out' is a link that leaves its tree, to "):
        store.trees.take(tree)
    assert list((store.folder / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda place: (place / "data").unlink(),
        lambda place: ((place / "data").chmod(0o644), (place / "data").write_text("longer than before")),
        lambda place: (place / "bin/tool").chmod(0o444),
        lambda place: ((place / "bin/link").unlink(), (place / "bin/link").symlink_to("tool")),
        lambda place: (place / "empty").rmdir(),
    ],
    ids=["missing", "other size", "other mode", "other goal", "no folder"],
)
def test_tree_damaged_is_dropped_and_can_be_put_again(store, tree, tmp_path, damage):
    made = store.trees.put(tree)
    damage(open_up(store.trees.place(made.digest)))
    later = Store(tmp_path / "store")  # the next run looks again
    with pytest.raises(Damaged):
        later.trees.place(made.digest)
    assert not later.holds(made)
    later.trees.put(tree)
    assert (later.trees.place(made.digest) / "data").read_text() == "data\n"


# results -----------------------------------------------------------------------------------------------------


def test_result_kept_is_found(store, source):
    result = Result(outputs={"": store.put(source)}, seconds=1.5, log=store.put_bytes(b""))
    store.keep(KEY, result)
    assert store.result(KEY) == result
    assert store.result("cd" * 32) is None


def test_result_whose_artifact_is_gone_is_not_found(store, source):
    made = store.put(source)
    store.keep(KEY, Result(outputs={"": made}, seconds=0, log=""))
    blob(store, made.digest).unlink()
    assert store.result(KEY) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"outputs": {}}', '{"outputs": 1, "seconds": 1, "log": ""}'])
def test_result_torn_is_dropped(store, source, text):
    store.keep(KEY, Result(outputs={"": store.put(source)}, seconds=0, log=""))
    entry = store.folder / "result" / KEY[:2] / KEY[2:]
    assert json.loads(entry.read_text())["seconds"] == 0
    entry.chmod(0o644)
    entry.write_text(text)
    assert store.result(KEY) is None
    assert not entry.exists()


def test_result_of_another_key_is_dropped(store, source):
    store.keep(KEY, Result(outputs={"": store.put(source)}, seconds=0, log=""))
    mine, other = (store.folder / "result" / key[:2] / key[2:] for key in (KEY, "cd" * 32))
    other.parent.mkdir()
    mine.rename(other)
    assert store.result("cd" * 32) is None
    assert not other.exists()


def test_making_one_key_is_exclusive_and_leaves_no_lock(store):
    order: list[str] = []

    def second() -> None:
        with store.making(KEY):
            order.append("second")

    with store.making(KEY):
        thread = threading.Thread(target=second)
        thread.start()
        with store.making("cd" * 32):  # another key is free
            time.sleep(0.05)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    assert list((store.folder / "lock").iterdir()) == []


def test_store_sweeps_only_what_is_a_day_old(store, tmp_path):
    left, new = store.folder / "tmp" / "left", store.folder / "tmp" / "new"
    left.mkdir()
    (left / "file").write_text("x")
    new.write_text("x")
    os.utime(left, (1, 1))
    Store(tmp_path / "store")
    assert (left.exists(), new.exists()) == (False, True)


def test_store_in_place_of_a_file_is_said(tmp_path):
    (tmp_path / "store").write_text("a file")
    with pytest.raises(ActionError, match="store: the store cannot be made: Not a directory"):
        Store(tmp_path / "store")


def test_older_store_is_left_alone_and_told_once(tmp_path):
    older = tmp_path / "store/v1"
    older.mkdir(parents=True)
    (older / "blob").write_text("of another format")
    assert Store(tmp_path / "store").first_use() == [older]
    assert Store(tmp_path / "store").first_use() == []
    assert [path.name for path in older.iterdir()] == ["blob"]


def test_full_disk_gets_advice():
    error = full_or(OSError(28, "No space left on device", "/x/y"), "the store")
    assert str(error) == (
        "the store: cannot be written: No space left on device (/x/y)\n"
        "  hint: free some space and build again; finished targets are kept"
    )
    assert str(full_or(OSError(30, "Read-only file system"), "dist/a")) == (
        "dist/a: cannot be written: Read-only file system"
    )
