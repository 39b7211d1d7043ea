"""The order of an archive, and the paths that it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from packyard.formats.archive.entry import Entry, arrange, check_path, parents
from packyard.formats.errors import FormatError


def refused(*paths: str) -> list[str]:
    with pytest.raises(FormatError) as caught:
        arrange([Entry(path, b"") for path in paths])
    return [problem.message for problem in caught.value.problems]


def test_entries_stand_in_the_order_of_their_bytes() -> None:
    paths = ["b", "a/c", "a-", "é", "z", "a/b", "C/x", "a.b"]
    assert [entry.path for entry in arrange(Entry(path, b"") for path in paths)] == sorted(paths, key=str.encode)


def test_path_that_comes_twice_or_is_a_folder_too_is_refused() -> None:
    assert refused("a", "b", "a") == ["'a' appears twice in the archive"]
    assert refused("a/b", "a") == ["'a' is both a file and a folder"]
    assert len(refused("README", "readme")) == 1


@pytest.mark.parametrize("path", ["", "/a", "a/", "a//b", "./a", "a/../b", "..", "a:b", "a\\b", "a\0b", "x" * 5000])
def test_path_that_is_not_canonical_is_refused(path: str) -> None:
    with pytest.raises(FormatError):
        check_path(path)


def test_all_paths_that_are_wrong_are_told_at_once() -> None:
    assert len(refused("ok", "../a", "b//c", "d:e")) == 3


def test_folders_above_a_path_are_told_from_the_nearest_on() -> None:
    assert list(parents("a/b/c")) == ["a/b", "a"]
    assert list(parents("a")) == []


def test_mode_has_one_bit() -> None:
    assert (Entry("a", b"").mode, Entry("a", b"", True).mode) == (0o644, 0o755)


def test_content_is_bytes_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    for content in (b"12345", tmp_path / "file"):
        entry = Entry("a", content)
        assert entry.data() == b"12345"
        with entry.open() as (size, stream):
            assert (size, stream.read(2), stream.read()) == (5, b"12", b"345")


def test_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError) as caught:
        Entry("a", tmp_path / "gone").data()
    assert str(caught.value) == f"{tmp_path}/gone: cannot be read: No such file or directory"
