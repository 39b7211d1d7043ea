from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from packyard.formats.digest import digest_of
from packyard.formats.errors import FormatError
from packyard.formats.pspf import (
    Bundle,
    Coverage,
    Metadata,
    Policy,
    Slot,
    Verdict,
    judge,
    key_from_seed,
    new_key,
    open_bundle,
    public_key,
    verify,
    verify_contents,
)
from packyard.formats.pspf.assembly import balanced, stored_metadata
from packyard.formats.pspf.layout import Index, SlotDescriptor, index_checksum, short_hash
from packyard.formats.pspf.metadata import canonical

from tests.share import drawn

MakeBundle = Callable[..., Path]
WriteTgz = Callable[[str, dict[str, bytes]], Path]


def findings_of(path: Path) -> list[str]:
    """What opening or verifying a file finds; [] for an intact one."""
    try:
        bundle = open_bundle(path)
    except FormatError as error:
        return [str(error)]
    return [str(finding) for finding in verify(bundle) if not finding.note]


def test_untouched_bundle_is_intact_and_authentic_by_a_pinned_key(make_bundle: MakeBundle) -> None:
    bundle = open_bundle(make_bundle())
    assert verify(bundle) == []
    assert verify_contents(bundle) == []
    assert judge(bundle, []) is Verdict.INTACT
    assert judge(bundle, [], {public_key(key_from_seed("s1"))}) is Verdict.AUTHENTIC
    assert judge(bundle, [], {public_key(new_key())}) is Verdict.INTACT


@pytest.mark.share
def test_every_single_byte_flip_is_refused(make_bundle: MakeBundle) -> None:
    """Each byte but the launcher's by its position; of the launcher, samples."""
    path = make_bundle(launcher=b"launcher" * 500)
    data = path.read_bytes()
    launcher = open_bundle(path).index.launcher_size
    offsets = [*range(0, launcher, 97), launcher - 1, *range(launcher, len(data))]
    with path.open("r+b", buffering=0) as stream:
        for offset in drawn(offsets, "flips"):
            os.pwrite(stream.fileno(), bytes([data[offset] ^ 1 << offset % 8]), offset)
            assert findings_of(path), f"a flip at {offset} of {len(data)} was not noticed"
            os.pwrite(stream.fileno(), bytes([data[offset]]), offset)
    assert findings_of(path) == []


@pytest.mark.share
def test_every_truncation_is_refused(make_bundle: MakeBundle) -> None:
    path = make_bundle()
    data = path.read_bytes()
    for size in drawn(range(len(data) - 1, -1, -1), "cuts"):
        os.truncate(path, size)
        assert findings_of(path), f"a cut to {size} of {len(data)} bytes was not noticed"
    for size in range(1, len(data), 61):  # at the other end
        path.write_bytes(data[size:])
        assert findings_of(path), f"{size} missing bytes at the start were not noticed"


def test_every_extension_is_refused(make_bundle: MakeBundle) -> None:
    path = make_bundle()
    data = path.read_bytes()
    with path.open("ab", buffering=0) as stream:
        for size in range(1, 8300):  # past the point where another trailer could begin
            stream.write(bytes([data[size - 1]]))
            assert findings_of(path), f"{size} bytes at the end were not noticed"
    for tail in (*(bytes([byte]) for byte in range(256)), bytes(8), bytes(4096), data[-8200:], data):
        path.write_bytes(data + tail)
        assert findings_of(path), f"{len(tail)} bytes at the end were not noticed"
    for at in range(0, len(data), 61):  # in between
        path.write_bytes(data[:at] + b"\0" + data[at:])
        assert findings_of(path), f"a byte more at {at} was not noticed"


def rewrite(bundle: Bundle, index: Index | None = None, table: dict[int, SlotDescriptor] | None = None) -> None:
    """Put another index and other descriptors in place, with checksums that fit."""
    data = bytearray(bundle.path.read_bytes())
    for position, descriptor in (table or {}).items():
        start = bundle.index.slot_table_offset + 64 * position
        data[start : start + 64] = descriptor.pack()
    data[-8196:-4] = balanced(index or bundle.index).pack()
    bundle.path.write_bytes(data)


def swap_slot(bundle: Bundle) -> None:
    """The hole of the format: other bytes in a slot, and descriptor and index corrected."""
    descriptor = bundle.descriptors[1]
    data = bytearray(bundle.path.read_bytes())
    data[descriptor.offset : descriptor.offset + descriptor.size] = b"A" * descriptor.size
    bundle.path.write_bytes(data)
    checksum = short_hash(digest_of(b"A" * descriptor.size).raw)
    rewrite(bundle, table={1: replace(descriptor, checksum=checksum)})


