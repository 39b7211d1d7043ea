"""packyard.lock: the pinned tools and packages of a workspace (docs/workspace.md, "packyard.lock").

[[toolchain]] is the lock that a Mojo compiler is installed from, [[interpreter]] the archive or folder of a bundle's
Python, [[morloc]] a morloc package (formats/morloc/lock.py). A plane's lock is such a file too, with only [[morloc]].
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from packyard.formats.digest import Digest
from packyard.formats.morloc.lock import LockedPackage, package_values, read_package
from packyard.formats.platform import read_platform
from packyard.formats.python.requirement import read_python_release, read_python_version
from packyard.formats.relpath import read_relpath
from packyard.formats.text.table import Table, reading
from packyard.formats.text.tables import Part, Values, put_together, take_apart, write_table
from packyard.formats.text.toml import read_toml

T = TypeVar("T", "ToolchainPin", "InterpreterPin", LockedPackage)

HEAD = "# The tools of this workspace, pinned; 'packyard lock' writes [[toolchain]].\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolchainPin:
    """`[[toolchain]]`: the compiler `mojo` is installed from the pylock.toml at `lock`, relative to the workspace."""

    mojo: str
    lock: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InterpreterPin:
    """`[[interpreter]]`: a Python for bundles of one platform.

    Either an archive in the `install_only` layout (one folder `python/`), at `url` or `path` and with a
    `sha256`; or a `folder` that holds `bin/` and `lib/`. Paths are relative to the workspace or absolute.
    """

    version: str  # '3.12'
    platform: str  # 'linux_amd64'
    url: str = ""
    path: str = ""
    folder: str = ""
    sha256: Digest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceLock:
    """A packyard.lock. Toolchains are unique by version, interpreters by version and platform, morloc packages by name,
    and packages are sorted by name."""

    toolchains: tuple[ToolchainPin, ...] = ()
    interpreters: tuple[InterpreterPin, ...] = ()
    morloc: tuple[LockedPackage, ...] = ()

    @property
    def packages(self) -> dict[str, LockedPackage]:
        """The morloc packages by name."""
        return {package.name: package for package in self.morloc}


def with_interpreters(lock: WorkspaceLock, pins: Iterable[InterpreterPin]) -> WorkspaceLock:
    """`lock` with these interpreters, each replacing the one with its version and platform."""
    chosen = {_key(pin): pin for pin in (*lock.interpreters, *pins)}
    return replace(lock, interpreters=tuple(chosen.values()))


def read_lock(text: str, place: str) -> WorkspaceLock:
    """Read a packyard.lock; FormatError with all its problems."""
    return _sorted(_read(text, place))


def write_lock(lock: WorkspaceLock, earlier: str = "") -> str:
    """The text of `lock`: toolchains, interpreters and morloc packages, each with its keys in one order.

    A table of the `earlier` text that did not change keeps its wording, and all comments stay except those in and
    directly above removed tables. Tables of a kind are kept together, where the first of them was. FormatError if
    `earlier` is not a packyard.lock.
    """
    wanted, old = _tables(_sorted(lock)), _tables(_read(earlier, "packyard.lock"))
    if wanted == old:
        return earlier
    parts, end = take_apart(earlier)
    said: dict[_Key, tuple[_Pinned, Part]] = {}
    for name, ones in old.items():
        texts = [part for part in parts if part.name == name]
        if len(texts) != len(ones):  # inline tables, say: what a person wrote in another form is rewritten
            parts, end, said = [], "", {}
            break
        said |= {_key(one): (one, text) for one, text in zip(ones, texts)}
    new = {name: [_written(name, one, said) for one in ones] for name, ones in wanted.items()}
    paragraphs = [paragraph for part in parts for paragraph in (part.free, *new.pop(part.name, ()))]
    more = [text for texts in new.values() for text in texts]
    return put_together([*paragraphs, *more, end] if parts else [end, *more])


_Pinned = ToolchainPin | InterpreterPin | LockedPackage
_Key = tuple[str, ...]


def _written(name: str, one: _Pinned, said: Mapping[_Key, tuple[_Pinned, Part]]) -> str:
    """One table, worded as before if it says the same, below its earlier comments."""
    known, part = said.get(_key(one), (None, None))
    return (part.above if part else "") + (part.text if part and known == one else write_table(name, _values(one)))


def _tables(lock: WorkspaceLock) -> dict[str, Sequence[_Pinned]]:
    return {"toolchain": lock.toolchains, "interpreter": lock.interpreters, "morloc": lock.morloc}


def _sorted(lock: WorkspaceLock) -> WorkspaceLock:
    return replace(lock, morloc=tuple(sorted(lock.morloc, key=lambda package: package.name)))


def _key(one: _Pinned) -> _Key:
    """What makes a table unique among its kind."""
    match one:
        case ToolchainPin():
            return "mojo", one.mojo
        case InterpreterPin():
            return "version", one.version, one.platform
        case LockedPackage():
            return "name", one.name


def _values(one: _Pinned) -> Values:
    match one:
        case ToolchainPin():
            return {"mojo": one.mojo, "lock": one.lock}
        case InterpreterPin():
            source = {"url": one.url, "path": one.path, "folder": one.folder}
            return {"version": one.version, "platform": one.platform, **source, "sha256": str(one.sha256 or "")}
        case LockedPackage():
            return package_values(one)


def _read(text: str, place: str) -> WorkspaceLock:
    """What the text says, in order."""
    with reading(read_toml(text, place), place) as top:
        return WorkspaceLock(
            toolchains=_each_once(top.tables("toolchain"), _toolchain),
            interpreters=_each_once(top.tables("interpreter"), _interpreter),
            morloc=_each_once(top.tables("morloc"), read_package),
        )


def _each_once(tables: Sequence[Table], read: Callable[[Table], T]) -> tuple[T, ...]:
    found: dict[_Key, T] = {}
    for table in tables:
        one = read(table)
        key, *words = _key(one)
        if found.setdefault((key, *words), one) is not one and all(words):
            table.problem(key, f"{' for '.join(map(repr, words))} is pinned twice")
    return tuple(found.values())


def _toolchain(table: Table) -> ToolchainPin:
    return ToolchainPin(
        mojo=table.parse("mojo", read_python_release, "", required=True),
        lock=table.parse("lock", read_relpath, "", required=True),
    )


def _interpreter(table: Table) -> InterpreterPin:
    pin = InterpreterPin(
        version=table.parse("version", read_python_version, "", required=True),
        platform=table.parse("platform", read_platform, "", required=True),
        url=table.text("url"),
        path=table.text("path"),
        folder=table.text("folder"),
        sha256=table.parse("sha256", Digest.parse, None),
    )
    if sum(map(bool, (pin.url, pin.path, pin.folder))) != 1:
        table.problem("", "expected one of url, path and folder")
    elif not pin.folder and "sha256" not in table:
        table.problem("sha256", "is missing; expected the SHA-256 of the archive")
    return pin
