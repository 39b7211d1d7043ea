from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from packyard.formats.elf import GLIBC_LIBRARIES, read_elf, strip_elf
from packyard.formats.errors import FormatError

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads programs of Linux")

PROGRAM = Path(shutil.which("ls") or "/bin/ls")


def test_read_program_names_its_loader_and_libraries() -> None:
    elf = read_elf(PROGRAM.read_bytes())
    assert elf.machine in ("amd64", "arm64")
    assert "ld-linux" in elf.interpreter
    assert "libc.so.6" in elf.needed
    assert elf.glibc >= (2, 2)


def test_strip_program_runs_and_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "ls").write_bytes(strip_elf(PROGRAM.read_bytes()))
    (tmp_path / "ls").chmod(0o755)
    listed = subprocess.run([tmp_path / "ls", tmp_path], check=True, capture_output=True, text=True)
    assert listed.stdout == "ls\n"
    assert read_elf((tmp_path / "ls").read_bytes()).needed == read_elf(PROGRAM.read_bytes()).needed


def test_strip_twice_is_the_same_as_once() -> None:
    once = strip_elf(PROGRAM.read_bytes())
    assert strip_elf(once) == once


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"#!/bin/sh\n", "this is not an ELF file"),
        (b"\x7fELF\1\1" + bytes(60), "this is not a 64-bit little-endian ELF file"),
        (b"\x7fELF\2\1" + bytes(10), "the ELF file is corrupt"),
        (b"\x7fELF\2\1" + bytes(26) + struct.pack("<Q", 1 << 40) + bytes(16) + b"\1\0" + bytes(6),
         "the ELF file is corrupt"),
    ],
)  # fmt: skip
def test_read_what_is_no_program_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(FormatError) as error:
        read_elf(data)
    assert str(error.value) == message


def segment(data: bytes, kind: int) -> tuple[int, int]:
    """Offset and size in the file of the first segment of a kind."""
    (table,) = struct.unpack_from("<Q", data, 32)
    rows = [struct.unpack_from("<2I4Q", data, table + 56 * n) for n in range(data[56])]
    return next((row[2], row[5]) for row in rows if row[0] == kind)


def with_tag(data: bytes, tag: int, value: int) -> bytes:
    """A program whose dynamic section says something else."""
    offset, size = segment(data, 2)
    at = next(at for at in range(offset, offset + size, 16) if struct.unpack_from("<Q", data, at)[0] == tag)
    return data[: at + 8] + struct.pack("<Q", value) + data[at + 16 :]


def with_versions(data: bytes, first: bytes) -> bytes:
    """A program whose list of needed versions begins otherwise; its first segment stands at address 0."""
    offset, size = segment(data, 2)
    at = dict(struct.iter_unpack("<2Q", data[offset : offset + size]))[0x6FFFFFFE]
    return data[:at] + first + data[at + len(first) :]


# An entry without a name but with 50,000 versions, which are one; the next entry stands one byte further.
VERSIONS = struct.pack("<2H3I", 1, 50_000, 0, 16, 1) + struct.pack("<I2H2I", 0, 0, 0, 1, 0)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:32] + b"\xff" * 8 + data[40:], "the ELF file is corrupt"),
        (lambda data: with_tag(data, 5, 1 << 63), "the ELF file is corrupt (address out of range)"),
        (lambda data: with_tag(data, 1, 1 << 63), "the ELF file is corrupt (unterminated name)"),
        (lambda data: with_versions(data, VERSIONS),
         "the ELF file is corrupt (endless list of symbol versions)"),
    ],
)  # fmt: skip
def test_read_hostile_program_is_refused(damage: Callable[[bytes], bytes], message: str) -> None:
    with pytest.raises(FormatError) as error:
        read_elf(damage(PROGRAM.read_bytes()))
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("name", "own"),
    [("libc.so.6", True), ("ld-linux-x86-64.so.2", True), ("libcrypt.so.1", False), ("libssl.so.3", False)],
)
def test_glibc_libraries_are_told_from_others(name: str, own: bool) -> None:
    assert bool(GLIBC_LIBRARIES.fullmatch(name)) is own
