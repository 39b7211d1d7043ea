"""Platforms as bundles name them: an operating system, '_', a processor."""

from __future__ import annotations

from packyard.formats.errors import FormatError

SYSTEMS = ("linux", "darwin", "windows")
PROCESSORS = ("amd64", "arm64")
PLATFORMS = tuple(f"{system}_{processor}" for system in SYSTEMS for processor in PROCESSORS)


def read_platform(text: str) -> str:
    """`text` when it names a platform that launchers exist for, else FormatError."""
    if text not in PLATFORMS:
        raise FormatError(f"{text!r} is not a platform; expected one of {', '.join(PLATFORMS)}")
    return text
