"""Mutations that know the format, and correct what hides them: sizes, checksums, the signature of another key.

PACKYARD_MUTATIONS says how many are tried (3,000 unless set); the run prints what came of them.
"""

from __future__ import annotations

import collections
import contextlib
import gzip
import io
import json
import os
import random
import resource
import shutil
import struct
import time
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from packyard.formats.digest import digest_of
from packyard.formats.entry import Entry
from packyard.formats.errors import FormatError
from packyard.formats.gzipped import compressing
from packyard.formats.pspf import Bundle, Policy, Slot, Verdict, key_from_seed, open_bundle, public_key
from packyard.formats.pspf.assembly import arrange, balanced, stored_metadata
from packyard.formats.pspf.layout import END_MAGIC, START_MAGIC, Index, SlotDescriptor, short_hash
from packyard.formats.pspf.signature import fingerprint, sign
from packyard.formats.tarball import write_tar
from packyard.tasks.inspection import extract, inspect_file, inspection_text, verify_file

from tests.formats.pspf.conftest import MakeBundle, WriteTgz

MUTATIONS = int(os.environ.get("PACKYARD_MUTATIONS", "3000"))
SLOWEST = 5.0  # seconds for one file
MOST_MEMORY = 200 << 20  # bytes more than before
OWNER, STRANGER = key_from_seed("s1"), key_from_seed("s2")
NUMBERS = (0, 1, 2, 7, 8, 63, 64, 255, 256, 4096, 1 << 20, 1 << 31, (1 << 32) - 1, 1 << 33, 1 << 40, (1 << 63) - 1)
TEXTS = (
    "",
    "..",
    "../x",
    "/etc/x",
    "{workenv}",
    "{workenv}/../x",
    "a\0b",
    "\ud800",
    "x" * 5000,
    "tgz",
    "xz",
    "\x1b[2J",
)

Mutate = Callable[[random.Random, "Parts"], bytes]


class Parts:
    """A bundle taken apart."""

    def __init__(self, path: Path) -> None:
        self.bundle: Bundle = open_bundle(path)
        self.data = path.read_bytes()
        self.launcher = self.data[: self.bundle.index.launcher_size]
        self.json: Any = json.loads(self.bundle.metadata_json)
        self.slots = [self.data[slot.offset : slot.offset + slot.size] for slot in self.bundle.descriptors]

    def assemble(self, metadata: bytes, slots: list[bytes], table: list[SlotDescriptor] | None = None) -> bytes:
        """A file whose numbers all fit, signed by somebody else."""
        stored = stored_metadata(metadata)
        plan = arrange(len(self.launcher), len(stored), [len(slot) for slot in slots])
        rows = table or [
            replace(
                row, offset=offset, size=len(slot), original_size=len(slot), checksum=short_hash(digest_of(slot).raw)
            )
            for row, slot, offset in zip(self.bundle.descriptors, slots, plan.slot_offsets, strict=True)
        ]
        public = public_key(STRANGER)
        index = replace(
            self.bundle.index,
            package_size=plan.size,
            metadata_offset=plan.metadata_offset,
            metadata_size=len(stored),
            slot_table_offset=plan.table_offset,
            public_key=public,
            metadata_checksum=digest_of(stored).raw,
            integrity_signature=sign(STRANGER, metadata).ljust(512, b"\0"),
            attestation_key_fp=fingerprint(public).encode(),
        )
        out = bytearray(plan.size)
        for offset, part in (
            (0, self.launcher),
            (plan.metadata_offset, stored),
            (plan.table_offset, b"".join(row.pack() for row in rows)),
            *zip(plan.slot_offsets, slots, strict=True),
            (plan.trailer_offset, START_MAGIC + balanced(index).pack() + END_MAGIC),
        ):
            out[offset : offset + len(part)] = part
        return bytes(out)

    def with_digests(self, slots: list[bytes]) -> bytes:
        """The metadata, saying of changed slots what is true."""
        values = json.loads(json.dumps(self.json))
        for entry in (*values["slots"], *values["packyard"]["lazy"]):
            stored = slots[entry["slot"]]
            entry.update(size=len(stored), checksum=str(digest_of(stored)))
        return canonical(values)


def canonical(values: Any) -> bytes:
    return json.dumps(values, sort_keys=True, separators=(",", ":")).encode("ascii")


