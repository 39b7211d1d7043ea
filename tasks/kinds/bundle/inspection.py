"""What the commands inspect, verify and extract have to say about a bundle, as plain data and as text.

Nothing here prints, and nothing of a bundle is run.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from packyard.formats.archive.tarball import read_tar
from packyard.formats.errors import FormatError, Problem
from packyard.formats.privatekey import LOOKED_AT, private_key_in
from packyard.formats.pspf import (
    Bundle,
    fingerprint,
    open_bundle,
    open_slot,
    unpacked,
)
from packyard.formats.pspf.contents import LARGEST_CONTENTS
from packyard.formats.pspf.operations import Chain, Operation, chain_name, unpack_chain
from packyard.formats.relpath import read_relpath
from packyard.formats.stream import Stream
from packyard.formats.units import size_text
from packyard.tasks.errors import UsageError
from packyard.tasks.kinds.bundle.verification import Verification, one_line, verify_file
from packyard.tasks.target.target import Json

_CHUNK = 1 << 20


def inspect_file(path: Path) -> dict[str, Json]:
    """What a bundle says of itself, as data, and which private keys its slots hold; FormatError when it is none. Says
    nothing of whether it is true."""
    bundle = open_bundle(path)
    return {**inspect(bundle), "private_keys": list(_private_keys(bundle))}


def inspect(bundle: Bundle) -> dict[str, Json]:
    """`inspect_file` for a bundle that is open."""
    metadata, index = bundle.metadata, bundle.index
    return {
        "file": os.fspath(bundle.path),
        "size": bundle.size,
        "name": metadata.name,
        "version": metadata.version,
        "built": {
            "tool": metadata.build.tool,
            "version": metadata.build.tool_version,
            "time": metadata.build.timestamp if index.build_timestamp or not bundle.covered else "",
            "platform": "_".join(part for part in (metadata.build.os, metadata.build.arch) if part),
        },
        "launcher": {
            "name": metadata.launcher.tool,
            "version": metadata.launcher.tool_version,
            "size": index.launcher_size,
            "digest": str(metadata.launcher.digest or ""),
        },
        "key": {"public": index.public_key.hex(), "fingerprint": fingerprint(index.public_key)},
        "covered": bundle.covered,
        "sealed": bool(metadata.coverage and metadata.coverage.sealed),
        "tree": metadata.coverage.tree if metadata.coverage else "",
        "needs": metadata.coverage.needs if metadata.coverage else "",
        "command": metadata.execution.command,
        "policy": None
        if metadata.policy is None
        else {
            "platforms": list(metadata.policy.platforms),
            "refuse_root": metadata.policy.refuse_root,
            "max_age_days": metadata.policy.max_age_days,
            "require_env": list(metadata.policy.require_env),
        },
        "slots": [_slot(bundle, position) for position in range(len(bundle.descriptors))],
    }


def inspection_text(values: dict[str, Json]) -> str:
    """What `inspect_file` found, for people."""
    built, launcher, key = values["built"], values["launcher"], values["key"]
    cover = "every byte" if values["covered"] else "the metadata only, not the slots"
    seal = "the launcher checks the content at the first start" if values["sealed"] else "none: nothing checks the "
    seal += "" if values["sealed"] else "slots on the host but 'packyard verify'"
    facts = [
        ("bundle", f"{values['name']} {values['version']}, {size_text(values['size'])}"),
        (
            "built",
            " ".join(part for part in (built["tool"], built["version"], built["platform"], built["time"]) if part),
        ),
        ("launcher", f"{launcher['name']} {launcher['version']}".strip() + f", {size_text(launcher['size'])}"),
        ("key", key["public"]),
        ("signed", cover),
        ("seal", seal),
        *([("needs", values["needs"])] if values["needs"] else []),
        ("command", values["command"]),
    ]
    if values["policy"] is not None:
        rules = [f"{name} {rule}" for name, rule in values["policy"].items() if rule]
        facts.append(("policy", "; ".join(rules) or "no rule"))
    for key in values.get("private_keys", ()):
        facts.append(("note", f"{key['path']} in the slot {key['slot']!r} is a private key ({key['kind']})"))
    header = ("slot", "id", "stored", "as", "purpose", "lifecycle", "mode", "target")
    rows = [
        (
            str(slot["position"]), slot["id"], size_text(slot["size"]), slot["operations"], slot["purpose"],
            slot["lifecycle"], slot["permissions"], slot["target"],
        )
        for slot in values["slots"]
    ]  # fmt: skip
    return "\n".join([*(f"{name:<9} {one_line(value)}" for name, value in facts), "", table_text([header, *rows])])


def table_text(rows: Sequence[Sequence[str]]) -> str:
    """Rows, the first of them a heading, in columns; without what a terminal would act on."""
    return "\n".join(_table(rows))


def extract(path: Path, folder: Path, ident: str = "") -> list[Path]:
    """Unpack a bundle's slots (or the one named) below a folder that is made for it; the files, sorted.

    UsageError when it has no such slot, FormatError when the bundle is damaged, the folder exists, or a slot holds what
    is not safe to write; then nothing is left behind. A slot that is not a tar becomes the file that it is in the work
    environment.
    """
    return write_slots(verify_file(path), folder, ident)


def write_slots(verification: Verification, folder: Path, ident: str = "") -> list[Path]:
    """`extract` for a bundle that was verified."""
    path, bundle = verification.path, verification.bundle
    if bundle is None or not verification.passed():
        raise FormatError(*(Problem(str(finding), place=str(path)) for finding in verification.findings))
    chosen = [position for position, slot in enumerate(bundle.metadata.table) if ident in ("", slot.id)]
    if not chosen:
        known = ", ".join(slot.id for slot in bundle.metadata.table)
        raise UsageError(Problem(f"{ident!r} is not a slot of this bundle; expected one of {known}", place=str(path)))
    if folder.exists():
        raise FormatError(Problem("already exists; expected a new folder", place=str(folder)))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise FormatError(Problem(f"cannot be made: {error.strerror}", place=str(folder))) from None
    try:
        for position in chosen:
            _unpack(bundle, position, made)
        made.chmod(0o755)
        made.rename(folder)
    except OSError as error:
        shutil.rmtree(made, ignore_errors=True)
        raise FormatError(Problem(f"cannot be written: {error.strerror}", place=str(folder))) from None
    except FormatError as error:
        shutil.rmtree(made, ignore_errors=True)
        slot = bundle.metadata.table[position].id
        raise FormatError(
            *(Problem(f"slot {slot!r}: {problem}", place=str(path)) for problem in error.problems)
        ) from None
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return sorted(file for file in folder.rglob("*") if file.is_file())


def _slot(bundle: Bundle, position: int) -> dict[str, Json]:
    descriptor = bundle.descriptors[position]
    slots = bundle.metadata.table
    slot = slots[position] if position < len(slots) else None
    return {
        "position": position,
        "id": slot.id if slot else "",
        "source": slot.source if slot else "",
        "target": slot.target if slot else "",
        "size": descriptor.size,
        "offset": descriptor.offset,
        "operations": _chain_text(descriptor.operations),
        "purpose": slot.purpose if slot else "",
        "lifecycle": slot.lifecycle if slot else "",
        "permissions": f"{descriptor.permissions:04o}",
        "checksum": slot.checksum if slot else "",
        "content": slot.content if slot else "",
    }


def _private_keys(bundle: Bundle) -> Iterator[dict[str, Json]]:
    """The private keys among the files of the slots, as far as these can be read: distributions bring some for their
    tests, and a workspace may let some through."""
    for position, slot in enumerate(bundle.metadata.table):
        with contextlib.suppress(FormatError):
            chain = unpack_chain(bundle.descriptors[position].operations)
            with open_slot(bundle, position) as stored:
                stream = unpacked(stored, chain)
                files = ((member.path, member.body) for member in read_tar(stream, limit=LARGEST_CONTENTS))
                for path, body in files if Operation.TAR in chain else [(slot.path, stream)]:
                    if kind := private_key_in(body.read(LOOKED_AT)):
                        yield {"slot": slot.id, "path": path, "kind": kind}


def _chain_text(packed: int) -> str:
    try:
        return chain_name(unpack_chain(packed))
    except FormatError:
        return f"{packed:#x}"


def _unpack(bundle: Bundle, position: int, folder: Path) -> None:
    """Write one slot below a fresh folder: only plain files, each under a name that was checked."""
    slot = bundle.metadata.table[position]
    chain: Chain = unpack_chain(bundle.descriptors[position].operations)
    with open_slot(bundle, position) as stored:
        stream = unpacked(stored, chain)
        if Operation.TAR not in chain:
            path = read_relpath(slot.path) or read_relpath(slot.id)  # both are what somebody else wrote
            if not path:
                raise FormatError(f"the slot {slot.id!r} names no file")
            _write(folder / path, stream, bundle.descriptors[position].permissions)
            return
        for member in read_tar(stream, limit=LARGEST_CONTENTS):
            if member.kind == "folder":
                (folder / read_relpath(member.path)).mkdir(parents=True, exist_ok=True)
            else:
                _write(folder / read_relpath(member.path), member.body, 0o755 if member.executable else 0o644)


def _write(path: Path, stream: Stream, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as out:
        while chunk := stream.read(_CHUNK):
            out.write(chunk)
    path.chmod((mode or 0o600) & 0o777)


def _table(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    rows = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
