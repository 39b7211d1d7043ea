"""Compiled Mojo packages (.mojopkg, .mojoc): which compiler wrote one, and whether the file is complete.

Three forms exist. Up to Mojo 0.26.1 the file is bare MLIR bytecode, which names an MLIR producer and no compiler;
0.26.2 puts a header before it (container 1); from 1.0 on, the bytecode after the header is one zstd frame (container
2). A compiler accepts a file exactly when the header's identity is its own, which is also in the file of its standard
library. No form has a checksum: it can be checked that blocks and sections end where the file ends, but not their
content.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import BinaryIO

from packyard.formats.errors import FormatError

_HEADER_MAGIC = b"MPKG"
_HEADER = struct.Struct("<4x B 3s 3B x B 3B x B 64s")  # container, text, version, label, platform, label, identity
_BYTECODE_AT = {1: 88, 2: 96}  # by container; zeros fill the gap, except for container 2's unpacked size
_SIZE = struct.Struct("<x Q")  # of the unpacked bytecode, after the header in container 2
_IDENTITY = re.compile(rb"[0-9a-f]{64}")

_MLIR_MAGIC = b"ML\xefR"
_PRODUCER = re.compile(rb"[\x21-\x7e]{1,64}")
_PRODUCERS = {"MLIR22.0.0git": "0.25", "MLIR23.0.0git": "0.26.1"}  # producer of a bare file -> Mojo that wrote it
_ALIGNED = 0x80
_FILLER = 0xCB

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_REPEATED_BYTE = 1  # a type of zstd block


@dataclass(frozen=True, slots=True, kw_only=True)
class MojoPackage:
    """What the header of a compiled package says."""

    container: int
    """0 for bare bytecode."""
    version: str
    """The compiler's version as far as the file tells it: '1.0.0', '0.26.2', a series ('0.25'), or ''."""
    identity: str
    """64 hexadecimal digits that one build of the compiler writes into all its files; '' in container 0."""
    producer: str
    """The MLIR that wrote the bytecode ('MLIR23.0.0git'); '' in container 2, where it is compressed."""
    unpacked: int
    """The size of the bytecode in bytes."""

    @property
    def accepted_by(self) -> str:
        """Which compilers can import the file, in words."""
        if self.identity:
            return f"Mojo {self.version}, only the build {self.identity[:12]}"
        return f"Mojo {self.version} only" if self.version else f"a Mojo compiler with {self.producer}"

    def fits(self, library: MojoPackage) -> bool:
        """Whether the compiler whose standard library file this is can import the package."""
        return (self.container, self.identity, self.producer) == (
            library.container,
            library.identity,
            library.producer,
        )


def is_package(stream: BinaryIO) -> bool:
    """Whether the stream begins like a compiled package."""
    return stream.read(4).startswith((_HEADER_MAGIC, _MLIR_MAGIC))


def read_package(stream: BinaryIO) -> MojoPackage:
    """What a package says about itself, after a check that it is complete; FormatError if it is incomplete or not a
    package."""
    data = stream.read()
    if data.startswith(_HEADER_MAGIC):
        return _headed(data)
    if data.startswith(_MLIR_MAGIC):
        producer = _check_bytecode(memoryview(data))
        version = _PRODUCERS.get(producer, "")
        return MojoPackage(container=0, version=version, identity="", producer=producer, unpacked=len(data))
    raise FormatError(
        f"{data[:4].hex(' ')!r} is not the start of a Mojo package; expected '4d 50 4b 47' (MPKG) or '4d 4c ef 52' "
        "(MLIR)"
    )


