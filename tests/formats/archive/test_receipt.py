"""Receipts: different folders have different receipts, and each reads back as itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packyard.formats.archive.receipt import FILE, FOLDER, LINK, PROGRAM, Item, read_receipt, write_receipt
from packyard.formats.errors import FormatError

# Few characters, and those that separate things in one encoding or another, so that two names often look alike.
NAMES = st.text('ab -/\n"[],\0\u2028\x85\\', max_size=6)
FILES = st.builds(
    Item,
    kind=st.sampled_from([FILE, PROGRAM]),
    path=NAMES,
    size=st.integers(0, 99),
    sha256=st.sampled_from(["0a", "1b"]),
)
LINKS = st.builds(Item, kind=st.just(LINK), path=NAMES, goal=NAMES)
FOLDERS = st.builds(Item, kind=st.just(FOLDER), path=NAMES)
TREES = st.lists(FILES | LINKS | FOLDERS, max_size=4, unique_by=lambda item: item.path)


@given(TREES)
def test_receipt_reads_back_as_itself(items: list[Item]) -> None:
    receipt = write_receipt(items)
    assert set(read_receipt(receipt)) == set(items)
    assert write_receipt(read_receipt(receipt)) == receipt


@given(TREES, TREES)
def test_different_trees_have_different_receipts(one: list[Item], other: list[Item]) -> None:
    assert (write_receipt(one) == write_receipt(other)) == (set(one) == set(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Item(kind=LINK, path="a", goal="b c"), Item(kind=LINK, path="c a", goal="b")),
        (Item(kind=LINK, path="b c", goal="a"), Item(kind=LINK, path="c", goal="a b")),
        (Item(kind=LINK, path="a", goal="d"), Item(kind=FOLDER, path="a")),
        (Item(kind=FILE, path="a", size=1, sha256="0a"), Item(kind=PROGRAM, path="a", size=1, sha256="0a")),
    ],
)
def test_trees_that_were_told_alike_once(one: Item, other: Item) -> None:
    assert write_receipt([one]) != write_receipt([other])
    assert write_receipt([one]) != write_receipt([])


@pytest.mark.parametrize(
    "text",
    [
        "- 1 0a path\n", "\n", '["-","a",1]\n', '["-","a","1","0a"]\n', '["-","a",true,"0a"]\n', '["z","a"]\n',
        "[]\n", "{}\n", '["l","a"]\n', '["d","a","b"]\n', '[["d"],"a"]\n', "7\n",
    ],
)  # fmt: skip
def test_what_is_no_receipt_is_refused(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_receipt(text.encode())
    assert str(caught.value) == 'is not a receipt; expected lines such as ["-",PATH,SIZE,SHA256]'
