from __future__ import annotations

import io
import struct

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.mojo.package import MojoPackage, read_package

IDENTITY = "0123456789abcdef" * 4
OTHER = "f" * 64


def bytecode(producer: bytes = b"MLIR23.0.0git", *sections: bytes) -> bytes:
    """MLIR bytecode of version 6 with the given sections, or one of three bytes."""
    return b"ML\xefR\x0d" + producer + b"\0" + b"".join(sections or (b"\x01\x07abc",))


def raw(data: bytes, identity: str = IDENTITY) -> bytes:
    """Container 1, as Mojo 0.26.2.0 writes it."""
    header = bytes.fromhex("4d504b47 01 2e2e2e 00000000 00 1a0200 00 00") + identity.encode()
    return header.ljust(88, b"\0") + data


def packed(frame: bytes, *, unpacked: int = 3, version: str = "010000", identity: str = IDENTITY) -> bytes:
    """Container 2, as Mojo 1.0.0 writes it."""
    header = bytes.fromhex(f"4d504b47 02 2e2e2e {version}00 00 1a0500 00 00") + identity.encode() + b"\0"
    return (header + struct.pack("<Q", unpacked)).ljust(96, b"\0") + frame


def zstd(*blocks: bytes, descriptor: int = 0x20, size: bytes = b"\x03", tail: bytes = b"") -> bytes:
    return b"\x28\xb5\x2f\xfd" + bytes([descriptor]) + size + b"".join(blocks) + tail


def block(data: bytes, *, last: bool = True, kind: int = 0, size: int | None = None) -> bytes:
    return ((len(data) if size is None else size) << 3 | kind << 1 | last).to_bytes(3, "little") + data


def read(data: bytes) -> MojoPackage:
    return read_package(io.BytesIO(data))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            bytecode(b"MLIR22.0.0git"),
            MojoPackage(container=0, version="0.25", identity="", producer="MLIR22.0.0git", unpacked=24),
        ),
        (
            bytecode(),
            MojoPackage(container=0, version="0.26.1", identity="", producer="MLIR23.0.0git", unpacked=24),
        ),
        (bytecode(b"X1"), MojoPackage(container=0, version="", identity="", producer="X1", unpacked=13)),
        (
            raw(bytecode()),
            MojoPackage(container=1, version="0.26.2", identity=IDENTITY, producer="MLIR23.0.0git", unpacked=24),
        ),
        (
            packed(zstd(block(b"abc"))),
            MojoPackage(container=2, version="1.0.0", identity=IDENTITY, producer="", unpacked=3),
        ),
        (
            packed(zstd(block(b"abc")), version="010200"),
            MojoPackage(container=2, version="1.2.0", identity=IDENTITY, producer="", unpacked=3),
        ),
    ],
    ids=["bare 0.25", "bare 0.26.1", "bare other", "container 1", "container 2", "later"],
)
def test_package_of_each_container_is_identified(data: bytes, expected: MojoPackage) -> None:
    assert read(data) == expected


@pytest.mark.parametrize(
    "frame",
    [
        zstd(block(b"ab", last=False), block(b"c")),
        zstd(block(b"c", kind=1, size=3)),  # one byte, three times
        zstd(block(b"abc"), descriptor=0x24, tail=b"sum!"),
        zstd(block(b"abc"), descriptor=0x00, size=b"\x58"),  # a window instead of a size
        zstd(block(b"abc"), descriptor=0xA0, size=b"\x03\0\0\0"),
    ],
    ids=["two blocks", "repeated byte", "checksum", "window", "wide size"],
)
def test_frame_of_each_shape_is_walked_to_its_end(frame: bytes) -> None:
    assert read(packed(frame)).unpacked == 3


