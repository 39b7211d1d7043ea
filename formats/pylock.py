"""pylock.toml (PEP 751): what a lock pins, and which question it is the answer to.

Packyard adds a table of its own, `[tool.packyard]` with `requirements` and `python`: the question. A lock whose
question is no longer the one being asked has drifted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packyard.formats.errors import FormatError
from packyard.formats.table import Table, reading
from packyard.formats.toml import read_toml

_STAMP = re.compile(r"\n*^\[tool\.packyard\]\n.*\Z", re.DOTALL | re.MULTILINE)

# A `[[packages]]` with its own tables, up to the next header of another.
_PACKAGE = re.compile(r"^\[\[packages\]\][^\n]*\n(?:(?!\[\[packages\]\]|\[(?!\[?packages\.)).*\n?)*", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pylock:
    """A lock. `packages` are (canonical name, version), the version '' for a source tree; `requirements` and
    `python` are the question, () and '' when somebody else made the lock."""

    packages: tuple[tuple[str, str], ...]
    requirements: tuple[str, ...] = ()
    python: str = ""
    ours: bool = False


def read_pylock(text: str, place: str) -> Pylock:
    """Read a pylock.toml; FormatError with all its problems, among them every file without a SHA-256."""
    with reading(read_toml(text, place), place) as top:
        top.ignore_rest()
        version = top.text("lock-version", required=True)
        if version and version.partition(".")[0] != "1":
            top.problem("lock-version", f"{version!r} is not known, '1.0' was expected")
        packages = tuple(_package(table) for table in top.tables("packages"))
        tool = top.table("tool")
        tool.ignore_rest()
        stamp = tool.table("packyard")
        return Pylock(
            packages=packages,
            requirements=stamp.texts("requirements"),
            python=stamp.text("python"),
            ours="packyard" in tool,
        )


def stamp_pylock(text: str, *, requirements: Iterable[str], python: str) -> str:
    """The lock with the question it answers, in place of an earlier one."""
    lines = "".join(f"    {_quoted(requirement)},\n" for requirement in sorted(requirements))
    listed = f"[\n{lines}]" if lines else "[]"
    return f"{_STAMP.sub('', text).rstrip()}\n\n[tool.packyard]\npython = {_quoted(python)}\nrequirements = {listed}\n"


def drift(lock: Pylock, *, requirements: Iterable[str], python: str) -> Iterator[str]:
    """What separates a lock from the question that is asked now, in words; nothing when it is its answer."""
    wanted = {_normal(text): text for text in requirements}
    if lock.ours:
        if lock.python != python:
            yield f"it is for Python {lock.python or 'of no version'}, {python} is wanted"
        locked = {_normal(text): text for text in lock.requirements}
        yield from (f"{text!r} was added" for key, text in sorted(wanted.items()) if key not in locked)
        yield from (f"{text!r} was taken away" for key, text in sorted(locked.items()) if key not in wanted)
        return
    pinned = dict(lock.packages)
    for text in wanted.values():
        requirement = Requirement(text)
        version = pinned.get(canonicalize_name(requirement.name))
        if version is None:
            if requirement.marker is None:
                yield f"{text!r} is not in it"
        elif version and not requirement.specifier.contains(version, prereleases=True):
            yield f"{text!r} does not fit the locked {version}"


def divide_pylock(text: str, place: str) -> dict[tuple[str, str], str]:
    """For each package of a lock, by name and version, a lock that lists it alone; {} when the text does not list
    each in a `[[packages]]` of its own, or lists one distribution twice."""
    packages = read_pylock(text, place).packages
    blocks = _PACKAGE.findall(text)
    if len(blocks) != len(packages) or len({name for name, _ in packages}) != len(packages):
        return {}
    head = 'lock-version = "1.0"\ncreated-by = "packyard"\n\n'
    return {package: f"{head}{block.rstrip()}\n" for package, block in zip(packages, blocks)}


def _package(table: Table) -> tuple[str, str]:
    table.ignore_rest()
    name = table.text("name", required=True)
    for kind in ("wheels", "sdist", "archive"):
        files = table.tables(kind) if kind == "wheels" else [table.table(kind)] if kind in table else []
        for file in files:
            file.ignore_rest()
            hashes = file.table("hashes")
            hashes.ignore_rest()
            if not re.fullmatch(r"[0-9a-f]{64}", hashes.text("sha256")):
                file.problem("hashes.sha256", f"{name!r} has a file without a SHA-256, so it cannot be verified")
    return canonicalize_name(name), table.text("version")


def _normal(text: str) -> str:
    requirement = Requirement(text)
    extras = ",".join(sorted(canonicalize_name(extra) for extra in requirement.extras))
    return (
        f"{canonicalize_name(requirement.name)}[{extras}]{requirement.specifier}{requirement.url}{requirement.marker}"
    )


def _quoted(text: str) -> str:
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise FormatError(f"{text!r} has a control character")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