# mutations -----------------------------------------------------------------------------------------------------


def index_field(rng: random.Random, parts: Parts) -> bytes:
    """One field of the index, with or without a checksum that fits."""
    field = rng.choice(fields(Index)).name
    old = getattr(parts.bundle.index, field)
    new: Any = rng.randbytes(len(old)) if isinstance(old, bytes) else rng.choice((*NUMBERS, old + 1, max(0, old - 1)))
    try:
        changed = replace(parts.bundle.index, **{field: new})
        block = (balanced(changed) if rng.random() < 0.5 else changed).pack()
    except (FormatError, OverflowError, ValueError):
        return parts.data[:-1]
    return parts.data[:-8196] + block + END_MAGIC


def descriptor_field(rng: random.Random, parts: Parts) -> bytes:
    """One field of the slot table, the rest signed anew."""
    rows = list(parts.bundle.descriptors)
    position = rng.randrange(len(rows))
    field = rng.choice(fields(SlotDescriptor)).name
    rows[position] = replace(rows[position], **{field: rng.choice(NUMBERS) & (0xFF if "reserved" in field else -1)})
    try:
        return parts.assemble(canonical(parts.json), parts.slots, rows)
    except FormatError:  # it does not fit its field
        return parts.data[: rng.randrange(len(parts.data))]


def json_node(rng: random.Random, parts: Parts) -> bytes:
    """One node of the metadata: taken away, of another type, or of a strange value; signed."""
    values = json.loads(json.dumps(parts.json))
    node: Any = values
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            break
        key = rng.choice(keys)
        if isinstance(node[key], (dict, list)) and rng.random() < 0.8:
            node = node[key]
            continue
        if rng.random() < 0.2:
            del node[key]
        else:
            node[key] = rng.choice(
                [*NUMBERS, -1, 1.5, True, None, *TEXTS, [], {}, [[]] * 3, {"a": {"b": []}}, [1] * 100, 10**400]
            )
        break
    return parts.assemble(canonical(values), parts.slots)


def json_text(rng: random.Random, parts: Parts) -> bytes:
    """The text of the metadata: broken, doubled keys, deep nesting, much of it."""
    text = canonical(parts.json)
    place = rng.randrange(1, len(text))
    changed = rng.choice(
        [
            text[:place],
            text[:place] + rng.randbytes(3) + text[place:],
            b"[" * rng.choice((100, 100_000)) + text,
            text[:-1] + b',"format":"x"}',
            text[:-1] + b',"more":"' + b"x" * rng.choice((1 << 16, 1 << 20)) + b'"}',
            b"",
            b"null",
        ]
    )
    return parts.assemble(changed, parts.slots)


