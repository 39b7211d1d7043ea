"""pylock.toml (PEP 751): what a lock pins, and which question it answers.

Packyard adds a table of its own, `[tool.packyard]` with `requirements` and `python`: the question. A lock has drifted
if its question is no longer the one being asked. `[[tool.packyard.build]]` says, in a lock within the lock, what builds
a distribution that has no wheel.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import tomlkit
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packyard.formats.errors import FormatError
from packyard.formats.python.requirement import read_canonical_name, read_python_release, read_requirement
from packyard.formats.relpath import FileName
from packyard.formats.text.table import Table, reading
from packyard.formats.text.toml import quoted, read_toml

_STAMP = re.compile(r"\n*^\[tool\.packyard\]\n.*\Z", re.DOTALL | re.MULTILINE)

# PEP 751: beside requires-python, the lists that a package is chosen by.
_SELECTING = ("environments", "extras", "dependency-groups", "default-groups")

# A `[[packages]]` with its own tables, up to the next header of another.
_PACKAGE = re.compile(r"^\[\[packages\]\][^\n]*\n(?:(?!\[\[packages\]\]|\[(?!\[?packages\.)).*\n?)*", re.MULTILINE)

_known: dict[bytes, Pylock] = {}  # what was read, by the SHA-256 of the text


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What builds the source of a distribution: the requirements that it declares, and their lock as a text."""

    name: FileName
    requires: tuple[str, ...]
    lock: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pylock:
    """A lock. `packages` are (canonical name, version), the version '' for a source tree; `requirements`, `settings`
    and `python` are the question, () and '' if another tool made the lock. `taken` is the lock of another tool that
    this one repeats, and `taken_sha256` that lock's digest. `maker` is the tool that wrote it, and `head` the keys of
    the whole lock that decide which of its packages are for a machine, as TOML."""

    packages: tuple[tuple[str, str], ...]
    requirements: tuple[str, ...] = ()
    python: str = ""
    settings: tuple[str, ...] = ()
    builds: tuple[Build, ...] = ()
    taken: str = ""
    taken_sha256: str = ""
    ours: bool = False
    maker: str = ""
    head: str = ""


def read_pylock(text: str, place: str) -> Pylock:
    """Read a pylock.toml; FormatError with all its problems, among them every file without a SHA-256.

    A text is read once: several kinds ask for it, and the applications of one team often have equal locks.
    """
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
    if digest not in _known:
        _known[digest] = _read(text, place)
    return _known[digest]


def _read(text: str, place: str) -> Pylock:
    with reading(read_toml(text, place), place) as top:
        top.ignore_rest()
        version = top.text("lock-version", required=True)
        if version and version.partition(".")[0] != "1":
            top.problem("lock-version", f"{version!r} is not a known version; expected '1.0'")
        packages = tuple(_package(table) for table in top.tables("packages"))
        tool = top.table("tool")
        tool.ignore_rest()
        stamp = tool.table("packyard")
        return Pylock(
            packages=packages,
            requirements=stamp.parses("requirements", read_requirement),
            python=stamp.text("python"),
            settings=stamp.texts("settings"),
            taken=stamp.text("taken"),
            taken_sha256=stamp.text("taken-sha256"),
            builds=tuple(_build(table) for table in stamp.tables("build")),
            ours="packyard" in tool,
            maker=top.text("created-by"),
            head=_head(top),
        )


def _head(top: Table) -> str:
    """What decides of the whole lock, in one form: without `default-groups`, a package that is for them is for
    nobody."""
    lines = [f"requires-python = {quoted(text)}\n"] if (text := top.text("requires-python")) else []
    lines += [f"{key} = {_listed(top.texts(key))}\n" for key in _SELECTING if key in top]
    return "".join(lines)


def stamp_pylock(
    text: str,
    *,
    requirements: Iterable[str],
    python: str,
    builds: Iterable[Build] = (),
    taken: tuple[str, str] = ("", ""),
    settings: Iterable[str] = (),
) -> str:
    """The lock with the question it answers and what builds its sources, replacing an earlier stamp. `taken` is the
    lock of another tool that it repeats, with that lock's SHA-256."""
    head = f"{_STAMP.sub('', text).rstrip()}\n\n[tool.packyard]\npython = {quoted(python)}\n"
    if taken[0]:
        head += f"taken = {quoted(taken[0])}\ntaken-sha256 = {quoted(taken[1])}\n"
    if told := list(settings):
        head += f"settings = {_listed(told)}\n"
    return f"{head}requirements = {_listed(requirements)}\n{''.join(map(_stamped, builds))}"


