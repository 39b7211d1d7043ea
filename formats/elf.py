"""ELF files (System V ABI, chapters 4 and 5): what a program or library needs, and the same without its symbols."""

from __future__ import annotations

import operator
import re
import struct
from dataclasses import dataclass
from itertools import takewhile
from mmap import mmap

from packyard.formats.errors import FormatError

MAGIC = b"\x7fELF"

_LOAD, _DYNAMIC, _INTERPRETER = 1, 2, 3  # program header types
_NEEDED, _STRTAB, _RPATH, _RUNPATH, _VERNEED = 1, 5, 15, 29, 0x6FFFFFFE  # dynamic tags
_GLIBC = re.compile(r"GLIBC_(\d{1,9})\.(\d{1,9})")
_LONGEST = 4096  # bytes of a name in the string table
_MOST_VERSIONS = 10_000  # the largest programs ask for a few hundred
_MACHINES = {62: "amd64", 183: "arm64"}

# glibc's own libraries: they belong to the system, and must match its loader.
GLIBC_LIBRARIES = re.compile(
    r"(ld-linux.*|libc|libm|libdl|libpthread|librt|libutil|libresolv|libanl|libmvec|libBrokenLocale|libnss_\w+"
    r"|libthread_db)\.so\.\d+|linux-vdso\.so\.1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Elf:
    """What the loader reads of a file. `runpath` is DT_RUNPATH or else DT_RPATH, '' when there is neither; `glibc` is
    the newest symbol version asked of glibc, (0, 0) for none; `end` is the position of the last byte that is ever
    loaded."""

    machine: str  # 'amd64', 'arm64', or the ABI's number
    interpreter: str  # the loader a program asks for, '' for a library
    needed: tuple[str, ...]
    runpath: str
    glibc: tuple[int, int]
    end: int


def read_elf(data: bytes | mmap) -> Elf:
    """Read a 64-bit little-endian ELF file (of a mapped one, only what is needed); FormatError if it is not one or is
    corrupt."""
    if data[:4] != MAGIC:
        raise FormatError("this is not an ELF file")
    if data[4:6] != b"\2\1":
        raise FormatError("this is not a 64-bit little-endian ELF file")
    try:
        return _read(data)
    except (struct.error, LookupError, OverflowError, ValueError):
        raise FormatError("the ELF file is corrupt") from None


def strip_elf(data: bytes) -> bytes:
    """The file without its section table and without everything that is never loaded: symbols and debug information.

    The loader uses only program headers, so the result runs as before; it cannot be relinked or patched.
    """
    end = read_elf(data).end
    if not 64 <= end <= len(data):
        raise FormatError("the ELF file is corrupt")
    header = bytearray(data[:64])
    struct.pack_into("<Q", header, 40, 0)  # e_shoff
    struct.pack_into("<2H", header, 60, 0, 0)  # e_shnum, e_shstrndx
    return bytes(header) + data[64:end]


def _read(data: bytes | mmap) -> Elf:
    machine = struct.unpack_from("<H", data, 18)[0]
    table, count = struct.unpack_from("<Q", data, 32)[0], struct.unpack_from("<H", data, 56)[0]
    loads: list[tuple[int, int, int]] = []  # address, offset, size in the file
    dynamic = b""
    interpreter = ""
    end = table + 56 * count
    for number in range(count):
        kind, _, offset, address, _, size = struct.unpack_from("<2I4Q", data, table + 56 * number)
        end = max(end, offset + size)
        if kind == _LOAD:
            loads.append((address, offset, size))
        elif kind == _DYNAMIC:
            dynamic = data[offset : offset + size]
        elif kind == _INTERPRETER:
            interpreter = data[offset : offset + size].rstrip(b"\0").decode()
    rows = (struct.unpack_from("<2Q", dynamic, at) for at in range(0, len(dynamic), 16))
    tags = list(takewhile(operator.itemgetter(0), rows))  # up to DT_NULL
    found = dict(tags)
    strings = _offset(loads, found[_STRTAB]) if _STRTAB in found else 0

    def text(at: int) -> str:
        string, stop, _ = data[strings + at : strings + at + _LONGEST].partition(b"\0")
        if not stop:
            raise FormatError("the ELF file is corrupt (unterminated name)")
        return string.decode()

    runpath = found.get(_RUNPATH, found.get(_RPATH))
    return Elf(
        machine=_MACHINES.get(machine, str(machine)),
        interpreter=interpreter,
        needed=tuple(text(value) for tag, value in tags if tag == _NEEDED),
        runpath="" if runpath is None else text(runpath),
        glibc=max(
            (_glibc(text(name)) for name in _version_names(data, loads, found)),
            default=(0, 0),
        ),
        end=end,
    )


def _offset(loads: list[tuple[int, int, int]], address: int) -> int:
    for start, offset, size in loads:
        if start <= address < start + size:
            return offset + address - start
    raise FormatError("the ELF file is corrupt (address out of range)")


def _version_names(data: bytes | mmap, loads: list[tuple[int, int, int]], found: dict[int, int]) -> list[int]:
    """Where in the string table the names of the required symbol versions are."""
    if _VERNEED not in found:
        return []
    names: list[int] = []
    at = _offset(loads, found[_VERNEED])
    while len(names) < _MOST_VERSIONS:
        _, count, _, first, following = struct.unpack_from("<2H3I", data, at)
        aux = at + first
        for _ in range(count):
            _, _, _, name, after = struct.unpack_from("<I2H2I", data, aux)
            names.append(name)
            aux += after
        if not count or not following:
            return names
        at += following
    raise FormatError("the ELF file is corrupt (endless list of symbol versions)")


def _glibc(version: str) -> tuple[int, int]:
    match = _GLIBC.match(version)
    return (int(match[1]), int(match[2])) if match else (0, 0)
