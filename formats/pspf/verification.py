"""Verifying a bundle: every byte of the file is accounted for by the signed metadata, if its builder promises it."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields
from typing import BinaryIO, Final

from packyard.formats.digest import Digest, digest_of, digest_stream
from packyard.formats.errors import FormatError
from packyard.formats.pspf import assembly
from packyard.formats.pspf.contents import Contents, contents_digest, merged, read_contents
from packyard.formats.pspf.layout import (
    DESCRIPTOR_SIZE,
    FORMAT_VERSION,
    TRAILER_SIZE,
    Index,
    SlotDescriptor,
    index_checksum,
    short_hash,
)
from packyard.formats.pspf.metadata import policy_hash
from packyard.formats.pspf.operations import Operation, pack_chain, read_chain, unpack_chain
from packyard.formats.pspf.parts import LIFECYCLES, Slot
from packyard.formats.pspf.reader import Bundle, Region, open_slot
from packyard.formats.pspf.signature import SIGNATURE_SIZE, check_signature, fingerprint
from packyard.formats.relpath import read_relpath

LARGEST_HOLE: Final = 1 << 16  # one builder leaves 8192 zero bytes after the launcher


class Verdict(enum.Enum):
    """What a verification showed."""

    DAMAGED = "damaged"
    UNCOVERED = "intact, slots not covered by the signature"
    INTACT = "intact"
    AUTHENTIC = "authentic"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a verification found: `cause` is its kind ('slot', 'index'), a note is harmless."""

    cause: str
    message: str
    note: bool = False

    def __str__(self) -> str:
        return f"{self.cause}: {self.message}"


def verify(bundle: Bundle) -> list[Finding]:
    """Everything that is wrong with, or worth knowing about, a bundle; reads the whole file once."""
    findings = [*_index_findings(bundle), *_signature_findings(bundle), *_table_findings(bundle)]
    try:
        with bundle.path.open("rb") as stream:
            findings.extend(_byte_findings(bundle, stream))
    except (OSError, FormatError) as error:
        findings.append(Finding("file", f"cannot be read completely: {error}"))
    if bundle.covered:
        findings.extend(_assembly_findings(bundle))
    else:
        tool = bundle.metadata.build.tool or "its builder"
        findings.append(Finding("coverage", f"the signature made by {tool} does not cover the slots", note=True))
    return findings


def judge(bundle: Bundle, findings: Collection[Finding], trusted: Collection[bytes] = ()) -> Verdict:
    """The verdict on what `verify` found; `trusted` are raw public keys that the user pinned."""
    if not all(finding.note for finding in findings):
        return Verdict.DAMAGED
    if not bundle.covered:
        return Verdict.UNCOVERED
    return Verdict.AUTHENTIC if bundle.index.public_key in trusted else Verdict.INTACT


def verify_contents(bundle: Bundle) -> list[Finding]:
    """What `verify` does not check: what the slots unpack to, against the signed digests; for covered bundles."""
    parts: list[Contents] = []
    for position, slot in enumerate(bundle.metadata.table):
        where = f"slot {position} {slot.id!r}"
        try:
            chain = read_chain(slot.operations)
            if Operation.TAR not in chain and not read_relpath(slot.path):
                raise FormatError(f"its target {slot.target!r} names no file")
            with open_slot(bundle, position) as stored:
                parts.append(read_contents(stored, chain, slot.path))
        except FormatError as error:
            return [Finding("content", f"{where}: {error}")]
        if slot.content and str(contents_digest(parts[-1])) != slot.content:
            return [Finding("content", f"{where}: its files do not match the signed digest")]
    tree = bundle.metadata.coverage.tree if bundle.metadata.coverage else ""
    try:
        unpacked = merged(parts[: len(bundle.metadata.slots)])  # not what is lazy
        if tree and str(contents_digest(unpacked)) != tree:
            return [Finding("content", "the files of all slots do not match the signed tree digest")]
    except FormatError as error:
        return [Finding("content", str(error))]
    return []


