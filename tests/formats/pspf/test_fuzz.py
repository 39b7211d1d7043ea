"""Mutations that know the format, and correct what hides them: sizes, checksums, the signature of another key.

PACKYARD_MUTATIONS says how many are tried; the whole set is 100,000, which take about a minute. The run prints what
came of them.
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
import signal
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import compressing
from packyard.formats.archive.tarball import write_tar
from packyard.formats.digest import digest_of
from packyard.formats.errors import FormatError
from packyard.formats.pspf import Bundle, Policy, Slot, Verdict, key_from_seed, open_bundle, public_key
from packyard.formats.pspf.assembly import arrange, balanced, stored_metadata
from packyard.formats.pspf.layout import END_MAGIC, START_MAGIC, Index, SlotDescriptor, index_checksum, short_hash
from packyard.formats.pspf.signature import fingerprint, sign
from packyard.tasks.kinds.bundle.inspection import inspect, inspection_text, write_slots
from packyard.tasks.kinds.bundle.verification import verify_file

from tests.conftest import Figures, Tally
from tests.formats.pspf.conftest import MakeBundle, WriteTgz
from tests.share import SEED, amount

MUTATIONS = amount("PACKYARD_MUTATIONS", 100_000)
SHARES = 4  # tests, so that several processes can try them
SLOWEST = 2.0  # seconds of the processor for one file
HANGING = 120  # seconds of the clock
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

    def assemble(
        self,
        metadata: bytes,
        slots: list[bytes],
        table: list[SlotDescriptor] | None = None,
        stored: bytes | None = None,
    ) -> bytes:
        """A file whose numbers all fit, signed by somebody else; `stored` are the metadata as the file holds them."""
        stored = stored_metadata(metadata) if stored is None else stored
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


def index_words(rng: random.Random, parts: Parts) -> bytes:
    """Several 8-byte words, most of them in the index, where numbers are believed or not."""
    data = bytearray(parts.data)
    for _ in range(rng.randint(1, 4)):
        in_index = len(data) - 8196 + rng.randrange(0, 1568, 4)
        offset = rng.choice((in_index, in_index, rng.randrange(len(data) - 8)))
        value = rng.choice((rng.getrandbits(64), len(data), (1 << 64) - 1, *NUMBERS))
        data[offset : offset + 8] = value.to_bytes(8, "little")
    if rng.random() < 0.5:
        struct.pack_into("<I", data, len(data) - 8192, index_checksum(bytes(data[-8196:-4])))
    return bytes(data)


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


def metadata_bytes(rng: random.Random, parts: Parts) -> bytes:
    """The metadata as they are stored: damaged, another compression, two members, a bomb; digested anew."""
    json = canonical(parts.json)
    stored = bytearray(stored_metadata(json))
    match rng.randrange(6):
        case 0:
            stored[rng.randrange(len(stored))] ^= 1 << rng.randrange(8)
        case 1:
            stored = stored[: rng.randrange(len(stored))]
        case 2:
            stored += rng.choice((bytes(stored), b"\0", rng.randbytes(20)))
        case 3:
            stored = bytearray(gzip.compress(json, mtime=rng.choice((0, 1))))
        case 4:
            stored = bytearray(gzip.compress(json[:-1] + b" " * (1 << 20) + b"}", 1))
        case _:
            stored = bytearray(BOMB)
    return parts.assemble(json, parts.slots, stored=bytes(stored))


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
            stored = bytearray(rng.choice((SMALL_BOMB,) * 63 + (BOMB,)))
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


SMALL_BOMB, BOMB = packed(bytes(1 << 16)), packed(bytes(1 << 24))
MUTATORS: tuple[Mutate, ...] = (
    index_field, index_words, descriptor_field, json_node, json_text, metadata_bytes, tar_bytes, slot_bytes,
    plain_bytes,
)  # fmt: skip


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory where there is one: thousands of files are written and removed."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as made:
        yield Path(made)


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


@pytest.fixture
def watched() -> Iterator[None]:
    """What takes for ever ends in an error: `signal.alarm` starts and stops the clock."""
    before = signal.signal(signal.SIGALRM, hanging)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.share
@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize("share", range(SHARES))
def test_mutated_bundles_end_in_a_clean_answer(
    parts: Parts, folder: Path, share: int, tally: Tally, figures: Figures
) -> None:
    rng = random.Random(f"2025 {SEED} {share}")
    (folder / "inner").mkdir()
    path, out = folder / "inner/mutated.psp", folder / "inner/out"
    verdicts: collections.Counter[str] = collections.Counter()
    number, slowest = MUTATIONS // SHARES, 0.0
    before = peak_memory(reset=True)
    for turn in range(number):
        mutate = MUTATORS[turn % len(MUTATORS)]
        data = mutate(rng, parts)
        path.write_bytes(data)
        start = time.process_time()
        signal.alarm(HANGING)
        verdict = answer(path, out)
        signal.alarm(0)
        slowest = max(slowest, time.process_time() - start)
        if data == parts.data:
            continue
        assert verdict is not Verdict.AUTHENTIC, (mutate.__name__, turn)
        verdicts[f"{mutate.__name__} {verdict.name.lower()}"] += 1
    memory = max(0, peak_memory() - before)
    tally("mutated bundles", number)
    for name, count in verdicts.items():
        tally(f"mutated bundles: {name}", count)
    figures(f"the slowest took {slowest:.2f} s of the processor, the largest {memory >> 20} MB more than before")
    assert sorted(path.name for path in folder.rglob("*")) == ["inner", "mutated.psp"]
    assert not any(Path(text).exists() for text in ("/x", "/etc/x"))
    assert slowest < SLOWEST
    assert memory < MOST_MEMORY


def answer(path: Path, out: Path) -> Verdict:
    """What the commands verify --deep, inspect and extract do with a file; what they write is removed again."""
    found = verify_file(path, [public_key(OWNER)], deep=True)
    found.text()
    if found.bundle is not None:
        inspection_text(inspect(found.bundle))
    if found.passed():
        with contextlib.suppress(FormatError):
            write_slots(found, out)
            shutil.rmtree(out)
    return found.verdict


def hanging(number: int, frame: FrameType | None) -> None:
    raise AssertionError("a mutated bundle takes for ever")


def peak_memory(*, reset: bool = False) -> int:
    """The most bytes that this process had in memory, since the last reset where the system can forget."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) << 10
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def test_tar_of_the_fuzzer_is_read_when_nothing_is_changed(parts: Parts) -> None:
    out = io.BytesIO()
    write_tar([Entry("a", b"a")], out)
    slots = [packed(out.getvalue()), *parts.slots[1:]]
    path = parts.bundle.path
    path.write_bytes(parts.assemble(parts.with_digests(slots), slots))
    assert verify_file(path).verdict is Verdict.INTACT
