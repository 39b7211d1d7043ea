from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from packyard.formats.pspf.signature import key_from_seed, private_pem
from packyard.tasks.engine.execute import sandbox
from packyard.tasks.engine.execute.sandbox import Changed, abandon, collect, room_for, stage, sweep
from packyard.tasks.engine.store.blobs import Damaged
from packyard.tasks.engine.store.store import Store
from packyard.tasks.errors import ActionError
from packyard.tasks.target.target import Made, Output, Source, Target, Use
from packyard.tasks.workspace.memo import Look, Memo

KEY = "0123456789abcdef" * 4
PEM = private_pem(key_from_seed("of a test"))


def target(**values) -> Target:
    return Target(**{"name": "x:a", "doc": "", "place": "packyard.toml", "run": "m:f", **values})


@pytest.fixture(autouse=True)
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sandboxes of a test in a folder of their own."""
    place = tmp_path / "sandboxes"
    place.mkdir()
    monkeypatch.setattr(sandbox, "base", lambda: place)
    return place


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "work"
    root.mkdir()
    (root / "a.txt").write_text("a\n")
    (root / "tool").write_text("#!/bin/sh\n")
    (root / "tool").chmod(0o700)
    return root


def looks(root: Path, *paths: str) -> dict[str, Look]:
    found = {path: Memo(root).look(path) for path in paths}
    return {path: look for path, look in found.items() if look is not None}


def room(tmp_path: Path, of: Target | None = None):
    return room_for(of or target(), KEY, log=tmp_path / "log", trees={})


def test_room_is_empty_and_named_by_the_key(tmp_path, base):
    with room(tmp_path, target(params={"n": 1}, network=True)) as made:
        assert made.inputs == base / KEY[:16] / "in"
        assert sorted(os.listdir(base / KEY[:16])) == ["home", "in", "out", "tmp"]
        assert [os.listdir(folder) for folder in (made.inputs, made.outputs, made.scratch, made.home)] == [
            [],
            [],
            [],
            [],
        ]
        assert (made.params, made.network) == ({"n": 1}, True)
    sandbox.settle()
    assert list(base.iterdir()) == []


def test_room_left_by_a_killed_run_is_cleared(tmp_path, base):
    (base / KEY[:16] / "in").mkdir(parents=True)
    (base / KEY[:16] / "in" / "left").write_text("left")
    with room(tmp_path) as made:
        assert os.listdir(made.inputs) == []


def test_room_with_read_only_folders_is_removed(tmp_path, base):
    with room(tmp_path) as made:
        (made.scratch / "deep").mkdir()
        (made.scratch / "deep/file").write_text("x")
        (made.scratch / "deep").chmod(0o500)
    sandbox.settle()
    assert list(base.iterdir()) == []


def test_room_is_removed_when_the_action_fails(tmp_path, base):
    with pytest.raises(ActionError, match="broken"), room(tmp_path):
        raise ActionError("broken")
    sandbox.settle()
    assert list(base.iterdir()) == []


def test_rooms_have_other_names_when_their_actions_have_ended(tmp_path, base):
    rooms = []
    for number in range(5):
        with room_for(target(), f"{number}" * 64, log=tmp_path / "log", trees={}) as made:
            (made.scratch / "file").write_text("x")
            rooms.append(made.scratch)
        assert not made.scratch.exists()
    sandbox.settle()
    assert (list(base.iterdir()), len(set(rooms))) == ([], 5)


def test_room_that_was_removed_under_its_action_is_no_error(tmp_path, base):
    with room(tmp_path):
        abandon()
    sandbox.settle()
    assert list(base.iterdir()) == []


def test_room_whose_write_fails_says_where(tmp_path):
    with pytest.raises(ActionError) as caught, room(tmp_path) as made:
        (made.outputs / "no" / "file").write_text("x")
    assert str(caught.value).startswith("the sandbox: cannot be written: No such file or directory (")


def test_stage_copies_sources_with_their_modes_and_one_time(tmp_path, root, store):
    wanted = target(sources=(Source(path="a.txt", at="deep/a.txt"), Source(path="tool", at="tool")))
    with room(tmp_path) as made:
        stage(made, root, wanted, looks(root, "a.txt", "tool"), {}, store)
        assert (made.inputs / "deep/a.txt").read_text() == "a\n"
        assert (made.inputs / "deep/a.txt").stat().st_mode & 0o777 == 0o644
        assert (made.inputs / "tool").stat().st_mode & 0o777 == 0o755
        assert {path.stat().st_mtime for path in made.inputs.rglob("*") if path.is_file()} == {315532800}
        assert (made.inputs / "tool").stat().st_nlink == 1


def test_stage_of_source_outside_the_workspace(tmp_path, root, store):
    outside = tmp_path / "outside"
    outside.write_text("out")
    wanted = target(sources=(Source(path=str(outside), at="o"),))
    with room(tmp_path) as made:
        stage(made, root, wanted, looks(root, str(outside)), {}, store)
        assert (made.inputs / "o").read_text() == "out"


def to_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("change", [lambda path: path.write_text("b\n"), Path.unlink, to_folder])
def test_stage_of_changed_source_names_it(tmp_path, root, store, change):
    seen = looks(root, "a.txt")
    change(root / "a.txt")
    with room(tmp_path) as made, pytest.raises(Changed) as caught:
        stage(made, root, target(sources=(Source(path="a.txt", at="a.txt"),)), seen, {}, store)
    assert caught.value.path == "a.txt"


def test_stage_of_used_artifact_and_not_of_tree(tmp_path, root, store):
    made_file = store.put(root / "tool")
    wanted = target(uses=(Use(target="x:b", at="bin/b"), Use(target="x:t")))
    uses = {"x:b#": made_file, "x:t#": Made(digest="00" * 32, size=1, tree=True)}
    with room(tmp_path) as made:
        stage(made, root, wanted, {}, uses, store)
        assert (made.inputs / "bin/b").read_text() == "#!/bin/sh\n"
        assert (made.inputs / "bin/b").stat().st_mode & 0o777 == 0o755
        assert os.listdir(made.inputs) == ["bin"]


def test_stage_of_lost_artifact_is_damaged(tmp_path, root, store):
    uses = {"x:b#": Made(digest="00" * 32, size=1)}
    with room(tmp_path) as made, pytest.raises(Damaged):
        stage(made, root, target(uses=(Use(target="x:b", at="b"),)), {}, uses, store)


def test_collect_takes_declared_outputs(tmp_path, store):
    wanted = target(outputs=(Output(at="a"), Output(part="t", at="t", tree=True)))
    with room(tmp_path) as made:
        (made.outputs / "a").write_text("out")
        (made.outputs / "undeclared").write_text("x")
        (made.outputs / "t").mkdir()
        (made.outputs / "t/file").write_text("x")
        found = collect(made, wanted, store)
    assert found[""] == Made(digest=hashlib.sha256(b"out").hexdigest(), size=3)
    assert found["t"].tree


@pytest.mark.parametrize("left", ["nothing", "folder", "link"])
def test_collect_of_what_is_no_file_is_an_error(tmp_path, store, left):
    with room(tmp_path) as made:
        if left == "folder":
            (made.outputs / "a").mkdir()
        elif left == "link":
            (made.outputs / "a").symlink_to("/etc/hostname")
        with pytest.raises(ActionError) as caught:
            collect(made, target(outputs=(Output(at="a"),)), store)
    assert str(caught.value) == "the action succeeded but left no file 'a'"


def test_collect_of_a_tree_with_what_cannot_be_kept_names_action_and_place(tmp_path, store):
    wanted = target(outputs=(Output(at="t", tree=True),))
    with room(tmp_path, wanted) as made:
        (made.outputs / "t/e").mkdir(parents=True)
        os.mkfifo(made.outputs / "t/e/pipe")
        (made.outputs / "t/e/up").symlink_to("../..")
        with pytest.raises(ActionError) as caught:
            collect(made, wanted, store)
    assert str(caught.value) == (
        "'x:a' left what cannot be kept: 'e/pipe' is a FIFO; expected a file, folder or link; "
        "'e/up' is a link that leaves its tree, to '../..'"
    )


def test_sweep_removes_what_nobody_holds(tmp_path, base):
    (base / "left" / "in").mkdir(parents=True)
    (base / "left.lock").write_text("")
    (base / "alone.lock").write_text("")
    with room(tmp_path) as made:
        sweep()
        assert made.inputs.is_dir()
    sandbox.settle()
    assert list(base.iterdir()) == []


def test_abandon_removes_rooms_in_use(tmp_path, base):
    with room(tmp_path):
        abandon()
        assert list(base.iterdir()) == []


def test_base_of_somebody_else_is_refused(tmp_path, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    place = Path("/tmp/packyard-4000000000")
    try:
        with pytest.raises(ActionError) as caught:
            sandbox.base()
        assert str(caught.value) == (
            f"{place}: does not belong to this user, so no sandboxes can be made there\n  hint: remove it"
        )
    finally:
        place.rmdir()


@pytest.mark.parametrize("link", [None, os.symlink, os.link])
def test_stage_of_a_private_key_is_refused(tmp_path, root, store, link):
    (tmp_path / "secret").write_bytes(PEM)
    if link is None:
        (root / "b.txt").write_bytes(PEM)
    else:
        link(tmp_path / "secret", root / "b.txt")
    wanted = target(sources=(Source(path="a.txt", at="a"), Source(path="b.txt", at="b")))
    with room(tmp_path, wanted) as made:
        with pytest.raises(ActionError) as caught:
            stage(made, root, wanted, looks(root, "a.txt", "b.txt"), {}, store)
        assert caught.value.message == "'x:a' would contain the private key 'b.txt' (PKCS#8)"


def test_stage_of_a_private_key_that_is_let_through_copies_it(tmp_path, root, store):
    (root / "b.txt").write_bytes(PEM)
    wanted = target(sources=(Source(path="b.txt", at="b", key=True),))
    with room(tmp_path, wanted) as made:
        stage(made, root, wanted, looks(root, "b.txt"), {}, store)
        assert (made.inputs / "b").read_bytes() == PEM


def test_collect_of_a_private_key_that_commands_wrote_is_refused(tmp_path, store):
    wanted = target(outputs=(Output(at="t", tree=True, keys=("test.pem",)),))
    with room(tmp_path, wanted) as made:
        (made.outputs / "t").mkdir()
        (made.outputs / "t/test.pem").write_bytes(PEM)
        assert collect(made, wanted, store)[""].tree
        (made.outputs / "t/sub").mkdir(parents=True)
        (made.outputs / "t/sub/our.pem").write_bytes(PEM)
        with pytest.raises(ActionError) as caught:
            collect(made, wanted, store)
        assert caught.value.message == "'x:a' wrote the private key 'sub/our.pem' (PKCS#8)"