def _index_findings(bundle: Bundle) -> Iterator[Finding]:
    index = bundle.index
    public = fingerprint(index.public_key).encode("ascii")
    expected: tuple[tuple[str, object, object], ...] = (
        ("format_version", index.format_version, FORMAT_VERSION),
        ("index_checksum", index.index_checksum, index_checksum(bundle.index_bytes)),
        ("package_size", index.package_size, bundle.size),
        ("slot_table_size", index.slot_table_size, DESCRIPTOR_SIZE * index.slot_count),
        ("flags", index.flags, 0),
        ("metadata_checksum", index.metadata_checksum.hex(), digest_of(bundle.metadata_stored).hex),
        ("attestation_key_fp", index.attestation_key_fp, public if any(index.attestation_key_fp) else bytes(64)),
        ("integrity_signature", index.integrity_signature[SIGNATURE_SIZE:].strip(b"\0"), b""),
    )
    for name, found, wanted in expected:
        if found != wanted:
            yield Finding("index", f"{name} is {_show(found)}; expected {_show(wanted)}")
    if any(index.attestation_policy_hash) and index.attestation_policy_hash != policy_hash(bundle.metadata.policy):
        yield Finding("policy", "the policy does not match its digest in the index")
    if not bundle.covered and any(index.reserved):
        yield Finding("index", "reserved is not zero")


def _signature_findings(bundle: Bundle) -> Iterator[Finding]:
    try:
        check_signature(bundle.index.public_key, bundle.signature, bundle.metadata_json)
    except FormatError as error:
        yield Finding("signature", str(error))


def _table_findings(bundle: Bundle) -> Iterator[Finding]:
    """The slot table against the signed metadata, as far as all builders follow it."""
    table, slots = bundle.descriptors, bundle.metadata.table
    if len(slots) > len(table):
        yield Finding("slots", f"the metadata has {len(slots)} slots, but the table has {len(table)}")
    elif len(slots) < len(table):
        yield Finding("slots", f"the table has {len(table)} slots, but the metadata names {len(slots)}", note=True)
    for position, (descriptor, slot) in enumerate(zip(table, slots, strict=False)):
        where = f"slot {position} {slot.id!r}"
        if descriptor.id != position:
            yield Finding("slot", f"{where}: the table calls it {descriptor.id}")
        if slot.size not in (descriptor.size, descriptor.original_size):
            yield Finding("slot", f"{where}: the table says {descriptor.size} bytes, but the metadata says {slot.size}")
        yield from _operation_findings(where, descriptor, slot)


def _operation_findings(where: str, descriptor: SlotDescriptor, slot: Slot) -> Iterator[Finding]:
    try:
        unpack_chain(descriptor.operations)
    except FormatError as error:
        yield Finding("slot", f"{where}: {error}")
        return
    try:
        said = pack_chain(read_chain(slot.operations))
    except FormatError:
        said = None
    if said != descriptor.operations:
        yield Finding(
            "slot",
            f"{where}: the launchers apply {descriptor.operations:#x}, but the metadata says {slot.operations!r}",
            note=not slot.content,  # some builders drop operations that they do not know
        )


def _byte_findings(bundle: Bundle, stream: BinaryIO) -> Iterator[Finding]:
    """Every region against its digest, and what is between the regions."""
    index = bundle.index
    table_size = DESCRIPTOR_SIZE * index.slot_count
    regions = [
        (0, index.launcher_size, "launcher"),
        (index.metadata_offset, index.metadata_size, "metadata"),
        (index.slot_table_offset, table_size, "slot table"),
        *((slot.offset, slot.size, f"slot {position}") for position, slot in enumerate(bundle.descriptors)),
        (bundle.size - TRAILER_SIZE, TRAILER_SIZE, "trailer"),
    ]
    misplaced = list(_layout_findings(regions, bundle.size, stream))
    if misplaced:  # only regions that do not overlap can together be no longer than the file
        yield from misplaced
        return
    for position, descriptor in enumerate(bundle.descriptors):
        digest = digest_stream(Region(stream, descriptor.offset, descriptor.size))
        yield from _slot_findings(bundle, position, descriptor, digest)
    if bundle.metadata.launcher.checksum:
        said = bundle.metadata.launcher.digest
        if said is None or said != digest_stream(Region(stream, 0, index.launcher_size)):
            yield Finding("launcher", "its bytes do not match the signed digest")
        if bundle.metadata.launcher.size != index.launcher_size:
            yield Finding("launcher", "its size in the index is not the signed size")


