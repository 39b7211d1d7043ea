"""Folders as artifacts: each file placed, watched, restored and removed as one of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from packyard.tasks.engine.build.events import Outcome
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Output, Use

from tests.tasks.engine.build.test_build import Yard

FOLDER = Output(part="site", at="site", artifact="site", tree=True)


def pages(room: Room) -> None:
    """One page for each word of the input, and a program."""
    for word in (room.inputs / "words").read_text().split():
        place = room.outputs / "site" / word / "index.html"
        place.parent.mkdir(parents=True)
        place.write_text(word)
    (room.outputs / "site/run").write_text("#!/bin/sh\n")
    (room.outputs / "site/run").chmod(0o755)
    (room.outputs / "main").write_text("main")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Yard:
    yard = Yard(tmp_path, monkeypatch)
    yard.write("words", "one two")
    yard.target("s", "words", action=pages, outputs=(Output(at="main", artifact="dist/main"), FOLDER))
    return yard


def kept(yard: Yard) -> dict[str, str]:
    found = [path for path in sorted((yard.root / "site").rglob("*")) if path.is_file()]
    return {path.relative_to(yard.root).as_posix(): path.read_text() for path in found}


ALL = {"site/one/index.html": "one", "site/run": "#!/bin/sh\n", "site/two/index.html": "two"}


def test_folder_is_placed_file_by_file(site: Yard) -> None:
    assert site.make() == {"s": "ran"}
    assert kept(site) == ALL
    assert (site.root / "site/run").stat().st_mode & 0o777 == 0o755
    assert (site.root / "site/one/index.html").stat().st_mode & 0o777 == 0o644
    assert site.make() == {"s": "fresh"}
    assert site.states() == {"s": "fresh"}


def test_outcome_names_the_folder_as_one(site: Yard) -> None:
    build = site.open()
    build.plan(["x:s"])
    outcome = build.make("x:s")
    assert outcome == Outcome(name="x:s", how="ran", seconds=outcome.seconds, artifacts=("dist/main", "site/"))
    build.trace.close()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda root: (root / "site/two/index.html").unlink(), "site/two/index.html is missing"),
        (lambda root: (root / "site/two/index.html").write_text("2"), "site/two/index.html was changed"),
        (lambda root: (root / "site/run").chmod(0o644), "site/run was changed"),
        (lambda root: shutil.rmtree(root / "site"), "site/one/index.html is missing"),
    ],
    ids=["deleted", "altered", "mode", "folder gone"],
)
def test_file_that_is_not_what_was_made_is_restored(site: Yard, change: Callable[[Path], None], why: str) -> None:
    site.make()
    change(site.root)
    assert why in site.states()["s"]
    assert site.make() == {"s": "restored"}
    assert kept(site) == ALL


def test_files_that_are_made_no_more_go_with_their_folders(site: Yard) -> None:
    site.make()
    site.write("site/two/by-hand.txt", "mine")
    site.write("words", "three")
    assert site.make() == {"s": "ran"}
    assert kept(site) == {
        "site/run": "#!/bin/sh\n",
        "site/three/index.html": "three",
        "site/two/by-hand.txt": "mine",
    }
    assert not (site.root / "site/one").exists()


def test_folder_of_a_target_that_is_gone_is_removed_and_what_was_altered_kept(site: Yard) -> None:
    site.make()
    site.write("site/two/index.html", "by hand")
    del site.targets["x:s"]
    site.write("other", "o")
    site.target("o", "other", params={"out": "o.out"})
    assert site.make() == {"o": "ran"}
    assert kept(site) == {"site/two/index.html": "by hand"}
    assert (site.root / "dist").is_dir()


def test_folder_that_moves_is_placed_anew(site: Yard) -> None:
    site.make()
    moved = Output(part="site", at="site", artifact="site/a", tree=True)
    site.target("s", "words", action=pages, outputs=(Output(at="main", artifact="dist/main"), moved))
    assert site.states() == {"s": "stale: it was never built here"}
    assert site.make() == {"s": "restored"}
    assert kept(site) == {path.replace("site/", "site/a/"): text for path, text in ALL.items()}


def test_folder_is_an_input_as_a_tree(site: Yard) -> None:
    def count(room: Room) -> None:
        names = sorted(path.name for path in room.trees["x:s"].iterdir())
        (room.outputs / "u.out").write_text(" ".join(names))

    site.target("u", action=count, uses=(Use(target="x:s", part="site"),))
    site.make()
    assert (site.root / "dist/u.out").read_text() == "one run two"
    site.write("words", "three")
    assert site.make() == {"s": "ran", "u": "ran"}
    assert site.make() == {"s": "fresh", "u": "fresh"}


def test_damaged_tree_in_the_store_is_made_again(site: Yard) -> None:
    site.make()
    shutil.rmtree(site.root / "site")
    (place,) = (site.store / "v2/tree").glob("*/two/index.html")
    place.chmod(0o644)
    place.write_text("2 2")
    assert site.make() == {"s": "ran"}
    assert kept(site) == ALL


def test_link_in_a_folder_artifact_is_refused(site: Yard) -> None:
    def linked(room: Room) -> None:
        pages(room)
        (room.outputs / "site/link").symlink_to("run")

    site.target("s", "words", action=linked, outputs=(Output(at="main", artifact="dist/main"), FOLDER))
    assert site.make() == {"s": "failed"}
    assert site.build is not None
    assert site.build.outcomes["x:s"].message == "'link' is a link; expected a folder that contains only files"
