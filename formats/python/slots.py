"""Slots as `[[tool.flavor.slots]]` declares them: what goes into a bundle besides the application itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

from packyard.formats.errors import FormatError
from packyard.formats.naming import read_member_name
from packyard.formats.platform import read_platform
from packyard.formats.reference import read_reference
from packyard.formats.relpath import read_relpath
from packyard.formats.text.table import Table

# What may be written -> the format's own name (PSPF/2025, slot descriptor byte 56).
PURPOSES = {
    "data": "data",
    "code": "code",
    "config": "config",
    "media": "media",
    "python-environment": "code",
    "application-code": "code",
    "configuration": "config",
    "static-resources": "media",
    "data-files": "data",
}

# What may be written -> what the bundle does.
LIFECYCLES = {
    "runtime": "runtime",  # in the work environment
    "cached": "runtime",
    "cache": "runtime",
    "startup": "runtime",
    "eager": "runtime",
    "init": "init",  # there for the set-up commands, gone afterwards
    "persistent": "persistent",  # copied to the user's folder once, never overwritten
    "config": "persistent",
    "lazy": "lazy",  # stays in the bundle until the program asks
    "temporary": "temporary",  # new for each process, removed at its end
    "platform": "platform",  # only in bundles of its platform
}
_REFUSED_LIFECYCLES = {
    "shutdown": "no launcher runs anything when a program ends; use 'temporary' for what must be removed then",
    "dev": "a bundle has no development mode; leave out the slot",
    "volatile": "no launcher keeps a slot in memory; use 'temporary'",
}

OPERATIONS = {
    "raw": "raw",
    "tar": "tar",
    "gzip": "gzip",
    "gz": "gzip",
    "tgz": "tgz",
    "tar.gz": "tgz",
    "tar|gzip": "tgz",
}
_REFUSED_OPERATIONS = re.compile(r"(tar[.|])?(bzip2|bz2|xz|zstd|zst)|tbz2|txz|tzst")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotSpec:
    """One declared slot.

    `source` is a file, a folder, a pattern or a target, as `read_reference` takes it, relative to the member. `target`
    is where it is in the work environment. `purpose` is one of the values of PURPOSES, `lifecycle` of LIFECYCLES,
    `operations` of OPERATIONS or '' (a folder is 'tgz', a file 'raw'). `permissions` are mode bits or None (as the
    files have them). `exclude` are patterns below the source. `platform` '' means every platform.
    """

    id: str
    source: str
    target: str
    purpose: str = "data"
    lifecycle: str = "runtime"
    operations: str = ""
    permissions: int | None = None
    exclude: tuple[str, ...] = ()
    platform: str = ""


def read_slots(flavor: Table) -> tuple[SlotSpec, ...]:
    """The slots of a `[tool.flavor]` table; an id that appears twice is reported with both places."""
    slots: list[SlotSpec] = []
    first: dict[str, int] = {}
    for position, table in enumerate(flavor.tables("slots")):
        slot = _slot(table)
        if slot.id and (other := first.setdefault(slot.id, position)) != position:
            table.problem("id", f"{slot.id!r} is also the id of slots[{other}]; each slot needs its own")
        slots.append(slot)
    return tuple(slots)


def read_permissions(text: str) -> int:
    """Octal mode bits ('0644'), without set-user-id, set-group-id and sticky bits."""
    if not re.fullmatch(r"(0o?)?[0-7]{3}", text):
        raise FormatError(f"{text!r} are not permissions; expected an octal string like '0644'")
    return int(text.removeprefix("0o"), 8)


def _slot(table: Table) -> SlotSpec:
    ident = table.parse("id", read_member_name, "", required=True)
    slot = SlotSpec(
        id=ident,
        source=table.parse("source", read_source, "", required=True),
        target=table.parse("target", _slot_target, "") or ident,
        purpose=PURPOSES.get(table.choice("purpose", PURPOSES), "data"),
        lifecycle=table.parse("lifecycle", _lifecycle, "runtime"),
        operations=_operations(table),
        permissions=table.parse("permissions", read_permissions, None),
        exclude=table.texts("exclude"),
        platform=table.parse("platform", read_platform, ""),
    )
    if slot.lifecycle == "platform" and not slot.platform:
        table.problem("lifecycle", "'platform' requires the key platform", 'name one: platform = "linux_amd64"')
    return slot


def read_source(text: str) -> str:
    """A path, a pattern or a target, kept as written."""
    read_reference(text)
    return text


def _slot_target(text: str) -> str:
    # Manifests written for the stock builders start with the work environment's placeholder.
    path = read_relpath(text.removeprefix("{workenv}/"))
    if not path or "{" in path:
        raise FormatError(f"{text!r} is not a path in the work environment; expected one like 'share/models'")
    return path


def _lifecycle(text: str) -> str:
    if text in _REFUSED_LIFECYCLES:
        raise FormatError(f"{text!r} is not supported: {_REFUSED_LIFECYCLES[text]}")
    if text not in LIFECYCLES:
        raise FormatError(f"{text!r} is not a lifecycle; expected one of {', '.join(LIFECYCLES)}")
    return LIFECYCLES[text]


def _operations(table: Table) -> str:
    if "compression" in table and "operations" in table:
        table.ignore("compression", "operations")
        table.problem("compression", "is another name for operations; expected only one of them")
        return ""
    return table.parse("compression" if "compression" in table else "operations", _operation, "")


def _operation(text: str) -> str:
    if _REFUSED_OPERATIONS.fullmatch(text):
        raise FormatError(f"{text!r} is not supported: no launcher can unpack it; expected raw, tar, gzip or tgz")
    if text not in OPERATIONS:
        raise FormatError(f"{text!r} is not an operation; expected raw, tar, gzip or tgz")
    return OPERATIONS[text]
