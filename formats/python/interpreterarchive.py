"""Archives of interpreters in the `install_only` layout: a tar.gz with one folder `python/`, a whole installation."""

from __future__ import annotations

import re
import struct

from packyard.formats.archive.gzipped import Reader
from packyard.formats.archive.tarball import read_tar
from packyard.formats.errors import FormatError
from packyard.formats.stream import Stream

LARGEST = 1 << 31  # bytes of an unpacked archive; the largest are 0.4 GB

_UNIX = re.compile(r"python/bin/python(3\.\d+)")
_WINDOWS = re.compile(r"python/python3(\d+)\.dll")
_ELF = {62: "linux_amd64", 183: "linux_arm64"}  # e_machine
_MACHO = {0x01000007: "darwin_amd64", 0x0100000C: "darwin_arm64"}  # cputype
_PE = {0x8664: "windows_amd64", 0xAA64: "windows_arm64"}  # Machine
_HEAD = 4096  # bytes at the start of a program that say what it is for


def identify(stream: Stream) -> tuple[str, str]:
    """The version ('3.12') and platform of the interpreter in an archive; FormatError if there is none."""
    found: tuple[str, str] | None = None
    for member in read_tar(Reader(stream, limit=LARGEST), limit=LARGEST, links=True):
        if member.path.partition("/")[0] != "python":
            raise FormatError(f"{member.path!r} is outside the folder 'python'")
        unix, windows = _UNIX.fullmatch(member.path), _WINDOWS.fullmatch(member.path)
        if member.kind == "file" and (unix or windows):
            version = unix[1] if unix else f"3.{windows[1]}" if windows else ""
            found = version, _platform(member.body.read(_HEAD))
    if found is None:
        raise FormatError("contains neither 'python/bin/python3.X' nor 'python/python3X.dll'")
    return found


def _platform(head: bytes) -> str:
    try:
        if head.startswith(b"\x7fELF"):
            return _ELF[struct.unpack_from("<H", head, 18)[0]]
        if head.startswith(b"\xcf\xfa\xed\xfe"):
            return _MACHO[struct.unpack_from("<I", head, 4)[0]]
        if head.startswith(b"MZ"):
            return _PE[struct.unpack_from("<H", head, struct.unpack_from("<I", head, 0x3C)[0] + 4)[0]]
    except (KeyError, struct.error):
        pass
    raise FormatError("its program is for a platform that has no launcher")
