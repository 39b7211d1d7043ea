from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.pspf.reader import open_bundle, open_slot, read_bundle

MakeBundle = Callable[..., Path]


def test_file_that_is_no_bundle_is_named(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(b"x" * 9000)
    with pytest.raises(FormatError) as caught:
        open_bundle(path)
    assert str(caught.value) == f"{path}: is not a bundle: its trailer lacks the magic numbers"
    path.write_bytes(b"")
    with pytest.raises(FormatError) as caught:
        open_bundle(path)
    assert str(caught.value) == f"{path}: is not a bundle: 0 bytes is less than a trailer"
    with pytest.raises(FormatError) as caught:
        open_bundle(tmp_path / "none")
    assert str(caught.value) == f"{tmp_path / 'none'}: cannot be read: No such file or directory"


def test_bundle_in_memory_is_the_one_on_disk_without_a_path(make_bundle: MakeBundle) -> None:
    path = make_bundle()
    assert replace(read_bundle(path.read_bytes()), path=path) == open_bundle(path)
    with pytest.raises(FormatError, match=r"^is not a bundle: 3 bytes is less than a trailer$"):
        read_bundle(b"abc")


def test_slot_is_read_to_its_end_and_no_further(make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundle = open_bundle(make_bundle())
    with open_slot(bundle, 1) as stored:
        assert stored.read(1 << 20) == (tmp_path / "notes.txt").read_bytes()
        assert stored.read(1) == b""


def test_slot_that_is_not_there_is_refused(make_bundle: MakeBundle) -> None:
    path = make_bundle()
    bundle = open_bundle(path)
    with pytest.raises(FormatError, match=r"^slot 2 is not in the slot table, which has 2$"), open_slot(bundle, 2):
        pass
    data = bytearray(path.read_bytes())
    struct.pack_into("<Q", data, bundle.index.slot_table_offset + 16, 1 << 63)
    path.write_bytes(data)
    with (
        pytest.raises(FormatError, match=r"^slot 0 extends past the end of the file$"),
        open_slot(open_bundle(path), 0),
    ):
        pass


def test_slot_of_a_file_that_was_cut_meanwhile_is_refused(make_bundle: MakeBundle) -> None:
    path = make_bundle()
    bundle = open_bundle(path)
    path.write_bytes(path.read_bytes()[: bundle.descriptors[1].offset + 1])
    with open_slot(bundle, 1) as stored, pytest.raises(FormatError, match=r"^shrank while being read$"):
        stored.read(2)