def _headed(data: bytes) -> MojoPackage:
    if len(data) < _BYTECODE_AT[2]:
        raise FormatError(f"ends at byte {len(data)}, inside its header")
    container, text, *version, label, year, release, _, second_label, identity = _HEADER.unpack_from(data)
    if container not in _BYTECODE_AT:
        raise FormatError(f"unknown container {container}; expected 1 or 2")
    if text != b"..." or label or second_label:
        raise FormatError("has labels in its header, which no released compiler writes")
    if not _IDENTITY.fullmatch(identity):
        raise FormatError(f"{identity[:16]!r} is not the start of a compiler identity; expected 64 hexadecimal digits")
    start = _BYTECODE_AT[container]
    filler = data[_HEADER.size + (_SIZE.size if container == 2 else 0) : start]
    if filler.strip(b"\0"):
        raise FormatError(f"has {filler.hex(' ')!r} before byte {start}; expected zeros")
    bytecode = memoryview(data)[start:]
    if container == 1:
        # This container leaves the compiler's version at zero; its platform 26.N is Mojo 0.26.N.
        return MojoPackage(
            container=1,
            version=f"0.{year}.{release}",
            identity=identity.decode(),
            producer=_check_bytecode(bytecode),
            unpacked=len(bytecode),
        )
    (unpacked,) = _SIZE.unpack_from(data, _HEADER.size)
    _check_frame(bytecode, unpacked)
    return MojoPackage(
        container=2,
        version=".".join(map(str, version)),
        identity=identity.decode(),
        producer="",
        unpacked=unpacked,
    )


def _check_bytecode(data: memoryview) -> str:
    """Walk the sections of MLIR bytecode to its end, and return its producer."""
    if data[:4] != _MLIR_MAGIC:
        raise FormatError(f"{bytes(data[:4]).hex(' ')!r} is not the start of MLIR bytecode; expected '4d 4c ef 52'")
    _, position = _varint(data, 4)
    producer, end, _ = bytes(data[position : position + 65]).partition(b"\0")
    if not (end and _PRODUCER.fullmatch(producer)):
        raise FormatError(f"{producer!r} is not the name of an MLIR producer; expected a short name")
    position += len(producer) + 1
    if position == len(data):
        raise FormatError("has no bytecode section")
    while position < len(data):
        kind = data[position]
        size, position = _varint(data, position + 1)
        if kind & _ALIGNED:
            alignment, position = _varint(data, position)
            while alignment and position % alignment and position < len(data) and data[position] == _FILLER:
                position += 1
        position += size
    _check_end(data, position)
    return producer.decode()


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    """The number at a position and the position after it; the first byte's trailing zeros count further bytes."""
    _check_end(data[: position + 1], position + 1)
    first = data[position]
    size = (first & -first).bit_length() if first else 9
    if position + size > len(data):
        raise FormatError(f"ends at byte {len(data)} of its bytecode, inside a number")
    if not first:
        return int.from_bytes(data[position + 1 : position + 9], "little"), position + 9
    return int.from_bytes(data[position : position + size], "little") >> size, position + size


def _check_frame(data: memoryview, unpacked: int) -> None:
    """Walk the blocks of a zstd frame (RFC 8878, section 3.1.1) to its end."""
    if data[:4] != _ZSTD_MAGIC:
        raise FormatError(f"{bytes(data[:4]).hex(' ')!r} is not the start of a zstd frame; expected '28 b5 2f fd'")
    _check_end(data[:5], 5)
    descriptor = data[4]
    single, has_checksum = bool(descriptor & 0x20), bool(descriptor & 0x04)
    size_width = (int(single), 2, 4, 8)[descriptor >> 6]
    dictionary_width = (0, 1, 2, 4)[descriptor & 3]
    position = 5 + (not single) + dictionary_width
    size = int.from_bytes(data[position : position + size_width], "little") + (256 if size_width == 2 else 0)
    if size_width and size != unpacked:
        raise FormatError(f"its zstd frame unpacks to {size} bytes, but its header says {unpacked}")
    position += size_width
    last = False
    while not last:
        block = int.from_bytes(data[position : position + 3], "little")
        _check_end(data[: position + 3], position + 3)
        last = bool(block & 1)
        position += 3 + (1 if block >> 1 & 3 == _REPEATED_BYTE else block >> 3)
    _check_end(data, position + 4 * has_checksum)


def _check_end(data: memoryview, expected: int) -> None:
    if len(data) < expected:
        raise FormatError(f"ends at byte {len(data)} of its bytecode; expected {expected}: the file is truncated")
    if len(data) > expected:
        raise FormatError(f"has {len(data) - expected} bytes after the end of its bytecode at byte {expected}")