def drift(lock: Pylock, *, requirements: Iterable[str], python: str, settings: Iterable[str] = ()) -> Iterator[str]:
    """What separates a lock from the question asked now, in words; nothing if it is the answer."""
    wanted = {_normal(text): text for text in requirements}
    if lock.ours:
        if lock.python != python:
            yield f"it is for Python {lock.python}, not {python}" if lock.python else "it does not name its Python"
        locked = {_normal(text): text for text in lock.requirements}
        yield from (f"{text!r} was added" for key, text in sorted(wanted.items()) if key not in locked)
        yield from (f"{text!r} was removed" for key, text in sorted(locked.items()) if key not in wanted)
        if not lock.taken:  # else another tool followed them
            changed = sorted({*lock.settings} ^ {*settings})
            keys = dict.fromkeys(text.partition(" = ")[0] for text in changed)
            yield from (f"tool.uv.{key} has changed" for key in keys)
        return
    pinned: dict[str, list[str]] = {}  # one version for each of several markers, when the lock is forked
    for name, version in lock.packages:
        pinned.setdefault(name, []).append(version)
    for text in wanted.values():
        requirement = Requirement(text)
        versions = pinned.get(canonicalize_name(requirement.name))
        if versions is None:
            if requirement.marker is None:
                yield f"{text!r} is not in it"
        elif all(versions) and not any(requirement.specifier.contains(one, prereleases=True) for one in versions):
            yield f"{text!r} does not fit the locked {' and '.join(versions)}"


def divide_pylock(text: str, place: str) -> dict[tuple[str, str], str]:
    """For each package of a lock, by name and version, a lock that lists it alone, for the machines that it is for in
    the whole lock; {} when the text does not list each in a `[[packages]]` of its own, or lists one distribution
    twice."""
    lock = read_pylock(text, place)
    packages, builds = lock.packages, {str(build.name): _stamped(build) for build in lock.builds}
    blocks = _blocks(text)
    if len(blocks) != len(packages) or len({name for name, _ in packages}) != len(packages):
        return {}
    head = f'lock-version = "1.0"\ncreated-by = "packyard"\n{lock.head}\n'
    return {
        package: f"{head}{block.rstrip()}\n{builds.get(package[0], '')}" for package, block in zip(packages, blocks)
    }


def with_packages(text: str, more: str, place: str) -> str:
    """A lock with those packages of another that it does not list yet."""
    known = {name for name, _ in read_pylock(text, place).packages}
    packages = read_pylock(more, place).packages
    added = [block.rstrip() for (name, _), block in zip(packages, _blocks(more), strict=True) if name not in known]
    return "\n\n".join([_in_blocks(text, place).rstrip(), *added]) + "\n"


def without_packages(text: str, names: Collection[str], place: str) -> str:
    """A lock without the packages of these canonical names."""
    text = _in_blocks(text, place)
    for (name, _), block in zip(read_pylock(text, place).packages, _blocks(text), strict=True):
        text = text.replace(block, "", 1) if name in names else text
    return text


def _blocks(text: str) -> list[str]:
    """Each `[[packages]]` of a lock with its own tables."""
    found: list[str] = _PACKAGE.findall(_STAMP.sub("", text))
    return found


def _in_blocks(text: str, place: str) -> str:
    """A lock that lists each package in a `[[packages]]` of its own: as it is, or written again."""
    whole = read_toml(text, place)
    return text if len(_blocks(text)) == len(whole.get("packages", ())) else tomlkit.dumps(whole)


def _stamped(build: Build) -> str:
    """What builds a distribution, as TOML. No pylock.toml from uv contains text that could end this literal string."""
    if "'''" in build.lock:
        raise FormatError(f"the build lock of {build.name!r} contains the text that ends it")
    return (
        f"\n[[tool.packyard.build]]\nname = {quoted(build.name)}\nrequires = {_listed(build.requires)}\n"
        f"lock = '''\n{build.lock}'''\n"
    )


def _build(table: Table) -> Build:
    return Build(
        name=table.parse("name", read_canonical_name, FileName(""), required=True),
        requires=table.parses("requires", read_requirement),
        lock=table.text("lock", required=True),
    )


def _listed(texts: Iterable[str]) -> str:
    lines = "".join(f"    {quoted(text)},\n" for text in sorted(texts))
    return f"[\n{lines}]" if lines else "[]"


def _package(table: Table) -> tuple[FileName, str]:
    table.ignore_rest()
    name = table.parse("name", read_canonical_name, FileName(""), required=True)
    for kind in ("wheels", "sdist", "archive"):
        files = table.tables(kind) if kind == "wheels" else [table.table(kind)] if kind in table else []
        for file in files:
            file.ignore_rest()
            hashes = file.table("hashes")
            hashes.ignore_rest()
            if not re.fullmatch(r"[0-9a-f]{64}", hashes.text("sha256")):
                file.problem("hashes.sha256", f"{name!r} has a file without a SHA-256, so it cannot be verified")
    return name, table.parse("version", _version, "")


def _version(text: str) -> str:
    """A version as it is written, after a check."""
    read_python_release(text)
    return text


def _normal(text: str) -> str:
    requirement = Requirement(text)
    extras = ",".join(sorted(canonicalize_name(extra) for extra in requirement.extras))
    return (
        f"{canonicalize_name(requirement.name)}[{extras}]{requirement.specifier}{requirement.url}{requirement.marker}"
    )


NAME = "pylock.toml"
BUILD_NAME = "pylock.build.toml"  # what builds the member's wheel, as opposed to what the member needs to run
HOOK_NAME = "pylock.hooks.toml"  # what its hooks need
