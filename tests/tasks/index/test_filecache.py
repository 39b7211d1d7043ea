"""Files of an index on loopback: downloaded once, checked each time, and not kept when they are not the locked ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from packyard.formats.python.pinned import Pinned
from packyard.formats.relpath import read_file_name
from packyard.tasks.errors import ActionError
from packyard.tasks.index.filecache import fetched

from tests.index import Index


def pinned(index: Index, file: str) -> Pinned:
    return Pinned(
        name=read_file_name(file.partition("-")[0]), version="1.0", file=read_file_name(file),
        url=index.file_url(file), sha256=index.digest(file),
    )  # fmt: skip


@pytest.fixture
def files(index: Index) -> list[Pinned]:
    """Three wheels of the index."""
    return [pinned(index, index.add_wheel(name, "1.0")) for name in ("one", "two", "three")]


def failure(files: list[Pinned], folder: Path) -> str:
    with pytest.raises(ActionError) as caught:
        fetched(files, folder)
    return str(caught.value)


def test_files_are_downloaded_once_and_given_in_their_order(index: Index, files: list[Pinned], tmp_path: Path) -> None:
    for _ in range(2):
        places = fetched(files, tmp_path / "kept")
        assert [place.read_bytes() for place in places] == [index.files[file.file] for file in files]
    assert sorted(index.served) == sorted(file.file for file in files)
    assert {path.name for path in (tmp_path / "kept").iterdir()} == {file.sha256 for file in files}


def test_damaged_file_is_downloaded_again(index: Index, files: list[Pinned], tmp_path: Path) -> None:
    (place,) = fetched(files[:1], tmp_path)
    place.write_bytes(b"damaged")
    assert fetched(files[:1], tmp_path)[0].read_bytes() == index.files[files[0].file]
    assert index.served == [files[0].file] * 2


def test_file_that_is_not_the_locked_one_is_refused_and_not_kept(
    index: Index, files: list[Pinned], tmp_path: Path
) -> None:
    index.files[files[1].file] = b"another"
    said = failure(files, tmp_path)
    assert repr(files[1].file) in said
    assert index.digest(files[1].file) in said
    assert files[1].sha256 in said
    assert {path.name for path in tmp_path.iterdir() if len(path.name) == 64} == {files[0].sha256, files[2].sha256}


def test_all_files_that_cannot_be_had_are_told(index: Index, files: list[Pinned], tmp_path: Path) -> None:
    for file in files[:2]:
        del index.files[file.file]
    said = failure(files, tmp_path)
    assert files[0].file in said
    assert files[1].file in said
    assert files[2].file not in said


def test_offline_uses_what_is_there_and_tells_all_that_is_not(
    index: Index, files: list[Pinned], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = fetched(files[:1], tmp_path)
    local = tmp_path / "local.whl"
    local.write_bytes(index.files[files[1].file])
    here = replace(files[1], url=local.as_uri())
    monkeypatch.setenv("UV_OFFLINE", "1")
    assert fetched([files[0], here], tmp_path)[0] == kept[0]
    said = failure(files, tmp_path / "empty")
    assert all(file.file in said for file in files)
    assert len(index.served) == 1
