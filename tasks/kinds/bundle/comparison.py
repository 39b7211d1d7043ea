"""What differs between two bundles: what they say of themselves, their slots, and the files in these."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packyard.formats.errors import FormatError, Problem
from packyard.formats.pspf import Bundle, Contents, fingerprint, open_bundle, open_slot, read_contents
from packyard.formats.pspf.operations import unpack_chain


@dataclass(frozen=True, slots=True)
class Difference:
    """One row: in which slot ('' for the bundle as a whole) what differs, and how it is in the one and the other
    ('' where it is not)."""

    slot: str
    what: str
    before: str
    after: str


def differences(before: Path, after: Path) -> list[Difference]:
    """Everything that two bundles differ in, the bundle itself first, then slot by slot, files by their paths."""
    one, other = open_bundle(before), open_bundle(after)
    return [*_facts(one, other), *_slots(one, other)]


def _facts(one: Bundle, other: Bundle) -> Iterator[Difference]:
    pairs = zip(_described(one).items(), _described(other).items(), strict=True)
    for (name, before), (_, after) in pairs:
        if before != after:
            yield Difference("", name, before, after)


def _described(bundle: Bundle) -> dict[str, str]:
    metadata = bundle.metadata
    return {
        "name": metadata.name,
        "version": metadata.version,
        "platform": f"{metadata.build.os}_{metadata.build.arch}",
        "launcher": f"{metadata.launcher.tool} {metadata.launcher.checksum[-64:][:16]}",
        "key": fingerprint(bundle.index.public_key)[:16],
        "command": metadata.execution.command,
        "environment": str(metadata.environment),
        "policy": str(metadata.policy or ""),
        "set-up": str(len(metadata.setup_commands)),
        "slots": " ".join(slot.id for slot in metadata.table),
    }


def _slots(one: Bundle, other: Bundle) -> Iterator[Difference]:
    old = {slot.id: position for position, slot in enumerate(one.metadata.table)}
    new = {slot.id: position for position, slot in enumerate(other.metadata.table)}
    for ident in {**old, **new}:
        if ident not in new or ident not in old:
            yield Difference(ident, "slot", "there" if ident in old else "", "there" if ident in new else "")
            continue
        before, after = one.metadata.table[old[ident]], other.metadata.table[new[ident]]
        for field in ("target", "operations", "purpose", "lifecycle", "permissions"):
            if getattr(before, field) != getattr(after, field):
                yield Difference(ident, field, getattr(before, field), getattr(after, field))
        if before.checksum != after.checksum:
            files = list(_files(ident, _contents(one, old[ident]), _contents(other, new[ident])))
            # The same files in other bytes: another compressor, or another order.
            yield from files or [Difference(ident, "stored bytes", before.checksum[7:23], after.checksum[7:23])]


def _files(ident: str, before: Contents, after: Contents) -> Iterator[Difference]:
    for path in sorted({*before, *after}):
        if before.get(path) != after.get(path):
            yield Difference(ident, path, before.get(path, "")[:16], after.get(path, "")[:16])


def _contents(bundle: Bundle, position: int) -> Contents:
    slot = bundle.metadata.table[position]
    try:
        with open_slot(bundle, position) as stored:
            return read_contents(stored, unpack_chain(bundle.descriptors[position].operations), slot.path or slot.id)
    except FormatError as error:
        raise FormatError(Problem(f"slot {slot.id!r} cannot be read: {error}", place=str(bundle.path))) from None
