"""mojo.toml: the manifest of one Mojo package, or of several that are kept together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from packyard.formats.errors import FormatError
from packyard.formats.naming import read_import_name, read_member_name
from packyard.formats.python.requirement import read_python_release
from packyard.formats.relpath import read_relpath
from packyard.formats.semver import read_version
from packyard.formats.text.table import Table, reading
from packyard.formats.text.toml import read_toml


@dataclass(frozen=True, slots=True, kw_only=True)
class MojoManifest:
    """A mojo.toml.

    `name` is the distribution's and may have dashes; what is imported is the name of a folder. `source` is `[build]
    src`, '' when not given, `compiler` `[build] mojo`, '' for the workspace's, `ships_source` `[build] with_source`:
    whether the sources are beside the package, for users of another compiler. `packages` map import names to folders,
    both relative to the manifest. `examples` are patterns of programs. `dependencies` map names (of distributions or
    imports) to ranges as written.
    """

    name: str
    version: str
    description: str = ""
    authors: tuple[str, ...] = ()
    license: str = ""
    readme: str = ""
    source: str = ""
    compiler: str = ""
    ships_source: bool = False
    packages: Mapping[str, str] = field(default_factory=dict)
    examples: tuple[str, ...] = ()
    dependencies: Mapping[str, str] = field(default_factory=dict)


def read_mojo(text: str, place: str) -> MojoManifest:
    """Read a mojo.toml; FormatError with all its problems."""
    with reading(read_toml(text, place), place) as top:
        head = _head(top)
        build = top.table("build")
        return MojoManifest(
            name=head.parse("name", read_member_name, "", required=True),
            version=head.parse("version", read_version, "", required=True),
            description=head.text("description"),
            authors=head.texts("authors"),
            license=head.text("license"),
            readme=head.parse("readme", read_relpath, ""),
            source=build.parse("src", read_relpath, ""),
            compiler=build.parse("mojo", read_python_release, ""),
            ships_source=build.flag("with_source"),
            packages=_packages(top.table("packages")),
            examples=_examples(top, head),
            dependencies=top.mapping("dependencies"),
        )


def _head(top: Table) -> Table:
    if "project" in top and "package" in top:
        top.problem("package", "is given as well as [project]; expected only one of them")
        top.ignore("package")
    return top.table("project" if "project" in top else "package", required=True)


def _packages(table: Table) -> dict[str, str]:
    packages = {}
    for name in table:
        folder = table.parse(name, read_relpath, "")
        try:
            packages[read_import_name(name)] = folder
        except FormatError as error:
            table.problem(name, error.problems[0].message)
    return packages


def _examples(top: Table, head: Table) -> tuple[str, ...]:
    # A bare key must be before the first table of a TOML file, so it is taken from the package's table as well.
    if "examples" in top and "examples" in head:
        top.problem("examples", "is also given in the package's table; expected only one of them")
    return top.parses("examples", read_relpath) + head.parses("examples", read_relpath)
