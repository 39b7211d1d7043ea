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
    read_morloc_lock,
    with_morloc_lock,
    write_morloc_lock,
)

COMMIT = "0123456789abcdef" * 2 + "01234567"
CONTENT = digest_of(b"content")
ROOT = LockedPackage(
    name="root", version="0.7.0", source="default", commit=COMMIT, content=CONTENT, dependencies=("internal",)
)
SHAPES = LockedPackage(name="shapes", version="0.1.0", source="member", dependencies=("root",))
TEXT = f"""\
[[morloc]]
name = "root"
version = "0.7.0"
source = "default"
commit = "{COMMIT}"
content = "{CONTENT}"
dependencies = ["internal"]

[[morloc]]
name = "shapes"
version = "0.1.0"
source = "member"
dependencies = ["root"]
"""


def test_lock_is_sorted_and_read_back() -> None:
    assert write_morloc_lock([SHAPES, ROOT]) == TEXT
    assert read_morloc_lock(TEXT, "packyard.lock") == (ROOT, SHAPES)


def test_lock_part_is_replaced_and_the_rest_stays() -> None:
    head = '# written by hand\n\n[[toolchain]]\nmojo = "1.0.0"\nlock = "pylock.mojo.toml"\n'
    tail = '\n[[interpreter]]\nversion = "3.12"\nplatform = "linux_amd64"\nfolder = "/python"\n'
    once = with_morloc_lock(f"{head}\n{TEXT}{tail}", [SHAPES])
    assert once == head + tail + "\n" + write_morloc_lock([SHAPES])
    assert with_morloc_lock(once, [SHAPES]) == once
    assert with_morloc_lock(once, []) == head + tail


def test_lock_wrong_is_said() -> None:
    text = (
        '[[morloc]]\nname = "a_b"\nversion = "1"\ncommit = "abc"\n[[morloc]]\nname="x"\nversion="1.0.0"\nsource="s"\n'
    )
    with pytest.raises(FormatError) as caught:
        read_morloc_lock(text + '[[morloc]]\nname="x"\nversion="1.0.0"\nsource="s"\ntime=1\n', "packyard.lock")
    assert str(caught.value).splitlines() == [
        "packyard.lock: morloc[0].name: 'a_b' is not a package name, letters and digits joined by '-' were expected",
        "packyard.lock: morloc[0].version: '1' is not a version, a SemVer version like 0.1.0 was expected",
        "packyard.lock: morloc[0].source: is missing, a string was expected",
        "packyard.lock: morloc[0].commit: 'abc' is not a commit, 40 or 64 hexadecimal digits were expected",
        "packyard.lock: morloc[2].name: 'x' is locked twice",
        "packyard.lock: morloc[2].time: unknown key",
        "  hint: known here: commit, content, dependencies, installed, name, source, version",
    ]


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


def test_lock_of_a_repository_with_quotes_in_its_path_is_read_back() -> None:
    package = LockedPackage(name="a", version="1.0.0", source="git+file:///it's/\"a\\b")
    assert read_morloc_lock(write_morloc_lock([package]), "packyard.lock") == (package,)


def test_listing_wrong_is_said() -> None:
    with pytest.raises(FormatError, match=r"^files/a: line 1: is not 'SHA256 x\|- PATH'$"):
        read_content_listing("abc - path\n", "files/a")


def test_lock_is_exported_as_pins_and_snapshot() -> None:
    assert as_pins([SHAPES, ROOT]) == f'morloc-dependencies:\n  - {{name: root, git-hash: "{COMMIT}"}}\n'
    assert as_pins([SHAPES]) == "morloc-dependencies: []\n"
    assert as_snapshot([SHAPES, ROOT]) == f"root {COMMIT}\n"
