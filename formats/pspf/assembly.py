"""How the parts of our bundles are laid out in the file: a function of the metadata, shared by writer and reader.

Everything but the launcher's and the slots' own bytes follows from the signed JSON and the key, so a reader can
recompute it and compare: nothing in such a file is left to chance or to an attacker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from packyard.formats.digest import digest_of
from packyard.formats.pspf.layout import (
    DESCRIPTOR_SIZE,
    TRAILER_SIZE,
    Index,
    SlotDescriptor,
    aligned,
    index_checksum,
    short_hash,
)
from packyard.formats.pspf.metadata import Metadata, policy_hash
from packyard.formats.pspf.operations import pack_chain, read_chain
from packyard.formats.pspf.parts import LIFECYCLES, PURPOSES, Slot
from packyard.formats.pspf.signature import fingerprint
from packyard.formats.pspf.stored import stored_member

# All our bundles have this index checksum: the Go launcher refuses to replace an unpacked work environment when the
# checksum differs, and leaves it to the cache validation when it does not.
CHECKSUM: Final = 0x50594152  # "PYAR"

_ADLER: Final = 65521
_SPREAD: Final = 128  # the initial value of a byte of the reserved area: far from 0 and from 255
_FARTHEST: Final = 6000  # below the 6624 reserved bytes
_CAPABILITIES: Final = 1 << 0 | 1 << 7  # may be mapped, signed


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Where everything is; offsets and sizes in bytes."""

    launcher_size: int
    metadata_offset: int
    metadata_size: int
    table_offset: int
    slot_offsets: tuple[int, ...]
    slot_sizes: tuple[int, ...]
    trailer_offset: int

    @property
    def size(self) -> int:
        """The whole file."""
        return self.trailer_offset + TRAILER_SIZE


def arrange(launcher_size: int, metadata_size: int, slot_sizes: Sequence[int]) -> Arrangement:
    """Launcher, metadata, table and slots in sequence, each at the next multiple of 8."""
    metadata_offset = aligned(launcher_size)
    table_offset = aligned(metadata_offset + metadata_size)
    end = table_offset + DESCRIPTOR_SIZE * len(slot_sizes)
    offsets = []
    for size in slot_sizes:
        offsets.append(aligned(end))
        end = offsets[-1] + size
    return Arrangement(
        launcher_size, metadata_offset, metadata_size, table_offset, tuple(offsets), tuple(slot_sizes), aligned(end)
    )


def stored_metadata(json: bytes) -> bytes:
    """The metadata as stored in the file."""
    return b"".join(stored_member([json]))


def descriptors(metadata: Metadata, arrangement: Arrangement) -> tuple[SlotDescriptor, ...]:
    """The slot table: every field repeats the metadata."""
    return tuple(
        _descriptor(position, slot, offset)
        for position, (slot, offset) in enumerate(zip(metadata.table, arrangement.slot_offsets, strict=True))
    )


def index(metadata: Metadata, arrangement: Arrangement, *, stored: bytes, public: bytes, signature: bytes) -> Index:
    """The index block, with its reserved area used to reach the fixed checksum; `stored` are the metadata as in the
    file."""
    return balanced(
        Index(
            package_size=arrangement.size,
            launcher_size=arrangement.launcher_size,
            metadata_offset=arrangement.metadata_offset,
            metadata_size=arrangement.metadata_size,
            slot_table_offset=arrangement.table_offset,
            slot_table_size=DESCRIPTOR_SIZE * len(metadata.table),
            slot_count=len(metadata.table),
            public_key=public,
            metadata_checksum=digest_of(stored).raw,
            integrity_signature=signature.ljust(512, b"\0"),
            build_timestamp=metadata.epoch,
            capabilities=_CAPABILITIES,
            attestation_key_fp=fingerprint(public).encode("ascii"),
            attestation_policy_hash=policy_hash(metadata.policy),
        )
    )


def balanced(index: Index) -> Index:
    """`index` with reserved bytes that bring its Adler-32 to CHECKSUM.

    Adler-32 is two sums modulo 65521: of the bytes, and of the bytes times their distance to the end. So the right
    number of units is spread over the last bytes, then a few units are moved forward until the second sum fits.
    """
    plain = index_checksum(replace(index, reserved=bytes(6624)).pack())
    units = ((CHECKSUM & 0xFFFF) - (plain & 0xFFFF)) % _ADLER + _ADLER
    spent = bytearray(6624)
    full, rest = divmod(units, _SPREAD)
    spent[-full:] = bytes([_SPREAD]) * full
    spent[-full - 1] = rest
    weight = _SPREAD * full * (full + 1) // 2 + rest * (full + 1)
    missing = ((CHECKSUM >> 16) - (plain >> 16) - weight) % _ADLER
    while missing:
        step = min(missing, _FARTHEST)
        spent[-1] -= 1
        spent[-1 - step] += 1
        missing -= step
    return replace(index, index_checksum=CHECKSUM, reserved=bytes(spent))


def _descriptor(position: int, slot: Slot, offset: int) -> SlotDescriptor:
    permissions = int(slot.permissions, 8)
    digest = slot.digest
    return SlotDescriptor(
        id=position,
        name_hash=short_hash(digest_of(slot.id.encode("utf-8")).raw),
        offset=offset,
        size=slot.size,
        original_size=slot.size,
        operations=pack_chain(read_chain(slot.operations)),
        checksum=0 if digest is None else short_hash(digest.raw),
        purpose=PURPOSES[slot.purpose],
        lifecycle=LIFECYCLES[slot.lifecycle],
        permissions_low=permissions & 0xFF,
        permissions_high=permissions >> 8,
    )