def tar_bytes(rng: random.Random, parts: Parts) -> bytes:
    """A header of a tar, with a checksum that fits; packed, digested and signed anew."""
    position = rng.choice((0, 2))
    tar = bytearray(gzip.decompress(parts.slots[position]))
    start = 512 * rng.randrange(len(tar) // 512)
    block = tar[start : start + 512]
    if rng.random() < 0.3:
        block[:100] = rng.choice((b"../x", b"/x", b"a/../../x", b"bin", b"bin/run", b"\xff\xfe")).ljust(100, b"\0")
    elif rng.random() < 0.3:
        block[156:157] = rng.choice((b"0", b"1", b"2", b"3", b"5", b"6", b"7", b"x", b"g", b"L", b"S", b"V"))
    elif rng.random() < 0.5:
        block[124:136] = rng.choice((b"77777777777\0", b"-0000000001\0", b"\x80" + b"\xff" * 11, b"garbage\0\0\0\0\0"))
    else:
        for _ in range(rng.randrange(1, 5)):
            block[rng.randrange(512)] = rng.randrange(256)
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    tar[start : start + 512] = block
    if rng.random() < 0.2:
        tar = tar[: rng.randrange(len(tar))]
    slots = list(parts.slots)
    slots[position] = packed(bytes(tar))
    return parts.assemble(parts.with_digests(slots), slots)


def slot_bytes(rng: random.Random, parts: Parts) -> bytes:
    """The stored bytes of a slot: flipped, cut, doubled, a bomb; digested and signed anew."""
    position = rng.randrange(len(parts.slots))
    stored = bytearray(parts.slots[position])
    match rng.randrange(5):
        case 0:
            stored[rng.randrange(len(stored))] ^= 1 << rng.randrange(8)
        case 1:
            stored = stored[: rng.randrange(len(stored))]
        case 2:
            stored = stored * 2
        case 3:
            stored = bytearray(packed(bytes(rng.choice((1 << 16, 1 << 22)))))
        case _:
            stored[-8:] = struct.pack("<2I", rng.getrandbits(32), rng.choice(NUMBERS) & 0xFFFFFFFF)
    slots = list(parts.slots)
    slots[position] = bytes(stored)
    return parts.assemble(parts.with_digests(slots), slots)


def plain_bytes(rng: random.Random, parts: Parts) -> bytes:
    """The file itself: flips, cuts, splices, and things behind its end."""
    data = bytearray(parts.data)
    for _ in range(rng.randrange(1, 4)):
        at, size = rng.randrange(len(data)), rng.randrange(1, 600)
        match rng.randrange(4):
            case 0:
                data[at] ^= 1 << rng.randrange(8)
            case 1:
                del data[at : at + size]
            case 2:
                data[at:at] = data[at : at + size]
            case _:
                data += rng.randbytes(size)
        if len(data) < 2:
            break
    return bytes(data)


def packed(data: bytes) -> bytes:
    out = io.BytesIO()
    with compressing(out) as stream:
        stream.write(data)
    return out.getvalue()


MUTATORS: tuple[Mutate, ...] = (
    index_field, descriptor_field, json_node, json_text, tar_bytes, slot_bytes, plain_bytes,
)  # fmt: skip


@pytest.fixture
def parts(make_bundle: MakeBundle, write_tgz: WriteTgz, tmp_path: Path) -> Parts:
    (tmp_path / "raw").write_bytes(b"raw")
    lazy = write_tgz("lazy.tar.gz", {"models/m": b"model" * 100})
    files = [write_tgz("a.tar.gz", {"bin/run": b"#!/bin/sh\n", "share/text": b"text" * 300}), tmp_path / "raw", lazy]
    slots = (
        Slot(id="app", target="{workenv}", operations="tgz", purpose="code", permissions="0755"),
        Slot(id="notes", target="{workenv}/doc/notes.txt"),
    )
    lazies = (Slot(id="models", target="{workenv}/models", operations="tgz", lifecycle="lazy"),)
    return Parts(make_bundle(slots=slots, lazy=lazies, files=files, policy=Policy(refuse_root=True)))


def test_mutated_bundles_end_in_a_clean_answer(
    parts: Parts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(2025)
    path, out = tmp_path / "mutated.psp", tmp_path / "out"
    verdicts: collections.Counter[str] = collections.Counter()
    slowest = 0.0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(MUTATIONS):
        mutate = MUTATORS[number % len(MUTATORS)]
        data = mutate(rng, parts)
        path.write_bytes(data)
        start = time.perf_counter()
        found = verify_file(path, [public_key(OWNER)], deep=True)
        found.text()
        with contextlib.suppress(FormatError):
            inspection_text(inspect_file(path))
        if found.passed():
            try:
                extract(path, out)
            except FormatError:
                pass
            else:
                shutil.rmtree(out)
        slowest = max(slowest, time.perf_counter() - start)
        verdicts[f"{mutate.__name__}: {found.verdict.name.lower()}"] += 1
        if data != parts.data:
            assert found.verdict is not Verdict.AUTHENTIC, mutate.__name__
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
    with capsys.disabled():
        print(  # noqa: T201  (what the run is for)
            f"\n{MUTATIONS} mutations, slowest {slowest:.2f} s, {memory >> 20} MB more: "
            f"{dict(sorted(verdicts.items()))}"
        )
    assert sorted(tmp_path.parent.glob("x*")) == []
    assert slowest < SLOWEST
    assert memory < MOST_MEMORY


def test_tar_of_the_fuzzer_is_read_when_nothing_is_changed(parts: Parts) -> None:
    out = io.BytesIO()
    write_tar([Entry("a", b"a")], out)
    slots = [packed(out.getvalue()), *parts.slots[1:]]
    path = parts.bundle.path
    path.write_bytes(parts.assemble(parts.with_digests(slots), slots))
    assert verify_file(path).verdict is Verdict.INTACT
