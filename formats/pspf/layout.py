"""The fixed-size records of a PSPF/2025 file: index, slot descriptor, trailer (docs/pspf.md, "Records").

A record is declared once: the order of its fields is the order of its bytes, the annotation is the width.
All integers are unsigned and little-endian, all offsets count from byte 0 of the file.
"""

from __future__ import annotations

import struct
import typing
import zlib
from dataclasses import dataclass, fields
from typing import Annotated, ClassVar, Final, Self

from packyard.formats.errors import FormatError

U8 = Annotated[int, "B"]
U32 = Annotated[int, "I"]
U64 = Annotated[int, "Q"]
Bytes8 = Annotated[bytes, "8s"]
Bytes12 = Annotated[bytes, "12s"]
Bytes16 = Annotated[bytes, "16s"]
Bytes32 = Annotated[bytes, "32s"]
Bytes64 = Annotated[bytes, "64s"]
Bytes512 = Annotated[bytes, "512s"]
Bytes6624 = Annotated[bytes, "6624s"]

FORMAT_VERSION: Final = 0x20250001
START_MAGIC: Final = "📦".encode()
END_MAGIC: Final = "🪄".encode()
ALIGNMENT: Final = 8
INDEX_SIZE: Final = 8192
DESCRIPTOR_SIZE: Final = 64
TRAILER_SIZE: Final = len(START_MAGIC) + INDEX_SIZE + len(END_MAGIC)


@dataclass(frozen=True, kw_only=True)
class Record:
    """Base of the records: bytes from fields and fields from bytes, by the annotations of the subclass."""

    _struct: ClassVar[struct.Struct]

    def __init_subclass__(cls) -> None:
        hints = typing.get_type_hints(cls, include_extras=True)
        cls._struct = struct.Struct("<" + "".join(hints[name].__metadata__[0] for name in cls.__annotations__))

    def pack(self) -> bytes:
        """The bytes of the record; shorter byte fields are padded with zeros."""
        try:
            return self._struct.pack(*(getattr(self, field.name) for field in fields(self)))
        except struct.error as error:
            raise FormatError(f"a value does not fit its field in {type(self).__name__}: {error}") from None

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """The record in `data`, which has exactly its size."""
        names = (field.name for field in fields(cls))
        return cls(**dict(zip(names, cls._struct.unpack(data), strict=True)))


@dataclass(frozen=True, kw_only=True)
class Index(Record):
    """The index block, 8192 bytes, between the two magics at the end of the file."""

    format_version: U32 = FORMAT_VERSION
    index_checksum: U32 = 0
    package_size: U64
    launcher_size: U64
    metadata_offset: U64
    metadata_size: U64
    slot_table_offset: U64
    slot_table_size: U64
    slot_count: U32
    flags: U32 = 0
    public_key: Bytes32
    metadata_checksum: Bytes32
    integrity_signature: Bytes512
    access_mode: U8 = 0
    cache_strategy: U8 = 0
    hint_a: U8 = 0
    hint_b: U8 = 0
    page_size: U32 = 4096
    max_memory: U64 = 0
    min_memory: U64 = 0
    cpu_features: U64 = 0
    gpu_requirements: U64 = 0
    numa_hints: U64 = 0
    stream_chunk_size: U32 = 0
    padding: Bytes12 = bytes(12)
    build_timestamp: U64 = 0
    build_machine: Bytes32 = bytes(32)
    source_hash: Bytes32 = bytes(32)
    dependency_hash: Bytes32 = bytes(32)
    license_id: Bytes16 = bytes(16)
    provenance_uri: Bytes8 = bytes(8)
    capabilities: U64 = 0
    requirements: U64 = 0
    extensions: U64 = 0
    compatibility: U32 = FORMAT_VERSION
    protocol_version: U32 = 1
    future_crypto: Bytes512 = bytes(512)
    attestation_key_fp: Bytes64 = bytes(64)
    attestation_sbom_digest: Bytes64 = bytes(64)
    attestation_policy_hash: Bytes64 = bytes(64)
    reserved: Bytes6624 = bytes(6624)


@dataclass(frozen=True, kw_only=True)
class SlotDescriptor(Record):
    """One entry of the slot table, 64 bytes. `name_hash` and `checksum` are `short_hash` values."""

    id: U64
    name_hash: U64
    offset: U64
    size: U64
    original_size: U64
    operations: U64
    checksum: U64
    purpose: U8
    lifecycle: U8
    priority: U8 = 1
    platform: U8 = 0
    reserved_a: U8 = 0
    reserved_b: U8 = 0
    permissions_low: U8 = 0
    permissions_high: U8 = 0

    @property
    def permissions(self) -> int:
        """The file mode, split over two bytes on the wire."""
        return self.permissions_low | self.permissions_high << 8


def index_checksum(index: bytes) -> int:
    """The Adler-32 of the 8192 index bytes with the checksum field itself taken as zero."""
    return zlib.adler32(index[:4] + bytes(4) + index[8:])


def aligned(offset: int) -> int:
    """The next multiple of the alignment."""
    return -(-offset // ALIGNMENT) * ALIGNMENT


def short_hash(sha256: bytes) -> int:
    """The first 8 bytes of a SHA-256 as the format stores them in 64 bits."""
    return int.from_bytes(sha256[:8], "little")
