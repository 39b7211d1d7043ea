from __future__ import annotations

import hashlib

import pytest
from packyard.formats.archive.entry import Entry
from packyard.formats.digest import digest_of
from packyard.formats.errors import FormatError
from packyard.formats.morloc.lock import (
    LockedPackage,
    as_pins,
    as_snapshot,
    content_digest,
    content_listing,
    read_content_listing,
)

COMMIT = "0123456789abcdef" * 2 + "01234567"
CONTENT = digest_of(b"content")
ROOT = LockedPackage(
    name="root", version="0.7.0", source="default", commit=COMMIT, content=CONTENT, dependencies=("internal",)
)
SHAPES = LockedPackage(name="shapes", version="0.1.0", source="member", dependencies=("root",))


def test_content_is_a_digest_over_paths_modes_and_bytes() -> None:
    one, two = hashlib.sha256(b"1").hexdigest(), hashlib.sha256(b"2").hexdigest()
    entries = [Entry("b/x", b"2", executable=True), Entry("a", b"1")]
    listing = f"{one} - a\n{two} x b/x\n"
    assert content_listing(entries) == listing
    assert content_digest(reversed(entries)) == digest_of(listing.encode())
    assert read_content_listing(listing, "x") == {"a": (one, False), "b/x": (two, True)}
    for other in ([Entry("b/x", b"2"), entries[1]], [Entry("b/y", b"2", executable=True), entries[1]], entries[:1]):
        assert content_digest(other) != content_digest(entries)


def test_listing_of_a_name_with_a_line_separator_is_read_back() -> None:
    path = "a\u2028b\x85.py"
    assert read_content_listing(content_listing([Entry(path, b"")]), "x") == {
        path: (hashlib.sha256().hexdigest(), False)
    }


def test_listing_wrong_is_said() -> None:
    with pytest.raises(FormatError, match=r"^files/a: line 1: is not 'SHA256 x\|- PATH'$"):
        read_content_listing("abc - path\n", "files/a")


def test_lock_is_exported_as_pins_and_snapshot() -> None:
    assert as_pins([SHAPES, ROOT]) == f'morloc-dependencies:\n  - {{name: root, git-hash: "{COMMIT}"}}\n'
    assert as_pins([SHAPES]) == "morloc-dependencies: []\n"
    assert as_snapshot([SHAPES, ROOT]) == f"root {COMMIT}\n"
