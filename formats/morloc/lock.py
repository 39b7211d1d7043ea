"""packyard.lock: which morloc packages a workspace or a plane is made of. Other tables of the file are read elsewhere.

One `[[morloc]]` table per package, sorted by name, no times and no paths. The content digest is the SHA-256 of the
package's listing, one line per file, sorted by path bytes: SHA-256 of its bytes, `x` or `-`, path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packyard.formats.archive.entry import Entry
from packyard.formats.digest import Digest, digest_of, digest_stream
from packyard.formats.errors import FormatError, Problem
from packyard.formats.morloc.manifest import read_package_name
from packyard.formats.semver import read_version
from packyard.formats.text.table import Table, reading
from packyard.formats.text.toml import quoted, read_toml

# Where a package comes from when it is no repository; `packyard.toml` or the plane says which one.
MEMBER, FOLDER, ARCHIVE, DEFAULT = "member", "folder", "archive", "default"

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_BLOCK = re.compile(r"^\[\[morloc\]\]\n(?:(?!\[).*\n?)*", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedPackage:
    """One package. `source` is 'member', 'folder', 'archive', 'default' or a repository as it was asked for
    ('github:user/repo@tag:v1'); `commit` is '' when it is no repository, `content` None for a member, whose files
    are those of the workspace. In a plane, `installed` is the content digest after a setup script changed it."""

    name: str
    version: str
    source: str
    commit: str = ""
    content: Digest | None = None
    installed: Digest | None = None
    dependencies: tuple[str, ...] = ()


def read_morloc_lock(text: str, place: str) -> tuple[LockedPackage, ...]:
    """The morloc packages of a packyard.lock, by name; FormatError with all that is wrong with them."""
    with reading(read_toml(text, place), place) as top:
        top.ignore_rest()
        found: dict[str, LockedPackage] = {}
        for table in top.tables("morloc"):
            package = _package(table)
            if package.name and found.setdefault(package.name, package) is not package:
                table.problem("name", f"{package.name!r} is locked twice")
        return tuple(found[name] for name in sorted(found))


def write_morloc_lock(packages: Iterable[LockedPackage]) -> str:
    """The `[[morloc]]` tables of a packyard.lock."""
    return "\n".join(_table(package) for package in sorted(packages, key=lambda package: package.name))


def with_morloc_lock(text: str, packages: Iterable[LockedPackage]) -> str:
    """The packyard.lock `text` with its morloc part replaced; the rest stays as it is."""
    rest = re.sub(r"\n{3,}", "\n\n", _BLOCK.sub("", text)).rstrip("\n")
    part = write_morloc_lock(packages)
    return "\n\n".join(filter(None, (rest, part.rstrip("\n")))) + "\n" if rest or part else ""


def content_listing(entries: Iterable[Entry]) -> str:
    """The listing of a package's files."""
    lines = []
    for entry in sorted(entries, key=lambda entry: entry.path.encode("utf-8", "surrogateescape")):
        if isinstance(entry.content, bytes):
            digest = digest_of(entry.content)
        else:
            with entry.open() as (_, stream):
                digest = digest_stream(stream)
        lines.append(f"{digest.hex} {'x' if entry.executable else '-'} {entry.path}\n")
    return "".join(lines)


def content_digest(entries: Iterable[Entry]) -> Digest:
    """The content digest of a package: the SHA-256 of its listing."""
    return digest_of(content_listing(entries).encode("utf-8", "surrogateescape"))


def read_content_listing(text: str, place: str) -> dict[str, tuple[str, bool]]:
    """Path -> (SHA-256 in hexadecimal, executable); FormatError when a line is none of ours."""
    found: dict[str, tuple[str, bool]] = {}
    for number, line in enumerate(text.removesuffix("\n").split("\n") if text else (), 1):
        fields = line.split(" ", 2)
        if len(fields) != 3 or fields[1] not in ("x", "-") or len(fields[0]) != 64:
            raise FormatError(Problem("is not 'SHA256 x|- PATH'", f"line {number}", place))
        found[fields[2]] = (fields[0], fields[1] == "x")
    return found


def as_pins(packages: Iterable[LockedPackage]) -> str:
    """The packages that come from repositories, as the key `morloc-dependencies` of a package.yaml pins them."""
    lines = [f'  - {{name: {p.name}, git-hash: "{p.commit}"}}\n' for p in _with_commit(packages)]
    return f"morloc-dependencies:\n{''.join(lines)}" if lines else "morloc-dependencies: []\n"


def as_snapshot(packages: Iterable[LockedPackage]) -> str:
    """The packages that come from repositories, as the compiler's snapshots list them: 'name commit' lines."""
    return "".join(f"{package.name} {package.commit}\n" for package in _with_commit(packages))


def _with_commit(packages: Iterable[LockedPackage]) -> Iterator[LockedPackage]:
    return (package for package in sorted(packages, key=lambda package: package.name) if package.commit)


def _table(package: LockedPackage) -> str:
    values = {"name": package.name, "version": package.version, "source": package.source, "commit": package.commit,
              "content": package.content, "installed": package.installed}  # fmt: skip
    lines = ["[[morloc]]", *(f"{key} = {quoted(str(value))}" for key, value in values.items() if value)]
    if package.dependencies:
        lines.append(f"dependencies = [{', '.join(map(quoted, package.dependencies))}]")
    return "\n".join(lines) + "\n"


def _package(table: Table) -> LockedPackage:
    return LockedPackage(
        name=table.parse("name", read_package_name, "", required=True),
        version=table.parse("version", read_version, "", required=True),
        source=table.text("source", required=True),
        commit=table.parse("commit", _commit, ""),
        content=table.parse("content", Digest.parse, None),
        installed=table.parse("installed", Digest.parse, None),
        dependencies=table.parses("dependencies", read_package_name),
    )


def _commit(text: str) -> str:
    if not _COMMIT.fullmatch(text):
        raise FormatError(f"{text!r} is not a commit, 40 or 64 hexadecimal digits were expected")
    return text
