from __future__ import annotations

import io
import struct
import tarfile

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.python.interpreterarchive import identify


def elf(machine: int) -> bytes:
    return b"\x7fELF" + bytes(14) + struct.pack("<H", machine) + bytes(64)


def macho(processor: int) -> bytes:
    return b"\xcf\xfa\xed\xfe" + struct.pack("<I", processor) + bytes(64)


def pe(machine: int) -> bytes:
    return b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<H", machine)


def archive(files: dict[str, bytes]) -> io.BytesIO:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for path, data in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return io.BytesIO(out.getvalue())


@pytest.mark.parametrize(
    ("path", "data", "expected"),
    [
        ("python/bin/python3.12", elf(62), ("3.12", "linux_amd64")),
        ("python/bin/python3.8", elf(183), ("3.8", "linux_arm64")),
        ("python/bin/python3.13", macho(0x0100000C), ("3.13", "darwin_arm64")),
        ("python/bin/python3.13", macho(0x01000007), ("3.13", "darwin_amd64")),
        ("python/python311.dll", pe(0x8664), ("3.11", "windows_amd64")),
        ("python/python311.dll", pe(0xAA64), ("3.11", "windows_arm64")),
    ],
)
def test_interpreter_tells_version_and_platform(path: str, data: bytes, expected: tuple[str, str]) -> None:
    assert identify(archive({"python/lib/x.py": b"x", path: data, "python/python3.dll": b"MZ"})) == expected


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"python/lib/x.py": b""}, "contains neither 'python/bin/python3.X' nor 'python/python3X.dll'"),
        ({"other/x": b""}, "'other/x' is outside the folder 'python'"),
        ({"python/bin/python3.12": elf(8)}, "its program is for a platform that has no launcher"),
        ({"python/bin/python3.12": b"#!/bin/sh\n"}, "its program is for a platform that has no launcher"),
        ({"python/python311.dll": b"MZ"}, "its program is for a platform that has no launcher"),
    ],
)
def test_other_archive_is_refused(files: dict[str, bytes], message: str) -> None:
    with pytest.raises(FormatError) as error:
        identify(archive(files))
    assert str(error.value) == message


def test_file_that_is_no_archive_is_refused() -> None:
    with pytest.raises(FormatError, match="this is not gzip data"):
        identify(io.BytesIO(b"nothing of the kind"))