def redirect_slot(bundle: Bundle) -> None:
    first, second, _ = bundle.descriptors
    rewrite(bundle, table={1: replace(second, offset=first.offset, size=first.size, checksum=first.checksum)})


def replace_key(bundle: Bundle) -> None:
    other = new_key()
    signature = other.sign(bundle.metadata_json).ljust(512, b"\0")
    fingerprint = digest_of(public_key(other)).hex.encode()
    rewrite(
        bundle,
        replace(
            bundle.index,
            public_key=public_key(other),
            integrity_signature=signature,
            attestation_key_fp=fingerprint,
        ),
    )


def weaken_key(bundle: Bundle) -> None:
    identity = b"\1" + bytes(31)
    rewrite(
        bundle,
        replace(
            bundle.index,
            public_key=identity,
            integrity_signature=(identity + bytes(32)).ljust(512, b"\0"),
            attestation_key_fp=digest_of(identity).hex.encode(),
        ),
    )


def loosen_slot(bundle: Bundle) -> None:
    rewrite(bundle, table={0: replace(bundle.descriptors[0], operations=0)})


def make_executable(bundle: Bundle) -> None:
    rewrite(bundle, table={1: replace(bundle.descriptors[1], permissions_low=0xFF)})


def age(bundle: Bundle) -> None:
    rewrite(bundle, replace(bundle.index, build_timestamp=1))


def drop_policy(bundle: Bundle) -> None:
    """As far as nobody signs it: the index has no digest of a policy any more."""
    rewrite(bundle, replace(bundle.index, attestation_policy_hash=bytes(64)))


def drop_signed_policy(bundle: Bundle) -> None:
    """The policy's JSON under a name that no launcher knows; everything else fits, but for the signature."""
    json = bundle.metadata_json.replace(b'"policy":', b'"polizy":')
    assert json != bundle.metadata_json
    data = bytearray(bundle.path.read_bytes())
    stored = stored_metadata(json)
    data[bundle.index.metadata_offset : bundle.index.metadata_offset + len(stored)] = stored
    bundle.path.write_bytes(data)
    checksum = digest_of(stored).raw
    rewrite(bundle, replace(bundle.index, attestation_policy_hash=bytes(64), metadata_checksum=checksum))


def alter_lazy_slot(bundle: Bundle) -> None:
    """Other bytes in the lazy slot, with a checksum that fits."""
    descriptor = bundle.descriptors[2]
    data = bytearray(bundle.path.read_bytes())
    data[descriptor.offset : descriptor.offset + descriptor.size] = b"L" * descriptor.size
    bundle.path.write_bytes(data)
    checksum = short_hash(digest_of(b"L" * descriptor.size).raw)
    rewrite(bundle, table={2: replace(descriptor, checksum=checksum)})


def add_slot(bundle: Bundle) -> None:
    """One more entry in the table, over the bytes of another slot's end."""
    rewrite(bundle, replace(bundle.index, slot_count=4, slot_table_size=256))


@pytest.mark.parametrize(
    ("tamper", "cause"),
    [
        (swap_slot, "slot: slot 1 'notes': its bytes do not match the signed digest"),
        (redirect_slot, "layout: the slot 1 overlaps the slot 0"),
        (weaken_key, f"signature: 01{'00' * 31} is a weak public key (of small order): anyone can sign for it"),
        (loosen_slot, "slot: slot 0: the table differs from the signed metadata"),
        (make_executable, "slot: slot 1: the table differs from the signed metadata"),
        (age, "index: build_timestamp differs from the signed metadata"),
        (drop_policy, "index: attestation_policy_hash differs from the signed metadata"),
        (drop_signed_policy, "signature: the signature does not match the metadata"),
        (alter_lazy_slot, "slot: slot 2 'models': its bytes do not match the signed digest"),
        (add_slot, "slots: the table has slots that are not signed"),
    ],
)
def test_tampering_is_refused_by_the_name_of_its_cause(
    make_bundle: MakeBundle,
    draft: Metadata,
    write_tgz: WriteTgz,
    tmp_path: Path,
    tamper: Callable[[Bundle], None],
    cause: str,
) -> None:
    (tmp_path / "notes").write_bytes(b"a file of its own\n")
    files = [write_tgz("app.tar.gz", {"bin/run": b"run"}), tmp_path / "notes", write_tgz("lazy.tar.gz", {"m": b"m"})]
    lazy = (Slot(id="models", target="{workenv}/models", operations="tgz", lifecycle="lazy"),)
    path = make_bundle(slots=draft.slots, files=files, lazy=lazy, policy=Policy(require_env=("NEEDED",)))
    assert verify(open_bundle(path)) == []
    tamper(open_bundle(path))
    assert cause in findings_of(path)


