"""Writing a bundle: launcher, signed metadata, slot table, slots, trailer, in one pass over the parts."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final

from packyard.formats.digest import Digest
from packyard.formats.errors import FormatError, Problem
from packyard.formats.pspf.assembly import Arrangement, arrange, descriptors, index, stored_metadata
from packyard.formats.pspf.layout import END_MAGIC, START_MAGIC
from packyard.formats.pspf.metadata import Metadata, with_identity
from packyard.formats.pspf.operations import Chain, Operation, check_portable, read_chain
from packyard.formats.pspf.parts import LIFECYCLES, PURPOSES, Coverage, Slot
from packyard.formats.pspf.signature import PrivateKey, public_key, sign
from packyard.formats.relpath import read_relpath

CHECK_FILE: Final = ".packyard-bundle"  # in the work environment: which bundle was unpacked there

_CHUNK: Final = 1 << 20
_UNKNOWN: Final = Digest("0" * 64)  # stands for a digest until the bytes have been read; as long as any


def write_bundle(
    out: Path, *, launcher: Path, metadata: Metadata, slots: Sequence[Path], key: PrivateKey, mode: int = 0o755
) -> Metadata:
    """Write the bundle `out` and return the metadata as signed.

    `slots` are the files with the stored bytes of `metadata.table`, in its order: nothing is compressed here; a slot
    with operations 'tgz' is a .tar.gz file. Sizes, digests, coverage and cache validation are filled in. The file
    appears complete or not at all, and memory use does not grow with it. FormatError names everything in `metadata`
    that one of the launchers would not run.
    """
    check_metadata(metadata, len(slots))
    launcher_size = launcher.stat().st_size
    sizes = [slot.stat().st_size for slot in slots]
    # All digests have the same length, so the metadata's size, and with it every offset, is known before the first
    # read.
    expected = len(_complete(metadata, launcher_size, sizes, _UNKNOWN, [_UNKNOWN] * len(sizes)).to_json())
    plan = arrange(launcher_size, len(stored_metadata(bytes(expected))), sizes)

    handle, temporary = tempfile.mkstemp(prefix=f".{out.name}.", dir=out.parent)
    try:
        with open(handle, "wb") as stream:
            launcher_digest = _copy(launcher, launcher_size, stream)
            digests = []
            for path, size, offset in zip(slots, sizes, plan.slot_offsets, strict=True):
                stream.seek(offset)  # what is skipped reads as zeros
                digests.append(_copy(path, size, stream))
            signed = _complete(metadata, launcher_size, sizes, launcher_digest, digests)
            _frame(stream, signed, plan, key)
            os.chmod(stream.fileno() if os.chmod in os.supports_fd else temporary, mode)
        Path(temporary).replace(out)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
    return signed


def check_metadata(metadata: Metadata, count: int) -> None:
    """FormatError with everything in draft metadata that a writer must not write, for `count` slot files."""
    problems = []
    if len(metadata.table) != count:
        problems.append(Problem(f"{count} files for {len(metadata.table)} slots", "slots"))
    if not metadata.name or not metadata.version:
        problems.append(Problem("a name and a version are required", "package"))
    if not metadata.execution.command.strip():
        problems.append(Problem("'' is not a command", "execution.command"))
    seen: set[str] = set()
    for position, slot in enumerate(metadata.table):
        key = f"slots[{position}]"
        if not slot.id or slot.id in seen:
            problems.append(Problem(f"{slot.id!r} is empty or the id of two slots", f"{key}.id"))
        seen.add(slot.id)
        problems.extend(Problem(text, f"{key}.{field}") for field, text in _slot_problems(slot))
    if problems:
        raise FormatError(*problems)


def _slot_problems(slot: Slot) -> list[tuple[str, str]]:
    found = []
    if slot.purpose not in PURPOSES:
        found.append(("purpose", f"{slot.purpose!r} is not one of {', '.join(PURPOSES)}"))
    if slot.lifecycle not in LIFECYCLES:
        found.append(("lifecycle", f"{slot.lifecycle!r} is not one of {', '.join(LIFECYCLES)}"))
    chain: Chain | None = None
    try:
        chain = read_chain(slot.operations)
        check_portable(chain)
    except FormatError as error:
        found.append(("operations", str(error)))
    try:
        path = read_relpath(slot.path)
        if not path and chain is not None and Operation.TAR not in chain:
            found.append(("target", f"{slot.target!r} names no file in the work environment"))
        # The Rust launcher removes the target of such a slot, and that would be everything.
        if not path and slot.lifecycle == "init":
            found.append(("target", "a slot of lifecycle 'init' needs a folder of its own"))
    except FormatError as error:
        found.append(("target", str(error)))
    if not slot.permissions or set(slot.permissions) - set("01234567") or int(slot.permissions, 8) > 0o777:
        found.append(("permissions", f"{slot.permissions!r} are not octal permissions up to 0777"))
    return found


def _complete(
    metadata: Metadata, launcher_size: int, sizes: Sequence[int], launcher: Digest, digests: Sequence[Digest]
) -> Metadata:
    """The metadata completed with what is known about the parts; with_identity comes last because it digests everything
    else."""
    table = tuple(
        replace(slot, size=size, checksum=str(digest))
        for slot, size, digest in zip(metadata.table, sizes, digests, strict=True)
    )
    first_lazy = len(metadata.slots)
    filled = replace(
        metadata,
        slots=table[:first_lazy],
        lazy=table[first_lazy:],
        launcher=replace(metadata.launcher, size=launcher_size, checksum=str(launcher)),
        coverage=metadata.coverage or Coverage(),
    )
    return filled if metadata.cache_validation is not None else with_identity(filled, CHECK_FILE)


def _frame(stream: BinaryIO, metadata: Metadata, plan: Arrangement, key: PrivateKey) -> None:
    """Everything that is neither the launcher's nor a slot's: metadata, table, trailer."""
    json = metadata.to_json()
    stored = stored_metadata(json)
    if len(stored) != plan.metadata_size:
        raise FormatError("the metadata changed size while the bundle was being written")
    stream.seek(plan.metadata_offset)
    stream.write(stored)
    stream.seek(plan.table_offset)
    for descriptor in descriptors(metadata, plan):
        stream.write(descriptor.pack())
    stream.seek(plan.trailer_offset)
    block = index(metadata, plan, stored=stored, public=public_key(key), signature=sign(key, json))
    stream.write(START_MAGIC + block.pack() + END_MAGIC)


def _copy(source: Path, size: int, target: BinaryIO) -> Digest:
    """Append a file of known size; returns the digest of the bytes written."""
    state = hashlib.sha256()
    left = size
    with source.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            left -= len(chunk)
            state.update(chunk)
            target.write(chunk)
    if left:
        raise FormatError(Problem("changed while being read", place=str(source)))
    return Digest(state.hexdigest())
