"""Taking folders in: what no tree can hold is refused by name, and all else has a receipt of its own."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packyard.tasks.engine.store.intake import Unfit, look_through
from packyard.tasks.engine.store.store import Store


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "tree/d/e").mkdir(parents=True)
    return tmp_path / "tree"


def refusal(tree: Path) -> str:
    with pytest.raises(Unfit) as caught:
        look_through(tree)
    return caught.value.message


def test_special_files_are_refused(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tree / "d/pipe")
    assert refusal(tree) == "'d/pipe' is a FIFO; expected a file, folder or link"
    (tree / "d/pipe").unlink()
    monkeypatch.chdir(tree)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s")
        assert refusal(tree) == "'s' is a socket; expected a file, folder or link"


@pytest.mark.parametrize("name", ["a\nb", "\x01", "\x7f", "a\x85"])
def test_control_characters_are_refused(tree: Path, name: str) -> None:
    (tree / "d" / name).write_text("")
    assert refusal(tree) == f"{f'd/{name}'!r} has a control character in its name"


def test_names_that_are_not_utf8_are_refused(tree: Path) -> None:
    try:
        (tree / os.fsdecode(b"caf\xe9")).mkdir()
    except OSError:
        pytest.skip("the file system has none")
    (tree / os.fsdecode(b"caf\xe9") / "file").write_text("")
    (tree / "link").symlink_to(os.fsdecode(b"\xff"))
    assert refusal(tree) == (
        "'caf\\udce9' is not UTF-8; 'link' is a link to '\\udcff'; expected UTF-8 without control characters"
    )


@pytest.mark.parametrize(
    "links",
    [
        {"d/e/s": "..", "d/e/l": "s/../.."},
        {"d/e/s": "..", "d/e/t": "s", "l": "d/e/t/../../x"},
        {"l": "/etc"},
        {"d/l": "../.."},
        {"d/l": "missing/../../.."},
        {"l": "d/.."},
    ],
)
def test_links_that_lead_out_when_they_are_followed_are_refused(tree: Path, links: dict[str, str]) -> None:
    for path, goal in links.items():
        (tree / path).symlink_to(goal)
    last = list(links)[-1]
    assert refusal(tree).endswith(f"{last!r} is a link that leaves its tree, to {links[last]!r}")


@pytest.mark.parametrize(
    "links",
    [
        {"d/e/s": "..", "d/e/l": "s/../d"},
        {"l": "d/e/../e"},
        {"l": "nothing"},
        {"l": "l"},
        {"d/e/up": "../../d/e"},
        {"d/a": "b", "d/b": "a"},
    ],
)
def test_links_that_stay_inside_are_kept(tree: Path, links: dict[str, str], tmp_path: Path) -> None:
    for path, goal in links.items():
        (tree / path).symlink_to(goal)
    store = Store(tmp_path / "store")
    place = store.trees.place(store.trees.put(tree).digest)
    assert {path: os.readlink(place / path) for path in links} == links


PARTS = st.sampled_from(["..", ".", "d", "e", "f", "s", "t"])
GOALS = st.lists(PARTS, min_size=1, max_size=5).map("/".join)


@given(links=st.dictionaries(st.sampled_from(["s", "t", "d/s", "d/e/s", "d/e/t", "d/f"]), GOALS, max_size=4))
def test_no_link_that_is_kept_leads_out(tmp_path_factory: pytest.TempPathFactory, links: dict[str, str]) -> None:
    tree = tmp_path_factory.mktemp("links") / "tree"
    (tree / "d/e").mkdir(parents=True)
    for path, goal in links.items():
        (tree / path).symlink_to(goal)
    try:
        look_through(tree)
    except Unfit:
        return
    for path in links:
        try:
            os.stat(tree / path)
        except FileNotFoundError:
            pass  # it leads to where something might be
        except OSError:
            continue  # a circle leads nowhere
        assert Path(os.path.realpath(tree / path)).is_relative_to(tree.resolve())


def test_trees_that_had_one_receipt_have_two(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    made = []
    for number, (path, goal) in enumerate([("b c", "a"), ("c", "a b"), ("e", "")]):
        tree = tmp_path / str(number)
        tree.mkdir()
        if goal:
            (tree / path).symlink_to(goal)
        else:
            (tree / path).mkdir()
        made.append(store.trees.put(tree).digest)
        assert sorted(os.listdir(store.trees.place(made[-1]))) == [path]
    (tmp_path / "none").mkdir()
    made.append(store.trees.put(tmp_path / "none").digest)
    assert len(set(made)) == 4


def test_file_with_another_name_beside_it_is_taken(tmp_path: Path, tree: Path) -> None:
    (tree / "a").write_text("one")
    os.link(tree / "a", tmp_path / "elsewhere")
    (tree / "a.own").write_text("another")
    store = Store(tmp_path / "store")
    place = store.trees.place(store.trees.take(tree).digest)
    assert [(place / name).read_text() for name in ("a", "a.own")] == ["one", "another"]
    assert not list((store.folder / "tmp").iterdir())
