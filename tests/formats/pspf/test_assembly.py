from __future__ import annotations

import random

import pytest
from packyard.formats.pspf.assembly import CHECKSUM, arrange, balanced
from packyard.formats.pspf.layout import Index, index_checksum


def test_arrange_puts_each_part_at_the_next_multiple_of_eight() -> None:
    plan = arrange(13, 100, [5, 0, 16])
    assert plan.metadata_offset == 16
    assert plan.table_offset == 120
    assert plan.slot_offsets == (312, 320, 320)
    assert plan.trailer_offset == 336
    assert plan.size == 336 + 8200


@pytest.mark.parametrize("seed", range(50))
def test_balanced_index_has_the_one_checksum_of_all_bundles(seed: int) -> None:
    source = random.Random(seed)
    plain = Index.unpack(source.randbytes(1568) + bytes(6624))
    index = balanced(plain)
    assert index.index_checksum == CHECKSUM == index_checksum(index.pack())
    assert balanced(index) == index
    assert index.pack()[8:1568] == plain.pack()[8:1568]


@pytest.mark.parametrize("fill", [b"\0", b"\xff"])
def test_balanced_index_works_at_the_extremes(fill: bytes) -> None:
    assert index_checksum(balanced(Index.unpack(fill * 1568 + bytes(6624))).pack()) == CHECKSUM
