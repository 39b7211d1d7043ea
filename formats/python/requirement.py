"""Versions and requirements of Python distributions: PEP 440, PEP 508, and Python versions as bundles name them."""

from __future__ import annotations

import re

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from packyard.formats.errors import FormatError
from packyard.formats.relpath import FileName, read_file_name

# PEP 508, section "Names".
_DISTRIBUTION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


def read_distribution_name(text: str) -> str:
    """The name of a distribution, as written."""
    if not _DISTRIBUTION.fullmatch(text):
        raise FormatError(f"{text!r} is not a distribution name; expected letters and digits with . _ - between them")
    return text


def read_canonical_name(text: str) -> FileName:
    """The normalised name of a distribution, as used in file names."""
    return read_file_name(canonicalize_name(read_distribution_name(text)))


def read_python_release(text: str) -> str:
    """A PEP 440 version in its normal form ('1.0-RC1' is '1.0rc1'), because wheels are named by that."""
    try:
        return str(Version(text))
    except ValueError:  # raised as InvalidVersion, and for numbers with more digits than Python converts
        raise FormatError(f"{text!r} is not a version; expected a PEP 440 version like 1.2.0") from None


def read_requirement(text: str) -> str:
    """A PEP 508 dependency, as written, but for the user and password of a URL: what is read goes into locks, keys,
    messages and metadata. Whoever downloads looks them up in the manifest (`passwords`)."""
    text = without_password(text)
    try:
        Requirement(text)
    except InvalidRequirement as error:
        reason = str(error).splitlines()[0].rstrip(".:")
        raise FormatError(
            f"{text!r} is not a dependency; expected one like 'flask>=2.0' ({reason[:1].lower() + reason[1:]})"
        ) from None
    return text


def without_password(url: str) -> str:
    """A URL, or a requirement with one, without user and password (the user of ssh is no secret, and needed)."""
    return re.sub(r"(\bhttps?://)[^/?#\s\"'<>]*@", r"\1", url)


def passwords(text: str) -> list[str]:
    """The URLs in a manifest's text that have a user or a password."""
    return re.findall(r"https?://[^/?#\s\"'<>]+@[^\s\"'<>]+", text)


def read_specifier(text: str) -> str:
    """A set of version conditions ('>=3.11,<4'), as written."""
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        raise FormatError(f"{text!r} is not a version range; expected one like '>=3.11'") from None
    return text


def read_python_version(text: str) -> str:
    """A Python minor version: '3.12'."""
    if not re.fullmatch(r"3\.(0|[1-9][0-9]*)", text):
        raise FormatError(f"{text!r} is not a Python version; expected one like '3.12'")
    return text


def requirement_for(text: str, version: str) -> str:
    """The PEP 508 dependency `text` with a condition that admits `version`: `==` and `~=` are kept, any other set of
    conditions becomes what is compatible with the version. Unchanged if it admits the version already."""
    requirement = Requirement(text)
    specifier = requirement.specifier
    if specifier.contains(version, prereleases=True):
        return text
    only = next(iter(specifier))
    if len(specifier) == 1 and only.operator in ("==", "~=") and not only.version.endswith(".*"):
        new = f"{only.operator}{version}"
    else:
        major, minor, *_ = (*Version(version).release, 0)
        new = f">={version},<{major + 1}" if major else f">={version},<0.{minor + 1}"
    # Name, extras, conditions (PEP 508 allows them in parentheses), marker.
    match = re.fullmatch(r"(?P<head>\s*[\w.-]+\s*(?:\[[^\]]*\]\s*)?)\(?[^;)]*\)?(?P<rest>\s*(?:;.*)?)", text)
    assert match is not None
    return f"{match['head']}{new}{match['rest']}"