def test_sections_of_bytecode_may_be_aligned_and_long() -> None:
    # Two-byte numbers end in the bits 10; the aligned section begins at 36, behind filler.
    aligned = b"\x82\x05" + b"\x21" + b"\xcb" * 9 + b"xy"
    long = b"\x00" + (300 << 2 | 2).to_bytes(2, "little") + b"z" * 300
    huge = b"\x03\x00" + (4).to_bytes(8, "little") + b"wide"
    assert read(bytecode(b"MLIR23.0.0git", aligned, long, huge)).version == "0.26.1"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "'' is not the start of a Mojo package; expected '4d 50 4b 47' (MPKG) or '4d 4c ef 52' (MLIR)"),
        (
            b"PK\x03\x04",
            "'50 4b 03 04' is not the start of a Mojo package; expected '4d 50 4b 47' (MPKG) or '4d 4c ef 52' (MLIR)",
        ),
        (raw(b"")[:60], "ends at byte 60, inside its header"),
        (b"MPKG\x03" + packed(b"")[5:], "unknown container 3; expected 1 or 2"),
        (
            packed(zstd(block(b"abc"))).replace(b"...", b".5.", 1),
            "has labels in its header, which no released compiler writes",
        ),
        (
            packed(zstd(block(b"abc")), identity=IDENTITY.upper()),
            "b'0123456789ABCDEF' is not the start of a compiler identity; expected 64 hexadecimal digits",
        ),
        (
            raw(bytecode())[:82] + b"\0\1\0\0\0\0" + bytecode(),
            "has '00 01 00 00 00 00' before byte 88; expected zeros",
        ),
        (raw(b"\0" * 9), "'00 00 00 00' is not the start of MLIR bytecode; expected '4d 4c ef 52'"),
        (packed(b"\0" * 9), "'00 00 00 00' is not the start of a zstd frame; expected '28 b5 2f fd'"),
        (bytecode(b"M IR"), "b'M IR' is not the name of an MLIR producer; expected a short name"),
        (b"ML\xefR\x0dMLIR", "b'MLIR' is not the name of an MLIR producer; expected a short name"),
        (b"ML\xefR\x0dMLIR\0", "has no bytecode section"),
        (b"ML\xefR", "ends at byte 4 of its bytecode; expected 5: the file is truncated"),
        (bytecode(b"M", b"\x01\x02"), "ends at byte 9 of its bytecode, inside a number"),
        (bytecode()[:-1], "ends at byte 23 of its bytecode; expected 24: the file is truncated"),
        (packed(zstd(block(b"abc")) + b"!"), "has 1 bytes after the end of its bytecode at byte 12"),
        (packed(zstd(block(b"abc"))[:-1]), "ends at byte 11 of its bytecode; expected 12: the file is truncated"),
        (
            packed(zstd(block(b"abc", last=False))),
            "ends at byte 12 of its bytecode; expected 15: the file is truncated",
        ),
        (packed(zstd(block(b"abc")), unpacked=4), "its zstd frame unpacks to 3 bytes, but its header says 4"),
    ],
)
def test_package_of_wrong_bytes_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        read(data)
    assert str(caught.value) == message


@pytest.mark.parametrize("data", [bytecode(), raw(bytecode()), packed(zstd(block(b"abc")))])
def test_package_cut_anywhere_is_refused(data: bytes) -> None:
    for size in range(len(data)):
        with pytest.raises(FormatError):
            read(data[:size])


def test_package_fits_the_compiler_of_its_identity_alone() -> None:
    library = read(packed(zstd(block(b"abc"))))
    assert read(packed(zstd(block(b"xyz")))).fits(library)
    assert not read(packed(zstd(block(b"xyz")), identity=OTHER)).fits(library)
    assert not read(raw(bytecode())).fits(library)
    assert read(bytecode()).fits(read(bytecode(b"MLIR23.0.0git", b"\x03\x03z")))
    assert not read(bytecode()).fits(read(bytecode(b"MLIR22.0.0git")))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (packed(zstd(block(b"abc"))), "Mojo 1.0.0, only the build 0123456789ab"),
        (bytecode(), "Mojo 0.26.1 only"),
        (bytecode(b"MLIR99"), "a Mojo compiler with MLIR99"),
    ],
)
def test_package_says_who_accepts_it(data: bytes, expected: str) -> None:
    assert read(data).accepted_by == expected
