"""package.yaml: the manifest of a morloc package, read as the compiler reads it but strictly.

Beyond the compiler, which ignores what it does not know, every key must be known, `name` and `version` must be
there, and the version must be SemVer. null counts as absent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from packyard.formats.commit import read_commit
from packyard.formats.errors import FormatError, Problem
from packyard.formats.naming import read_member_name
from packyard.formats.relpath import read_relpath
from packyard.formats.semver import read_version
from packyard.formats.text.table import reading
from packyard.formats.text.yaml import read_yaml
from packyard.formats.text.yamltable import YamlTable
from packyard.formats.versionrange import read_range

_PACKAGE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
# Language -> where its packages can come from; the first is the default, but Python has none.
_SOURCES = {"py": ("", "conda", "pypi"), "r": ("conda",), "cpp": ("conda",), "julia": ("pkg",), "rust": ("crates",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModulePin:
    """A morloc package pinned to a commit (40 or 64 hexadecimal digits)."""

    name: str
    git_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignDep:
    """A package of another language: its version condition ('*' is any), its source, its conda channel."""

    version: str = "*"
    source: str = ""
    channel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalDep:
    """A package of another language that is in a folder of this one."""

    path: str
    editable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Expose:
    """Files that an installation copies to where the foreign code of other packages finds them; patterns are
    allowed."""

    cpp: tuple[str, ...] = ()
    py: tuple[str, ...] = ()
    r: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MorlocManifest:
    """A package.yaml. `include` None means every file. `morloc_dependencies` is also written morloc-deps.

    `dependencies` are packages; those that are libraries to link are also in `native`. The compiler treats every one of
    them as a library. It ignores `x-packyard: {native: [...], requires: {name: range}}`: `requires` are packages with
    the range of versions that each may have, and they need not stand in `dependencies`.
    """

    name: str
    version: str
    homepage: str = ""
    synopsis: str = ""
    description: str = ""
    category: str = ""
    license: str = ""
    author: str = ""
    maintainer: str = ""
    github: str = ""
    bug_reports: str = ""
    cpp_version: int = 0
    dependencies: tuple[str, ...] = ()
    cxx_flags: tuple[str, ...] = ()
    rust_deps: Mapping[str, ForeignDep] = field(default_factory=dict)
    py_deps: Mapping[str, ForeignDep] = field(default_factory=dict)
    r_deps: Mapping[str, ForeignDep] = field(default_factory=dict)
    cpp_deps: Mapping[str, ForeignDep] = field(default_factory=dict)
    julia_deps: Mapping[str, ForeignDep] = field(default_factory=dict)
    local_deps: Mapping[str, Mapping[str, LocalDep]] = field(default_factory=dict)
    lang_versions: Mapping[str, str] = field(default_factory=dict)
    include: tuple[str, ...] | None = None
    morloc_version: str = ""
    morloc_dependencies: tuple[ModulePin, ...] = ()
    setup: str = ""
    expose: Expose = field(default_factory=Expose)
    native: tuple[str, ...] = ()
    requires: Mapping[str, str] = field(default_factory=dict)

    @property
    def declared(self) -> tuple[str, ...]:
        """The declared packages, each once, in text order."""
        return tuple(dict.fromkeys(n for n in (*self.dependencies, *self.requires) if n not in self.native))


# The top level of a package.yaml; all but the last are the compiler's.
_KEYS = frozenset(
    {
        "name", "version", "homepage", "synopsis", "description", "category", "license", "author", "maintainer",
        "github", "bug-reports", "cpp-version", "dependencies", "cxx-flags", "rust-deps", "py-deps", "r-deps",
        "cpp-deps", "julia-deps", "local-deps", "lang-versions", "include", "morloc-version", "morloc-deps",
        "morloc-dependencies", "setup", "expose", "x-packyard",
    }
)  # fmt: skip


def read_foreign_morloc(text: str, place: str) -> tuple[MorlocManifest, tuple[Problem, ...]]:
    """Read the package.yaml of a package that others maintain: an unknown key and a version that is no SemVer, which
    the compiler accepts, are warnings. FormatError with all other problems."""
    source = read_yaml(text, place)
    warnings = [
        Problem("unknown key; the compiler ignores it", key, place) for key in source.values if key not in _KEYS
    ]
    values = {key: value for key, value in source.values.items() if key in _KEYS}
    version = values.get("version")
    if version is None or isinstance(version, str):
        try:
            read_version(version or "")
        except FormatError as error:
            problem = "is missing" if version is None else error.problems[0].message
            warnings.append(Problem(f"{problem}; using 0.0.0", "version", place))
            values["version"] = "0.0.0"
    return _manifest(values, source.written, place), tuple(warnings)


def read_morloc(text: str, place: str) -> MorlocManifest:
    """Read a package.yaml; FormatError with all its problems."""
    source = read_yaml(text, place)
    return _manifest(source.values, source.written, place)


def _manifest(values: Mapping[str, Any], written: Mapping[str, str], place: str) -> MorlocManifest:
    with reading(values, place) as table:
        top = YamlTable(table, written)
        expose = top.mapping("expose")
        ours = top.mapping("x-packyard")
        manifest = MorlocManifest(
            name=top.text("name", read_package_name, required=True),
            version=top.text("version", read_version, required=True, hint="write three numbers, like 1.0.0"),
            homepage=top.text("homepage"),
            synopsis=top.text("synopsis"),
            description=top.text("description"),
            category=top.text("category"),
            license=top.text("license"),
            author=top.text("author"),
            maintainer=top.text("maintainer"),
            github=top.text("github"),
            bug_reports=top.text("bug-reports"),
            cpp_version=top.integer("cpp-version"),
            dependencies=top.texts("dependencies", read_member_name),
            cxx_flags=top.texts("cxx-flags"),
            rust_deps=_foreign(top, "rust"),
            py_deps=_foreign(top, "py"),
            r_deps=_foreign(top, "r"),
            cpp_deps=_foreign(top, "cpp"),
            julia_deps=_foreign(top, "julia"),
            local_deps=_local(top.mapping("local-deps")),
            lang_versions=top.strings("lang-versions"),
            include=top.texts("include", read_relpath) if top.given("include") else None,
            morloc_version=top.text("morloc-version"),
            morloc_dependencies=_pins(top),
            setup=top.text("setup", read_relpath),
            expose=Expose(
                cpp=expose.texts("cpp", read_relpath),
                py=expose.texts("py", read_relpath),
                r=expose.texts("r", read_relpath),
            ),
            native=ours.texts("native", read_member_name),
            requires=_requires(ours.mapping("requires")),
        )
        for position, name in enumerate(manifest.native):
            if name not in manifest.dependencies:
                table.problem(f"x-packyard.native[{position}]", f"{name!r} is not in dependencies")
    return manifest


def read_package_name(text: str) -> str:
    """The name of a morloc package, as the compiler's installer accepts it."""
    if not _PACKAGE.fullmatch(text):
        raise FormatError(f"{text!r} is not a package name; expected letters and digits joined by '-'")
    return text


