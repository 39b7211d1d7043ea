"""`[[meta]]` of packyard.toml: a Mojo package made of several members."""

from __future__ import annotations

import re
from dataclasses import dataclass

from packyard.formats.naming import read_import_name, read_member_name
from packyard.formats.semver import read_version
from packyard.formats.text.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaSpec:
    """`[[meta]]`: one Mojo package made of several; `members` are names of members or of packages.

    It is imported as `import_name`. Each of its packages is below it under its own name (`layout` 'nested'); 'flat'
    also exports their names at the top.
    """

    name: str
    version: str
    members: tuple[str, ...] = ()
    layout: str = "nested"
    description: str = ""

    @property
    def import_name(self) -> str:
        """The name without characters that are not allowed in an identifier: 'ml-odyssey' is imported as
        'ml_odyssey'."""
        return _import_name(self.name)


def read_meta(table: Table) -> MetaSpec:
    return MetaSpec(
        name=table.parse("name", _read_meta_name, "", required=True),
        version=table.parse("version", read_version, "", required=True),
        members=table.parses("members", read_member_name, required=True),
        layout=table.choice("layout", ("nested", "flat"), "nested"),
        description=table.text("description"),
    )


def _read_meta_name(text: str) -> str:
    read_import_name(_import_name(read_member_name(text)))
    return text


def _import_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", text)
