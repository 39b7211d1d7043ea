"""Semantic versions (SemVer 2.0.0), the versions of Mojo packages, morloc packages and archives."""

from __future__ import annotations

from typing import Literal

import semver
from packaging.version import InvalidVersion, Version
from packyard.formats.errors import FormatError

Step = Literal["patch", "minor", "major"]
STEPS: tuple[Step, ...] = ("patch", "minor", "major")


def read_version(text: str) -> str:
    """`text` when it is a SemVer version, else FormatError."""
    try:
        semver.Version.parse(text)
    except ValueError:
        raise FormatError(f"{text!r} is not a version; expected a SemVer version like 0.1.0") from None
    return text


def is_version(text: str) -> bool:
    """Whether `text` is a SemVer version."""
    return semver.Version.is_valid(text)


def next_version(text: str, step: Step) -> str:
    """The next version by a step: '0.1.3' -> '0.2.0' by 'minor', a pre-release -> its release, if that is step enough.
    `text` may also be a PEP 440 version without an epoch, whose first three numbers count; FormatError otherwise."""
    return str(_read(text).next_version(step))


def is_step(before: str, after: str, step: Step) -> bool:
    """Whether `after` is at least a `step` beyond `before`."""
    return bool(_read(after) >= _read(next_version(before, step)))


def _read(text: str) -> semver.Version:
    if semver.Version.is_valid(text):
        return semver.Version.parse(text)
    try:
        version = Version(text)
        if version.epoch:  # SemVer has no epoch, and the version without it would be older
            raise InvalidVersion
    except ValueError:  # raised as InvalidVersion, and for numbers with more digits than Python converts
        raise FormatError(f"{text!r} is not a version; expected one like 0.1.0") from None
    major, minor, patch = (*version.release, 0, 0)[:3]
    return semver.Version(major, minor, patch, prerelease="0" if version.is_prerelease else None)