def _foreign(top: YamlTable, language: str) -> dict[str, ForeignDep]:
    """Packages of another language: name -> version, or a mapping with version, source and channel."""
    table = top.mapping(f"{language}-deps")
    return {name: _foreign_dep(table, name, _SOURCES[language]) for name in table.table}


def _foreign_dep(table: YamlTable, name: str, sources: tuple[str, ...]) -> ForeignDep:
    if not isinstance(table.table.raw(name), dict):
        version = table.table.raw(name)
        if not sources[0] and isinstance(version, str):
            hint = f'write {name}: {{version: "{version}", source: {sources[1]}}}'
            table.table.problem(name, f"names no source; expected {' or '.join(sources[1:])}", hint)
        return ForeignDep(version=table.text(name) or "*", source=sources[0])
    dep = table.mapping(name)
    # A channel is conda's, and so names the source as well.
    default = "conda" if dep.given("channel") else sources[0]
    source = dep.text("source") or default
    known = " or ".join(filter(None, sources))
    if not source:
        dep.table.problem("source", f"is missing; expected {known}")
    elif source not in sources:
        dep.table.problem("source", f"unknown source {source!r}; expected one of {known}")
    elif source != "conda" and dep.given("channel"):
        dep.table.problem("channel", f"is only for conda, but the source is {source!r}")
    return ForeignDep(version=dep.text("version") or "*", source=source, channel=dep.text("channel"))


def _local(table: YamlTable) -> dict[str, dict[str, LocalDep]]:
    found: dict[str, dict[str, LocalDep]] = {}
    for language in table.table:
        if language not in ("py", "rust"):
            table.table.problem(language, "has no local packages; expected py or rust")
            table.table.ignore(language)
            continue
        deps = table.mapping(language)
        found[language] = {
            name: LocalDep(path=dep.text("path", read_relpath, required=True), editable=dep.table.flag("editable"))
            for name, dep in ((name, deps.mapping(name)) for name in deps.table)
        }
    return found


def _requires(table: YamlTable) -> dict[str, str]:
    """Packages and the ranges of versions that they may have."""
    for name in table.table:
        try:
            read_package_name(name)
        except FormatError as error:
            table.table.problem(name, error.problems[0].message)
    return {name: table.text(name, _range) or "*" for name in table.table}


def _range(text: str) -> str:
    read_range(text)
    return text


def _pins(top: YamlTable) -> tuple[ModulePin, ...]:
    if top.given("morloc-deps") and top.given("morloc-dependencies"):
        top.table.problem("morloc-dependencies", "is the old name of morloc-deps; expected only one of them")
        return ()
    pins = top.mappings("morloc-deps") + top.mappings("morloc-dependencies")
    return tuple(
        ModulePin(
            name=pin.text("name", read_package_name, required=True),
            git_hash=pin.text("git-hash", read_commit, required=True),
        )
        for pin in pins
    )
