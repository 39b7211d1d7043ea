"""Targets as bytes: packed the same every time, unpacked when they are asked for."""

from __future__ import annotations

import zlib
from dataclasses import replace

import pytest
from packyard.tasks.target.packed import PackedTargets, pack_target, packed_targets, unpack_target
from packyard.tasks.target.target import Output, Prepare, Source, Target, Use

TARGET = Target(
    name="x:a", doc="é", place="p", run="m:f", params={"b": [1, {"x": None}], "a": "\n"},
    sources=(
        Source(path="a", at="a"), Source(path="a", at="b"), Source(path="\udcff", at="c"),
        Source(path="k", at="k", key=True),
    ),
    uses=(Use(target="x:b", part="p", at="d"),),
    outputs=(
        Output(at="a", artifact="dist/a"), Output(part="p", at="p"),
        Output(part="t", at="t", tree=True, keys=("k",)), Output(part="u", at="u", keys=()),
    ),
    prepares=(Prepare(run="m:f", params={"of": ["r>=1"]}, path="l", doing="making l", planned=True),),
    network=True, local={"key": "k"}, resource="io", final=True,
)  # fmt: skip


def test_target_is_unpacked_as_it_was() -> None:
    assert unpack_target(pack_target(TARGET)) == TARGET


def test_equal_targets_are_packed_to_equal_bytes() -> None:
    assert pack_target(replace(TARGET, params={"a": "\n", "b": [1, {"x": None}]})) == pack_target(TARGET)
    assert pack_target(replace(TARGET, params={"a": "\n", "b": [2, {"x": None}]})) != pack_target(TARGET)


@pytest.mark.parametrize(
    "packed", [b"", b"{}", pack_target(TARGET)[:-1], zlib.compress(b"{}"), zlib.compress(b"[]"), zlib.compress(b"{")]
)
def test_bytes_that_we_did_not_pack_are_an_error(packed: bytes) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        unpack_target(packed)


def test_no_flipped_bit_makes_another_target() -> None:
    packed = pack_target(TARGET)
    unseen = 0
    for bit in range(8 * len(packed)):
        flipped = bytearray(packed)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            found = unpack_target(bytes(flipped))
        except (ValueError, KeyError, TypeError):
            continue
        assert found == TARGET
        unseen += 1
    assert unseen < 10  # those that fill the last byte before the checksum, and unused codes of the compression


def test_targets_are_unpacked_where_they_are_asked_for() -> None:
    other = replace(TARGET, name="x:c")
    targets = PackedTargets({"x:a": pack_target(TARGET), "x:b": b"torn", "x:c": pack_target(other)})
    assert (list(targets), len(targets), "x:b" in targets, "x" in targets) == (["x:a", "x:b", "x:c"], 3, True, False)
    assert (targets["x:a"], targets["x:c"]) == (TARGET, other)
    assert targets["x:a"] is targets["x:a"]
    with pytest.raises(ValueError, match="incorrect header check"):
        targets["x:b"]
    with pytest.raises(KeyError):
        targets["x"]


def test_packed_targets_stay_as_they_are() -> None:
    packed = {"x:a": pack_target(TARGET)}
    assert packed_targets(PackedTargets(packed)) is packed
    assert packed_targets({"x:a": TARGET}) == packed
