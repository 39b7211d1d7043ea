"""Folders removed while others work: by `rm`, and by us where that cannot be had or cannot do it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from packyard.tasks.host import removal
from packyard.tasks.host.removal import Disposal, remove


def folder(tmp_path: Path, name: str) -> Path:
    """A folder with something in it."""
    made = tmp_path / "rooms" / name
    (made / "deep").mkdir(parents=True)
    (made / "deep/file").write_text("x")
    return made


def test_folders_are_gone_when_it_is_settled(tmp_path: Path) -> None:
    one = Disposal()
    for number in range(100):
        one.put(folder(tmp_path, str(number)))
    one.settle()
    assert ([*(tmp_path / "rooms").iterdir()], one.left) == ([], [])


def test_folders_are_removed_before_it_is_settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "_PAUSE", 0.0)
    one = Disposal()
    first = folder(tmp_path, "first")
    one.put(first)
    assert one.left == [first]
    assert one._program is not None
    one._program.wait(10)
    assert not first.exists()
    one.put(folder(tmp_path, "second"))
    assert first not in one.left
    one.settle()


def test_no_more_wait_than_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "_MANY", 3)
    monkeypatch.setattr(removal, "_ENOUGH", 2)
    one = Disposal()
    most = 0
    for number in range(30):
        one.put(folder(tmp_path, str(number)))
        most = max(most, len(list((tmp_path / "rooms").iterdir())))
    assert most <= 6
    one.settle()
    assert list((tmp_path / "rooms").iterdir()) == []


def test_folders_of_many_threads(tmp_path: Path) -> None:
    one = Disposal()
    made = [folder(tmp_path, str(number)) for number in range(200)]
    threads = [threading.Thread(target=lambda n=n: [one.put(path) for path in made[n::8]]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one.settle()
    assert list((tmp_path / "rooms").iterdir()) == []


@pytest.mark.parametrize("program", ["none", "false"])
def test_folders_that_rm_does_not_remove(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """There is no `rm`; or it fails, as it does for read-only folders."""
    bin = tmp_path / "bin"
    bin.mkdir()
    if program == "false":
        (bin / "rm").write_text("#!/bin/sh\nexit 1\n")
        (bin / "rm").chmod(0o755)
    monkeypatch.setenv("PATH", str(bin))
    monkeypatch.setattr(removal, "_PAUSE", 0.0)
    one = Disposal()
    for number in range(5):
        made = folder(tmp_path, str(number))
        (made / "deep").chmod(0o500)
        one.put(made)
    one.settle()
    assert list((tmp_path / "rooms").iterdir()) == []


def test_remove_of_a_link_leaves_its_goal(tmp_path: Path) -> None:
    goal = folder(tmp_path, "goal")
    (tmp_path / "link").symlink_to(goal)
    remove(tmp_path / "link")
    assert ((goal / "deep/file").read_text(), (tmp_path / "link").is_symlink()) == ("x", False)


def test_remove_of_nothing(tmp_path: Path) -> None:
    remove(tmp_path / "nothing")
