from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from packyard.formats.digest import digest_of
from packyard.formats.errors import FormatError
from packyard.formats.pspf import Execution, Metadata, Slot, key_from_seed, open_bundle, write_bundle

MakeBundle = Callable[..., Path]


def test_bundle_of_equal_parts_has_equal_bytes(make_bundle: MakeBundle) -> None:
    before = os.umask(0o077)
    try:
        one = make_bundle("one.psp")
    finally:
        os.umask(before)
    two = make_bundle("two.psp")
    assert one.read_bytes() == two.read_bytes()
    assert one.stat().st_mode & 0o777 == two.stat().st_mode & 0o777 == 0o755


def test_bundle_starts_with_the_launcher_and_ends_with_the_magic(make_bundle: MakeBundle) -> None:
    data = make_bundle(launcher=b"\x7fELF launcher").read_bytes()
    assert data.startswith(b"\x7fELF launcher")
    assert data[-8200:-8196].hex() == "f09f93a6"
    assert data[-4:].hex() == "f09faa84"


def test_signed_metadata_carry_the_digests_of_launcher_and_slots(make_bundle: MakeBundle) -> None:
    path = make_bundle(launcher=b"launcher")
    bundle, data = open_bundle(path), path.read_bytes()
    assert bundle.metadata.launcher.checksum == str(digest_of(b"launcher"))
    for slot, descriptor in zip(bundle.metadata.slots, bundle.descriptors, strict=True):
        stored = data[descriptor.offset : descriptor.offset + descriptor.size]
        assert slot.checksum == str(digest_of(stored))
        assert descriptor.offset % 8 == 0
    assert bundle.metadata.cache_validation is not None


def test_bundles_of_two_versions_have_one_index_checksum(make_bundle: MakeBundle) -> None:
    old, new = open_bundle(make_bundle("old.psp")), open_bundle(make_bundle("new.psp", version="1.1"))
    assert old.index.index_checksum == new.index.index_checksum
    assert old.metadata.cache_validation != new.metadata.cache_validation


def test_draft_that_a_launcher_would_not_run_is_refused_with_all_problems(tmp_path: Path, draft: Metadata) -> None:
    wrong = replace(
        draft,
        execution=Execution(),
        slots=(
            Slot(id="a", target="{workenv}", operations="raw"),
            Slot(id="a", target="{workenv}", operations="tgz", lifecycle="init"),
            Slot(id="b", target="x", operations="tar.xz", purpose="tool"),
            Slot(id="c", target="../x", lifecycle="volatile", permissions="4755"),
        ),
    )
    with pytest.raises(FormatError) as caught:
        write_bundle(tmp_path / "x.psp", launcher=tmp_path, metadata=wrong, slots=[], key=key_from_seed("s1"))
    assert str(caught.value).splitlines() == [
        "slots: 0 files for 4 slots",
        "execution.command: '' is not a command",
        "slots[0].target: '{workenv}' names no file in the work environment",
        "slots[1].id: 'a' is empty or the id of two slots",
        "slots[1].target: a slot of lifecycle 'init' needs a folder of its own",
        "slots[2].purpose: 'tool' is not one of data, code, config, media",
        "slots[2].operations: 'tar.xz' cannot be unpacked by the launchers; use raw, tar, gzip or tgz",
        "slots[3].lifecycle: 'volatile' is not one of init, startup, runtime, shutdown, cache, temporary, lazy, "
        "eager, dev, config, platform, attestation",
        "slots[3].target: '../x' leaves its folder through '..'; expected a path inside",
        "slots[3].permissions: '4755' are not octal permissions up to 0777",
    ]
    assert list(tmp_path.iterdir()) == []


def test_failed_write_leaves_the_old_bundle_and_nothing_else(make_bundle: MakeBundle, tmp_path: Path) -> None:
    path = make_bundle()
    before, names = path.read_bytes(), sorted(tmp_path.iterdir())
    with pytest.raises(IsADirectoryError):
        make_bundle(launcher=tmp_path)
    assert path.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == names
