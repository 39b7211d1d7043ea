"""The manifest beside a compiled Mojo package, `FILE.json`: what it is, which compiler accepts it, what it needs.

The compiler and the dependencies are what the compiled file depends on but does not say itself: the compiler is copied
from the file's header, and each dependency is named with the SHA-256 of the exact file it was compiled against, because
constants and signatures from it were compiled in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from packyard.formats.digest import read_sha256
from packyard.formats.mojo.package import MojoPackage
from packyard.formats.naming import read_import_name
from packyard.formats.relpath import FileName, read_file_name
from packyard.formats.semver import read_version
from packyard.formats.text.json import read_json
from packyard.formats.text.table import Table, reading

FORMAT = "mojo-package/1"
SUFFIX = ".json"  # after the package's own file name


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """The compiler, as the header of its packages names it (`MojoPackage` has the same fields)."""

    version: str
    identity: str
    producer: str
    container: int

    @property
    def accepted_by(self) -> str:
        """Which compilers can import the package, in words."""
        return self.package.accepted_by

    @property
    def package(self) -> MojoPackage:
        """The header that says this, for a package of size 0."""
        return MojoPackage(**asdict(self), unpacked=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """A package that must be beside this one. `range` is what this package declares for it, '' if only others do."""

    name: str
    distribution: str
    version: str
    sha256: str
    range: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageManifest:
    """One compiled package.

    `name` is what programs import, `file` the name it is distributed under; it must be installed as `installed_as`,
    because the name is compiled in. `version` is '' if it is unknown. `exports` are the public names of each module, by
    its dotted name. `components` are the parts of a meta-package.
    """

    name: str
    distribution: str
    version: str
    description: str = ""
    authors: tuple[str, ...] = ()
    license: str = ""
    file: FileName
    installed_as: FileName
    size: int
    sha256: str
    compiler: Stamp
    dependencies: tuple[Needed, ...] = ()
    exports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    components: tuple[str, ...] = ()


def stamp_of(package: MojoPackage) -> Stamp:
    """What the header of a package says of its compiler."""
    return Stamp(
        version=package.version, identity=package.identity, producer=package.producer, container=package.container
    )


def write_package_manifest(manifest: PackageManifest) -> str:
    """The manifest as JSON."""
    return json.dumps({"format": FORMAT, **asdict(manifest)}, indent=2, ensure_ascii=False) + "\n"


def read_package_manifest(text: str, place: str) -> PackageManifest:
    """Read what `write_package_manifest` wrote; FormatError with all its problems."""
    with reading(read_json(text, place), place) as top:
        top.choice("format", (FORMAT,), required=True)
        return read_manifest_table(top)


def read_manifest_table(top: Table) -> PackageManifest:
    """The manifest in a table; its problems are recorded there."""
    top.ignore("format")
    exports = top.table("exports")
    return PackageManifest(
        name=top.parse("name", read_import_name, "", required=True),
        distribution=top.text("distribution", required=True),
        version=top.parse("version", lambda text: text and read_version(text), "", required=True),
        description=top.text("description"),
        authors=top.texts("authors"),
        license=top.text("license"),
        file=top.parse("file", read_file_name, FileName(""), required=True),
        installed_as=top.parse("installed_as", read_file_name, FileName(""), required=True),
        size=top.integer("size"),
        sha256=top.parse("sha256", read_sha256, "", required=True),
        compiler=_stamp(top.table("compiler", required=True)),
        dependencies=tuple(_needed(table) for table in top.tables("dependencies")),
        exports={module: exports.texts(module) for module in exports},
        components=top.texts("components"),
    )


def _stamp(table: Table) -> Stamp:
    return Stamp(
        version=table.text("version"),
        identity=table.text("identity"),
        producer=table.text("producer"),
        container=table.integer("container"),
    )


def _needed(table: Table) -> Needed:
    return Needed(
        name=table.parse("name", read_import_name, "", required=True),
        distribution=table.text("distribution", required=True),
        version=table.parse("version", read_version, "", required=True),
        sha256=table.parse("sha256", read_sha256, "", required=True),
        range=table.text("range"),
    )