def test_replaced_key_is_intact_but_not_authentic(make_bundle: MakeBundle) -> None:
    path = make_bundle()
    replace_key(open_bundle(path))
    bundle = open_bundle(path)
    assert judge(bundle, verify(bundle), {public_key(key_from_seed("s1"))}) is Verdict.INTACT


def test_metadata_of_another_bundle_are_refused(make_bundle: MakeBundle) -> None:
    one, two = open_bundle(make_bundle("one.psp")), open_bundle(make_bundle("two.psp", version="2.0"))
    data = bytearray(one.path.read_bytes())
    start = one.index.metadata_offset
    data[start : start + one.index.metadata_size] = two.metadata_stored
    one.path.write_bytes(data)
    rewrite(one, replace(one.index, metadata_checksum=digest_of(two.metadata_stored).raw))
    assert "signature: the signature does not match the metadata" in findings_of(one.path)


def test_wrong_tree_digest_under_a_right_signature_is_found_by_the_deep_look(
    make_bundle: MakeBundle,
) -> None:
    slots = (
        Slot(id="app", target="{workenv}", operations="tgz", content="sha256:" + "0" * 64),
        Slot(id="notes", target="{workenv}/doc/notes.txt"),
    )
    bundle = open_bundle(make_bundle(slots=slots))
    assert verify(bundle) == []
    assert list(map(str, verify_contents(bundle))) == [
        "content: slot 0 'app': its files do not match the signed digest"
    ]
    bundle = open_bundle(make_bundle(coverage=Coverage(tree="sha256:" + "0" * 64)))
    assert verify(bundle) == []
    assert list(map(str, verify_contents(bundle))) == [
        "content: the files of all slots do not match the signed tree digest"
    ]


@pytest.mark.parametrize(
    ("offset", "width", "value"),
    [(32, 8, 1 << 63), (40, 8, (1 << 64) - 1), (48, 8, 1), (56, 4, (1 << 32) - 1), (16, 8, 1 << 62), (24, 8, 1 << 40)],
    ids=["metadata_size", "table_offset", "table_size", "slot_count", "launcher_size", "metadata_offset"],
)
def test_index_that_lies_about_sizes_is_refused(make_bundle: MakeBundle, offset: int, width: int, value: int) -> None:
    path = make_bundle()
    data = bytearray(path.read_bytes())
    index = len(data) - 8196
    data[index + offset : index + offset + width] = value.to_bytes(width, "little")
    struct.pack_into("<I", data, index + 4, index_checksum(bytes(data[index:-4])))
    path.write_bytes(data)
    assert findings_of(path)


@pytest.mark.parametrize("field", [16, 24], ids=["offset", "size"])
def test_slot_outside_of_the_file_is_refused_by_the_deep_look_alone(make_bundle: MakeBundle, field: int) -> None:
    path = make_bundle()
    bundle = open_bundle(path)
    data = bytearray(path.read_bytes())
    struct.pack_into("<Q", data, bundle.index.slot_table_offset + field, 1 << 63)
    path.write_bytes(data)
    assert list(map(str, verify_contents(open_bundle(path)))) == [
        "content: slot 0 'app': slot 0 extends past the end of the file"
    ]


def test_slot_that_the_table_lacks_is_refused_by_the_deep_look_alone(make_bundle: MakeBundle) -> None:
    bundle = open_bundle(make_bundle())
    assert list(map(str, verify_contents(replace(bundle, descriptors=bundle.descriptors[:1])))) == [
        "content: slot 1 'notes': slot 1 is not in the slot table, which has 1"
    ]


def test_bundle_without_promise_is_intact_with_uncovered_slots(make_bundle: MakeBundle) -> None:
    path = make_bundle()
    bundle = open_bundle(path)
    values = json.loads(bundle.metadata_json)
    del values["packyard"]
    # As another builder would: its own JSON, signed; spaces keep everything else in its place.
    text = canonical(values).ljust(len(bundle.metadata_json))
    data = bytearray(path.read_bytes())
    stored = stored_metadata(text)
    assert len(stored) == len(bundle.metadata_stored)
    data[bundle.index.metadata_offset : bundle.index.metadata_offset + len(stored)] = stored
    index = replace(
        bundle.index,
        metadata_checksum=digest_of(stored).raw,
        integrity_signature=key_from_seed("s1").sign(text).ljust(512, b"\0"),
        reserved=bytes(6624),
    )
    index = replace(index, index_checksum=index_checksum(index.pack()))
    data[-8196:-4] = index.pack()
    path.write_bytes(data)
    bundle = open_bundle(path)
    findings = verify(bundle)
    assert list(map(str, findings)) == ["coverage: the signature made by packyard does not cover the slots"]
    assert str(judge(bundle, findings)) == "intact, slots not covered by the signature"
