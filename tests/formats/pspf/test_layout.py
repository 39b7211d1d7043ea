from __future__ import annotations

import zlib

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.pspf.layout import (
    DESCRIPTOR_SIZE,
    END_MAGIC,
    INDEX_SIZE,
    START_MAGIC,
    TRAILER_SIZE,
    Index,
    SlotDescriptor,
    aligned,
    index_checksum,
    short_hash,
)

DESCRIPTOR = SlotDescriptor(
    id=1,
    name_hash=2,
    offset=0x1122,
    size=3,
    original_size=4,
    operations=0x1001,
    checksum=5,
    purpose=1,
    lifecycle=2,
    permissions_low=0xED,
    permissions_high=0x01,
)


def empty_index() -> Index:
    return Index.unpack(bytes(INDEX_SIZE))


def test_records_have_the_sizes_of_the_format() -> None:
    assert len(empty_index().pack()) == INDEX_SIZE == 8192
    assert len(DESCRIPTOR.pack()) == DESCRIPTOR_SIZE == 64
    assert TRAILER_SIZE == 8200
    assert START_MAGIC.hex() == "f09f93a6"
    assert END_MAGIC.hex() == "f09faa84"


def test_slot_descriptor_packs_to_the_bytes_of_the_format() -> None:
    assert DESCRIPTOR.pack().hex(" ", 8) == (
        "0100000000000000 0200000000000000 2211000000000000 0300000000000000 "
        "0400000000000000 0110000000000000 0500000000000000 010201000000ed01"
    )
    assert DESCRIPTOR.permissions == 0o755
    assert SlotDescriptor.unpack(DESCRIPTOR.pack()) == DESCRIPTOR


@pytest.mark.parametrize(
    ("field", "offset", "size"),
    [
        ("format_version", 0, 4),
        ("package_size", 8, 8),
        ("slot_count", 56, 4),
        ("public_key", 64, 32),
        ("metadata_checksum", 96, 32),
        ("integrity_signature", 128, 512),
        ("access_mode", 640, 1),
        ("page_size", 644, 4),
        ("build_timestamp", 704, 8),
        ("capabilities", 832, 8),
        ("compatibility", 856, 4),
        ("protocol_version", 860, 4),
        ("future_crypto", 864, 512),
        ("attestation_key_fp", 1376, 64),
        ("attestation_sbom_digest", 1440, 64),
        ("attestation_policy_hash", 1504, 64),
        ("reserved", 1568, 6624),
    ],
)
def test_index_field_stands_at_the_offset_of_the_format(field: str, offset: int, size: int) -> None:
    data = bytearray(INDEX_SIZE)
    data[offset : offset + size] = b"\xff" * size
    value = getattr(Index.unpack(bytes(data)), field)
    assert value == (b"\xff" * size if isinstance(value, bytes) else (1 << 8 * size) - 1)
    assert Index.unpack(bytes(data)).pack() == bytes(data)


def test_index_checksum_takes_its_own_field_as_zero() -> None:
    data = bytes(range(256)) * 32
    assert index_checksum(data) == zlib.adler32(data[:4] + bytes(4) + data[8:])


def test_record_refuses_a_value_that_does_not_fit() -> None:
    with pytest.raises(FormatError, match="a value does not fit its field in SlotDescriptor"):
        SlotDescriptor.unpack(bytes(64)).__class__(**{**DESCRIPTOR.__dict__, "purpose": 256}).pack()


@pytest.mark.parametrize(("offset", "expected"), [(0, 0), (1, 8), (8, 8), (9, 16)])
def test_aligned_is_the_next_multiple_of_eight(offset: int, expected: int) -> None:
    assert aligned(offset) == expected


def test_short_hash_is_little_endian() -> None:
    assert short_hash(bytes(range(32))) == 0x0706050403020100
