"""Ranges of semantic versions, as `[dependencies]` of a mojo.toml writes them.

A bare `0.1.0` means what is compatible with it: `>=0.1.0,<0.2.0`, and from 1.0.0 on everything before the next
major version. `=0.1.0` is that version alone; `>=0.1,<0.4` and the like are joined by commas; `*` is any version.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import semver
from packyard.formats.errors import FormatError

_CONDITION = re.compile(
    r"(?P<sign>>=|<=|==|=|>|<|\^|~|)\s*"
    r"(?P<numbers>(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){0,2})(?P<rest>(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)"
)
_COMPARE = {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt, "=": operator.eq}


@dataclass(frozen=True, slots=True)
class VersionRange:
    """Versions that meet every one of some comparisons; none of them is any version."""

    comparisons: tuple[tuple[str, semver.Version], ...]

    def admits(self, version: str) -> bool:
        """Whether a version is in the range. A pre-release of an upper bound is beyond it."""
        found = semver.Version.parse(version)
        return all(_meets(found, sign, bound) for sign, bound in self.comparisons)


def read_range(text: str) -> VersionRange:
    """The range that a text writes, or FormatError."""
    if text.strip() == "*":
        return VersionRange(())
    comparisons: list[tuple[str, semver.Version]] = []
    for part in text.split(","):
        match = _CONDITION.fullmatch(part.strip())
        numbers = match["numbers"].split(".") if match else []
        if match is None or (match["rest"] and len(numbers) < 3):
            raise FormatError(f"{text!r} is not a version range; expected one like '0.1.0' or '>=0.1.0,<0.3.0'")
        try:
            bound = semver.Version.parse(".".join([*numbers, *["0"] * (3 - len(numbers))]) + match["rest"])
        except ValueError:
            raise FormatError(f"{part.strip()!r} contains no SemVer version; expected one like 0.1.0") from None
        comparisons.extend(_comparisons(match["sign"], bound, len(numbers)))
    return VersionRange(tuple(comparisons))


def range_for(text: str, version: str) -> str:
    """The range that admits `version`, written as `text` is: with its sign and as many numbers. A range of several
    conditions becomes what is compatible with the version. FormatError if `text` is not a range."""
    if read_range(text).admits(version):
        return text
    match = _CONDITION.fullmatch(text.strip())
    if match is not None and match["sign"] in ("", "^", "~", "=", "=="):
        count = 3 if semver.Version.parse(version).prerelease else match["numbers"].count(".") + 1
        numbers = version if count == 3 else ".".join(version.split(".")[:count])
        return text[: match.start("numbers")] + numbers + text[match.end() :]
    low, high = read_range(version).comparisons
    return f">={low[1]},<{high[1]}"


def newest(versions: Mapping[str, str], ranges: Iterable[str]) -> str:
    """The value of the newest of some versions that is in all `ranges`, '' if there is none. Pre-releases, and keys
    that are not SemVer versions, do not count."""
    wanted = [read_range(text) for text in ranges]
    found = [
        (semver.Version.parse(text), text)
        for text in versions
        if semver.Version.is_valid(text) and all(each.admits(text) for each in wanted)
    ]
    released = [(version, text) for version, text in found if not version.prerelease]
    return versions[max(released)[1]] if released else ""


def _comparisons(sign: str, bound: semver.Version, given: int) -> list[tuple[str, semver.Version]]:
    """What a sign means for a version written with `given` numbers."""
    match sign:
        case "" | "^":
            return [(">=", bound), ("<", _next(bound, _leading(bound, given)))]
        case "~":
            return [(">=", bound), ("<", _next(bound, min(given, 2)))]
        case "=" | "==" if given < 3:
            return [(">=", bound), ("<", _next(bound, given))]
        case "==":
            return [("=", bound)]
    return [(sign, bound)]


def _leading(bound: semver.Version, given: int) -> int:
    """How many numbers stay the same among compatible versions: up to the first that is not zero."""
    for count, number in enumerate((bound.major, bound.minor, bound.patch), start=1):
        if number or count == given:
            return count
    return 3


def _next(bound: semver.Version, count: int) -> semver.Version:
    """The first version whose first `count` numbers are beyond those of `bound`."""
    numbers = [bound.major, bound.minor, bound.patch][:count]
    numbers[-1] += 1
    return semver.Version(*numbers)


def _meets(found: semver.Version, sign: str, bound: semver.Version) -> bool:
    if sign == "<" and not bound.prerelease:
        return bool(found.finalize_version() < bound)
    if sign == "=" and not bound.build:
        found = found.replace(build=None)
    return bool(_COMPARE[sign](found, bound))