def _layout_findings(regions: list[tuple[int, int, str]], size: int, stream: BinaryIO) -> Iterator[Finding]:
    for offset, length, name in regions:
        if offset + length > size:
            yield Finding("layout", f"the {name} extends past the end of the file")
            return
    end, before = 0, "start"
    for offset, length, name in sorted(region for region in regions if region[1]):
        if offset < end:
            yield Finding("layout", f"the {name} overlaps the {before}")
            return
        if offset - end > LARGEST_HOLE:
            yield Finding("layout", f"{offset - end} bytes between the {before} and the {name} belong to nothing")
        elif any(Region(stream, end, offset - end).read(offset - end)):
            yield Finding("layout", f"the padding between the {before} and the {name} is not zero")
        end, before = offset + length, name


def _slot_findings(bundle: Bundle, position: int, descriptor: SlotDescriptor, digest: Digest) -> Iterator[Finding]:
    if position >= len(bundle.metadata.table):
        where, slot = f"slot {position}", None
    else:
        slot = bundle.metadata.table[position]
        where = f"slot {position} {slot.id!r}"
    if descriptor.checksum != short_hash(digest.raw):
        yield Finding("slot", f"{where}: its bytes do not match the checksum in the slot table")
    if slot is not None and not digest.hex.startswith(slot.checksum.removeprefix("sha256:")):
        yield Finding("slot", f"{where}: its bytes do not match the signed digest")
    attested = any(bundle.index.attestation_sbom_digest) and descriptor.lifecycle == LIFECYCLES["attestation"]
    if attested and bundle.index.attestation_sbom_digest != digest.hex.encode("ascii"):
        yield Finding("attestation", f"{where}: does not match its digest in the index")


def _assembly_findings(bundle: Bundle) -> Iterator[Finding]:
    """For a bundle that promises it: recompute the frame from the signed metadata and compare every byte."""
    metadata = bundle.metadata
    try:
        for position, slot in enumerate(metadata.table):
            if slot.digest is None:
                raise FormatError(f"slot {position} {slot.id!r} has no digest")
        if metadata.launcher.digest is None:
            raise FormatError("the launcher has no digest")
        stored = assembly.stored_metadata(bundle.metadata_json)
        plan = assembly.arrange(metadata.launcher.size, len(stored), [slot.size for slot in metadata.table])
        table = assembly.descriptors(metadata, plan)
        index = assembly.index(
            metadata, plan, stored=stored, public=bundle.index.public_key, signature=bundle.signature
        )
    except (FormatError, KeyError, ValueError) as error:
        yield Finding("coverage", f"the signed metadata does not describe a complete bundle: {error}")
        return
    if bundle.metadata_stored != stored:
        yield Finding("metadata", "it is not stored in the form that was signed")
    if bundle.size != plan.size:
        yield Finding("file", f"it has {bundle.size} bytes, but the signed metadata describes {plan.size}")
    for position, descriptor in enumerate(table):
        if position >= len(bundle.descriptors) or bundle.descriptors[position] != descriptor:
            yield Finding("slot", f"slot {position}: the table differs from the signed metadata")
    if len(bundle.descriptors) > len(table):
        yield Finding("slots", "the table has slots that are not signed")
    for field in fields(Index):
        found, wanted = getattr(bundle.index, field.name), getattr(index, field.name)
        if found != wanted:
            yield Finding("index", f"{field.name} differs from the signed metadata")


def _show(value: object) -> str:
    text = value.decode("ascii", "backslashreplace") if isinstance(value, bytes) else str(value)
    return repr(text if len(text) <= 80 else text[:77] + "...")
