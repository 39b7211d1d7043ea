"""Locks of other tools: uv.lock, and requirements.txt with hashes as pip-compile, uv and poetry export them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import tomlkit
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packyard.formats.errors import FormatError, Problem
from packyard.formats.python.requirement import read_canonical_name, read_python_release, without_password
from packyard.formats.relpath import FileName
from packyard.formats.text.table import Table, reading
from packyard.formats.text.toml import read_toml

_HASH = re.compile(r"\s--hash[= ]sha256:([0-9a-f]{64})(?=\s|$)")
_ANY_HASH = re.compile(r"\s--hash[= ]\S+")
_COMMENT = re.compile(r"(^|\s)#.*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashed:
    """A line of requirements.txt: one version, and the SHA-256 of each file that it may come from, in hexadecimal."""

    name: str
    version: str
    text: str  # without the hashes
    hashes: frozenset[str]


def read_uv_lock(text: str, place: str) -> tuple[tuple[str, str], ...]:
    """The packages of a uv.lock by (canonical name, version), the version '' for what is not a file of an index."""
    with _uv_packages(text, place) as packages:
        found = []
        for package in packages:
            source = package.table("source")
            source.ignore_rest()
            local = {"virtual", "editable", "directory", "workspace"} & set(source)
            name = package.parse("name", read_canonical_name, FileName(""), required=True)
            found.append((name, "" if local else package.parse("version", read_python_release, "")))
        return tuple(found)


def read_uv_extras(text: str, place: str) -> dict[str, frozenset[str]]:
    """The extras that a uv.lock has of its packages, by canonical name: what anything in it asks for."""
    found: dict[str, frozenset[str]] = {}
    with _uv_packages(text, place) as packages:
        for package in packages:
            optional = package.table("optional-dependencies")
            for edges in (package.tables("dependencies"), *map(optional.tables, optional)):
                for edge in edges:
                    edge.ignore_rest()
                    name = edge.parse("name", read_canonical_name, FileName(""), required=True)
                    found[name] = found.get(name, frozenset()).union(map(canonicalize_name, edge.texts("extra")))
        return found


def read_uv_sources(text: str, place: str) -> dict[str, frozenset[tuple[str, str]]]:
    """Where a uv.lock has its packages from, by canonical name: (kind, where), the kind being registry, url, git,
    directory and the like, without passwords."""
    found: dict[str, frozenset[tuple[str, str]]] = {}
    with _uv_packages(text, place) as packages:
        for package in packages:
            source = package.table("source")
            source.ignore_rest()
            name = package.parse("name", read_canonical_name, FileName(""), required=True)
            here = {(kind, without_password(str(source.raw(kind)))) for kind in source}
            found[name] = found.get(name, frozenset()) | here
        return found


def read_hashed_requirements(text: str, place: str) -> tuple[Hashed, ...]:
    """The lines of a requirements.txt whose files are pinned; () if it has no hashes, and so is not a lock.

    FormatError with every line that is not pinned like the others. Folders (`-e ../lib`) are skipped, and so are
    options: indexes are configured by the user.
    """
    lines = list(_lines(text))
    if not any(_ANY_HASH.search(line) for _, line in lines):
        return ()
    found: list[Hashed] = []
    problems: list[Problem] = []
    for number, line in lines:
        if line.startswith(("-r", "-c", "--requirement", "--constraint")):
            problems.append(
                Problem(f"{line!r} refers to another file; expected one self-contained file", f"line {number}", place)
            )
            continue
        if line.startswith(("-", "./", "../", "file:")):
            continue
        try:
            found.append(_hashed(line))
        except FormatError as error:
            problems.extend(Problem(problem.message, f"line {number}", place) for problem in error.problems)
    if problems:
        raise FormatError(*problems)
    return tuple(found)


def keep_hashed(lock: str, lines: tuple[Hashed, ...], place: str) -> str:
    """A pylock.toml without the files that the lines of a requirements.txt do not name; FormatError with every package
    that has no file left."""
    allowed: dict[str, frozenset[str]] = {}
    for line in lines:
        allowed[line.name] = allowed.get(line.name, frozenset()) | line.hashes
    document = tomlkit.parse(lock)
    problems: list[Problem] = []
    for package in document.get("packages", []):
        name = str(package["name"])
        wheels = package.get("wheels", [])
        for position in reversed(range(len(wheels))):
            if wheels[position]["hashes"]["sha256"] not in allowed.get(name, ()):
                del wheels[position]
        if "wheels" in package and not wheels:
            del package["wheels"]
        if "sdist" in package and package["sdist"]["hashes"]["sha256"] not in allowed.get(name, ()):
            del package["sdist"]
        if not {"wheels", "sdist", "archive"} & set(package):
            problems.append(Problem(f"no file of {name!r} on the package index has one of its hashes", place=place))
    if problems:
        raise FormatError(*problems)
    return tomlkit.dumps(document)


@contextmanager
def _uv_packages(text: str, place: str) -> Iterator[list[Table]]:
    """The `[[package]]` tables of a uv.lock, which may contain more than is read here."""
    with reading(read_toml(text, place), place) as top:
        top.ignore_rest()
        if top.raw("version") != 1:
            top.problem("version", f"has version {top.raw('version')!r}; expected 1")
        packages = top.tables("package")
        for package in packages:
            package.ignore_rest()
        yield packages


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The logical lines of a requirements.txt without comments, each with the number of its first line."""
    whole, first = "", 1
    for number, line in enumerate(text.splitlines(), 1):
        first = first if whole else number
        part = _COMMENT.sub("", line).rstrip()
        if part.endswith("\\"):
            whole += part.removesuffix("\\") + " "
            continue
        if (whole + part).strip():
            yield first, (whole + part).strip()
        whole = ""
    if whole.strip():
        yield first, whole.strip()


def _hashed(line: str) -> Hashed:
    hashes = frozenset(_HASH.findall(line))
    text = _ANY_HASH.sub("", line).strip()
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        raise FormatError(f"{text!r} is not a requirement; expected one like 'click==8.1.7'") from None
    specifiers = list(requirement.specifier)
    if requirement.url is None and (len(specifiers) != 1 or specifiers[0].operator not in ("==", "===")):
        raise FormatError(f"{text!r} is not pinned; expected one version, like '{requirement.name}==1.0'")
    if not hashes:
        raise FormatError(f"{text!r} has no SHA-256; expected --hash=sha256:...")
    return Hashed(
        name=canonicalize_name(requirement.name),
        version=specifiers[0].version if specifiers else "",
        text=text,
        hashes=hashes,
    )
