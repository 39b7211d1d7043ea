"""`[[morloc]]` in a packyard.lock: a package that a workspace or a plane consists of, without times and paths.

The file is read and written by formats/workspace/lock.py. The content digest is the SHA-256 of the package's listing,
one line per file, sorted by path bytes: SHA-256 of its bytes, `x` or `-`, path.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packyard.formats.archive.entry import Entry
from packyard.formats.commit import read_commit
from packyard.formats.digest import Digest, digest_of, digest_stream
from packyard.formats.errors import FormatError, Problem
from packyard.formats.morloc.manifest import read_package_name
from packyard.formats.semver import read_version
from packyard.formats.text.table import Table
from packyard.formats.text.tables import Values

# Where a package comes from when it is not a repository; `packyard.toml` or the plane says which one.
MEMBER, FOLDER, ARCHIVE, DEFAULT = "member", "folder", "archive", "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedPackage:
    """One package. `source` is 'member', 'folder', 'archive', 'default' or a repository as it was requested
    ('github:user/repo@tag:v1'); `commit` is '' when it is not a repository, `content` None for a member, whose files
    are those of the workspace. In a plane, `installed` is the content digest after a setup script changed it."""

    name: str
    version: str
    source: str
    commit: str = ""
    content: Digest | None = None
    installed: Digest | None = None
    dependencies: tuple[str, ...] = ()


def read_package(table: Table) -> LockedPackage:
    """One `[[morloc]]` table; what is wrong with it is recorded there."""
    return LockedPackage(
        name=table.parse("name", read_package_name, "", required=True),
        version=table.parse("version", read_version, "", required=True),
        source=table.text("source", required=True),
        commit=table.parse("commit", read_commit, ""),
        content=table.parse("content", Digest.parse, None),
        installed=table.parse("installed", Digest.parse, None),
        dependencies=table.parses("dependencies", read_package_name),
    )


def package_values(package: LockedPackage) -> Values:
    """What `read_package` reads, in the order in which it is written."""
    return {
        "name": package.name,
        "version": package.version,
        "source": package.source,
        "commit": package.commit,
        "content": str(package.content or ""),
        "installed": str(package.installed or ""),
        "dependencies": package.dependencies,
    }


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
    """Path -> (SHA-256 in hexadecimal, executable); FormatError if a line is malformed."""
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
