"""packyard.toml: the workspace's own manifest."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from packyard.formats.errors import FormatError
from packyard.formats.morloc.reference import DEFAULT_REPOSITORY, read_plane_name, read_repository_template, read_source
from packyard.formats.naming import read_member_name
from packyard.formats.python.flavor import read_launcher
from packyard.formats.python.requirement import read_python_release, read_python_version, read_requirement
from packyard.formats.reference import read_reference
from packyard.formats.relpath import RelPath, read_relpath
from packyard.formats.semver import read_version
from packyard.formats.text.table import Table, reading
from packyard.formats.text.toml import read_toml
from packyard.formats.units import read_size
from packyard.formats.workspace.metaspec import MetaSpec, read_meta

T = TypeVar("T")

DOCS_REQUIRES = ("mkdocs>=1.6,<2", "mkdocs-material>=9.5,<10")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolchainSpec:
    """`[toolchain]`: a version of the Mojo compiler ('' if no member needs one), and the defaults of bundles.

    `mojo_from` is where that compiler is: '' for the package index, 'PATH', or the path of an environment that has it.
    `python` '' is the Python that runs the build; `launcher` is 'rust', 'go' or a path.
    """

    mojo: str = ""
    mojo_from: str = ""
    python: str = ""
    launcher: str = "rust"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignSpec:
    """`[sign]`: the path of a private key, or the name of the environment variable that holds a seed; or neither."""

    key: str = ""
    seed_env: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSpec:
    """`[[archive]]`: `include` are patterns and targets, as `read_reference` takes them, relative to the workspace.

    `format` is 'tar.gz' or 'zip'; `prefix` is a folder that everything is put below; `layout` is '' (workspace
    paths) or 'distribution'; `smoke` are the words of a command that shows that the unpacked archive works.
    """

    name: str
    version: str
    format: str = "tar.gz"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    prefix: str = ""
    layout: str = ""
    smoke: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DocsSpec:
    """`[[docs]]`: a mkdocs site, configured by the file `config`, made from the folder `source` ('' is the one that
    the configuration names) and the files that the patterns `include` find.

    `requires` are PEP 508 texts: mkdocs, its theme and plug-ins.
    """

    name: str
    version: str
    source: str = ""
    config: str = "mkdocs.yml"
    include: tuple[str, ...] = ()
    requires: tuple[str, ...] = DOCS_REQUIRES


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSpec:
    """`[cache]`: the store's folder ('' is the user's cache folder) and its size limit in bytes (0 is none)."""

    directory: str = ""
    limit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CiSpec:
    """`[ci]`: `pins` map actions ('actions/checkout') to the commits that workflows use of them."""

    pins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MorlocSpec:
    """`[morloc]`: where packages come from that are not members, and what the workspace's plane is called.

    `default_repository` is the URL of a package known only by name, with `{name}` in it; `vendor` are patterns of
    archives, `sources` say where a package of that name comes from (`read_source`). `content` is 'tree' or 'closure':
    all files of a package, or those that its modules name. `gitignore` leaves out what .gitignore ignores; `ssh`
    fetches over ssh instead of https; `allow_setup` names the packages whose setup script may run.
    """

    default_repository: str = DEFAULT_REPOSITORY
    plane: str = "default"
    vendor: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    content: str = "tree"
    gitignore: bool = False
    ssh: bool = False
    allow_setup: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceManifest:
    """A packyard.toml. `members` are patterns of folders; `compression` is 'fast' or, for releases, 'small'; with
    `distribute` there are installers and guides for people who receive the artifacts. `allow_keys` are files that may
    go into artifacts although they are private keys: those of tests."""

    name: str
    members: tuple[str, ...] = ()
    compression: str = "fast"
    distribute: bool = False
    allow_keys: tuple[RelPath, ...] = ()
    toolchain: ToolchainSpec = field(default_factory=ToolchainSpec)
    sign: SignSpec = field(default_factory=SignSpec)
    archives: tuple[ArchiveSpec, ...] = ()
    docs: tuple[DocsSpec, ...] = ()
    metas: tuple[MetaSpec, ...] = ()
    cache: CacheSpec = field(default_factory=CacheSpec)
    ci: CiSpec = field(default_factory=CiSpec)
    morloc: MorlocSpec = field(default_factory=MorlocSpec)


def read_workspace(text: str, place: str) -> WorkspaceManifest:
    """Read a packyard.toml; FormatError with all its problems."""
    with reading(read_toml(text, place), place) as top:
        workspace = top.table("workspace", required=True)
        return WorkspaceManifest(
            name=workspace.parse("name", read_member_name, "", required=True),
            members=workspace.parses("members", read_relpath),
            compression=workspace.choice("compression", ("fast", "small"), "fast"),
            distribute=workspace.flag("distribute"),
            allow_keys=workspace.parses("allow_keys", _read_file),
            toolchain=_toolchain(top.table("toolchain")),
            sign=_sign(top.table("sign")),
            archives=_named(top, "archive", _archive, lambda archive: archive.name),
            docs=_named(top, "docs", _docs, lambda docs: docs.name),
            metas=_named(top, "meta", read_meta, lambda meta: meta.name),
            cache=_cache(top.table("cache")),
            ci=_ci(top.table("ci")),
            morloc=_morloc(top.table("morloc")),
        )


def _read_file(text: str) -> RelPath:
    path = read_relpath(text)
    if not path or any(char in path for char in "*?["):
        raise FormatError(f"{text!r} is not the path of one file; expected one like 'tests/data/key.pem'")
    return path


def _toolchain(table: Table) -> ToolchainSpec:
    if "mojo_from" in table and "mojo" not in table:
        table.problem("mojo_from", "is given without mojo; expected the version of that compiler")
    return ToolchainSpec(
        mojo=table.parse("mojo", read_python_release, ""),
        mojo_from=table.text("mojo_from"),
        python=table.parse("python", read_python_version, ""),
        launcher=table.parse("launcher", read_launcher, "rust"),
    )


def _sign(table: Table) -> SignSpec:
    if "key" in table and "seed_env" in table:
        table.problem("seed_env", "is given as well as key; expected only one of them")
    return SignSpec(key=table.text("key"), seed_env=table.parse("seed_env", _variable, ""))


def _named(top: Table, key: str, read: Callable[[Table], T], name_of: Callable[[T], str]) -> tuple[T, ...]:
    """The tables of `[[key]]`; a name that appears twice is reported with both places."""
    found: list[T] = []
    first: dict[str, int] = {}
    for position, table in enumerate(top.tables(key)):
        spec = read(table)
        name = name_of(spec)
        if name and (other := first.setdefault(name, position)) != position:
            table.problem("name", f"{name!r} is also the name of {key}[{other}]; each needs its own")
        found.append(spec)
    return tuple(found)


def _archive(table: Table) -> ArchiveSpec:
    archive = ArchiveSpec(
        name=table.parse("name", read_member_name, "", required=True),
        version=table.parse("version", read_version, "", required=True),
        format=table.choice("format", ("tar.gz", "zip"), "tar.gz"),
        include=table.parses("include", _reference, required=True),
        exclude=table.parses("exclude", read_relpath),
        prefix=table.parse("prefix", read_relpath, ""),
        layout=table.choice("layout", ("distribution",)),
        smoke=table.texts("smoke"),
    )
    if archive.prefix and archive.layout:
        table.problem("prefix", "cannot be combined with a layout, which has its own top folder")
    return archive


def _docs(table: Table) -> DocsSpec:
    return DocsSpec(
        name=table.parse("name", read_member_name, "", required=True),
        version=table.parse("version", read_version, "", required=True),
        source=table.parse("source", read_relpath, ""),
        config=table.parse("config", read_relpath, "mkdocs.yml"),
        include=table.parses("include", read_relpath),
        requires=table.parses("requires", read_requirement) or DOCS_REQUIRES,
    )


def _cache(table: Table) -> CacheSpec:
    if "remote" in table:
        table.ignore("remote")
        table.problem("remote", "is not supported yet; the store is local")
    limit = table.raw("limit")
    if isinstance(limit, int) and not isinstance(limit, bool):
        table.problem("limit", f"{limit} has no unit; expected a size like '10 GB'")
        limit = 0
    else:
        limit = table.parse("limit", read_size, 0)
    return CacheSpec(directory=table.text("directory"), limit=limit)


def _ci(table: Table) -> CiSpec:
    pins = table.table("pins")
    return CiSpec(pins={action: pins.parse(action, _commit, "", required=True) for action in pins})


def _commit(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{40}", text):
        raise FormatError(f"{text!r} is not a commit; expected 40 hexadecimal digits")
    return text


def _morloc(table: Table) -> MorlocSpec:
    sources = table.table("sources")
    return MorlocSpec(
        default_repository=table.parse("default_repository", read_repository_template, DEFAULT_REPOSITORY),
        plane=table.parse("plane", read_plane_name, "default"),
        vendor=table.parses("vendor", read_relpath),
        sources={name: sources.parse(name, read_source, "", required=True) for name in sources},
        content=table.choice("content", ("tree", "closure"), "tree"),
        gitignore=table.flag("gitignore"),
        ssh=table.flag("ssh"),
        allow_setup=table.texts("allow_setup"),
    )


def _reference(text: str) -> str:
    read_reference(text)
    return text


def _variable(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text):
        raise FormatError(f"{text!r} is not the name of an environment variable")
    return text
