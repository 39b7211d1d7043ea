"""Replacing a file: whole, or not at all."""

from __future__ import annotations

import pytest
from packyard.tasks.host.atomic import replacing, rewrite


def test_replacing_puts_the_new_file_in_its_place(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with replacing(path) as aside:
        aside.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_replacing_leaves_everything_as_it_was_when_the_block_fails(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(path) as aside:
        aside.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_replacing_leaves_nothing_where_a_folder_is_in_the_way(tmp_path):
    path = tmp_path / "file"
    path.mkdir()
    with pytest.raises(IsADirectoryError), replacing(path) as aside:
        aside.write_text("new")
    assert list(tmp_path.iterdir()) == [path]


def test_rewrite_keeps_permissions_and_newlines(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o640)
    rewrite(path, "a\r\nä\n")
    assert path.read_bytes() == "a\r\nä\n".encode()
    assert path.stat().st_mode & 0o777 == 0o640


def test_rewrite_follows_a_link(tmp_path):
    real = tmp_path / "real"
    real.write_text("old")
    link = tmp_path / "link"
    link.symlink_to("real")
    rewrite(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_rewrite_makes_folders_on_the_way(tmp_path):
    rewrite(tmp_path / "a" / "b" / "file", "text")
    assert (tmp_path / "a" / "b" / "file").read_text() == "text"
