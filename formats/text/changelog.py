"""CHANGELOG.md as Keep a Changelog 1.1.0 defines it: a heading of the second level for each version, newest first, with
what is not released yet above them.

A heading names a version (`## [0.2.0] - 2026-11-25`, `## v0.2.0`), or where one file serves several packages, each of
them with its own (`## [tensor 0.2.0, nn 0.1.1] - 2026-11-25`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from packyard.formats.semver import is_version

_HEADING = re.compile(r"^##[ \t]+(?P<title>.+?)[ \t]*\r?$", re.M)
_TITLE = re.compile(r"\[?(?P<names>[^\]]+?)\]?(?:\([^)]*\))?(?:\s+(?:-|–|—|\()\s*(?P<rest>.*))?")
_UNRELEASED = re.compile(r"unreleased|not released yet", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The section below one heading. `versions` are (package or '', version); none when it is not released."""

    title: str
    versions: tuple[tuple[str, str], ...]
    is_unreleased: bool
    text: str


def read_changelog(text: str) -> tuple[Entry, ...]:
    """The sections of a changelog, in order; headings that name no version are left out."""
    found = list(_HEADING.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    entries = (_entry(match["title"], text[match.end() : end]) for match, end in zip(found, ends))
    return tuple(entry for entry in entries if entry.versions or entry.is_unreleased)


def find_entry(text: str, name: str, version: str) -> Entry | None:
    """The section for a version of a package; a section whose heading has only the version is for every package."""
    for entry in read_changelog(text):
        if {(name, version), ("", version)} & {*entry.versions}:
            return entry
    return None


def release(text: str, title: str, date: str) -> str | None:
    """`text` with the unreleased entries moved below the heading `## [title] - date`; None when there is nothing.

    A heading "Unreleased" stays, empty, above it; one like `## [0.2.0] - unreleased` becomes the new one. The link that
    compares the last version with HEAD at the end of the file is followed by one for the new version.
    """
    for match in _HEADING.finditer(text):
        entry = _entry(match["title"], "")
        if not entry.is_unreleased:
            continue
        following = _HEADING.search(text, match.end())
        end = following.start() if following else len(text)
        if not re.search(r"^[ \t]*[^\s#\[]", text[match.end() : end], re.M):
            return None
        line_end = "\r\n" if "\r\n" in text else "\n"
        heading = f"## [{title}] - {date}"
        kept = "" if entry.versions else f"{match.group().rstrip()}{line_end}{line_end}"
        carriage = "\r" if match.group().endswith("\r") else ""
        return _linked(f"{text[: match.start()]}{kept}{heading}{carriage}{text[match.end() :]}", title, line_end)
    return None


def title_of(versions: Sequence[tuple[str, str]]) -> str:
    """What a heading says for packages that are released together: one version, or each with its name."""
    distinct = dict.fromkeys(version for _, version in versions)
    return next(iter(distinct)) if len(distinct) == 1 else ", ".join(f"{name} {version}" for name, version in versions)


def _entry(title: str, text: str) -> Entry:
    match = _TITLE.fullmatch(title)
    names, rest = (match["names"], match["rest"] or "") if match else (title, "")
    versions: list[tuple[str, str]] = []
    for part in names.split(","):
        name, _, version = part.strip().rpartition(" ")
        bare = version.removeprefix("v")
        if is_version(bare) or re.fullmatch(r"\d+(\.\d+)+\w*", bare):
            versions.append((name, bare))
    is_unreleased = bool(_UNRELEASED.search(rest) if versions else _UNRELEASED.fullmatch(names))
    return Entry(title=title, versions=tuple(versions), is_unreleased=is_unreleased, text=text.strip())


def _linked(text: str, title: str, line_end: str) -> str:
    pattern = re.compile(r"^(?P<head>\[unreleased\]: (?P<url>\S+/compare/))(?P<tag>\S+)\.\.\.(?P<top>\w+)", re.I | re.M)
    match = pattern.search(text)
    if match is None or " " in title or match["tag"].endswith(title):
        return text
    sign = "v" if match["tag"].startswith("v") else ""
    now = f"{match['head']}{sign}{title}...{match['top']}"
    before = f"[{title}]: {match['url']}{match['tag']}...{sign}{title}"
    return f"{text[: match.start()]}{now}{line_end}{before}{text[match.end() :]}"
