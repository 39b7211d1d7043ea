"""Semantic versions (SemVer 2.0.0), the versions of Mojo packages, morloc packages and archives."""

from __future__ import annotations

import semver
from packyard.formats.errors import FormatError


def read_version(text: str) -> str:
    """`text` when it is a SemVer version, else FormatError."""
    try:
        semver.Version.parse(text)
    except ValueError:
        raise FormatError(f"{text!r} is not a version, a SemVer version like 0.1.0 was expected") from None
    return text
