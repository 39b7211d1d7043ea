"""Make a bundle: write the slots behind the launcher, sign, read back."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from packaging.version import Version
from packyard.formats.archive.listing import read_listing
from packyard.formats.digest import Digest, digest_of
from packyard.formats.errors import FormatError
from packyard.formats.pspf import (
    Build,
    Contents,
    Coverage,
    Environment,
    Execution,
    Launcher,
    Metadata,
    Policy,
    Slot,
    Verdict,
    contents_digest,
    judge,
    merged,
    open_bundle,
    read_contents,
    seal,
    verify,
    write_bundle,
)
from packyard.formats.pspf.operations import chain_name, read_chain
from packyard.formats.pspf.seal import PLACE_PREFIX
from packyard.formats.pspf.stored import stored_member
from packyard.tasks.errors import ActionError
from packyard.tasks.kinds.bundle.hostpython import START
from packyard.tasks.kinds.bundle.key import Key, load_key
from packyard.tasks.kinds.bundle.programfiles import MODULE
from packyard.tasks.kinds.interpreter.prefix import prefix_of
from packyard.tasks.kinds.python.abi import newest
from packyard.tasks.target.params import Params
from packyard.tasks.target.room import Room

_SAFE_PATH = Version("3.11")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class BundledSlot:
    """A slot as the metadata of a bundle say it (formats/pspf/metadata.py); `permissions` None: those of its file."""

    id: str
    source: str
    target: str
    operations: str
    purpose: str
    lifecycle: str = "runtime"
    permissions: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleParams(Params):
    """The parameters of a bundle: the names of the `file` and of the program, and its version; the Python ('3.12') that
    runs it, which it carries or not (`runtime`); the platform that it is for; what the program sees of the environment;
    where it agrees to start; the kind of its launcher and the version, '' for a file of the user's; its slots; the time
    that it says it was built (in seconds, 0 for none); and the public half of the key that signs it, in hexadecimal."""

    file: str
    name: str
    version: str
    python: str
    runtime: bool
    platform: str
    environment: Environment
    policy: Policy | None
    launcher: str
    launcher_version: str
    slots: tuple[BundledSlot, ...]
    epoch: int
    public_key: str

    @property
    def sealed(self) -> bool:
        """Whether a set-up command compares the content at the first start: it takes a POSIX shell."""
        return not self.platform.startswith("windows")


def make_bundle(room: Room[BundleParams]) -> None:
    """Write the bundle, sign it, read it back from the disk and verify it."""
    params = room.params
    launcher = room.inputs / "launcher"
    packed = [_slot(room, params_of_slot) for params_of_slot in params.slots]
    # An environment without dependencies: the Rust launcher takes an empty tar for no tar.
    present = [one for one in packed if one[2]]
    unpacked = [one for one in present if one[0].lifecycle != "lazy"]
    lazy = [one for one in present if one[0].lifecycle == "lazy"]
    key = load_key(Key(**room.local, public_key=params.public_key))
    out = room.outputs / params.file
    try:
        tree = contents_digest(merged(contents for _, _, contents in unpacked))
        metadata = _metadata(
            params, [slot for slot, _, _ in unpacked], [slot for slot, _, _ in lazy], tree, _needs(room)
        )
        paths = [path for _, path, _ in (*unpacked, *lazy)]
        write_bundle(out, launcher=launcher, metadata=metadata, slots=paths, key=key)
        bundle = open_bundle(out)
        findings = verify(bundle)
    except FormatError as error:
        raise ActionError(f"the bundle cannot be written: {error}") from None
    if judge(bundle, findings) is not Verdict.INTACT:
        raise ActionError("the bundle is not what was written", detail="\n".join(map(str, findings)))
    room.say(f"{params.file}: {bundle.size} bytes, signed with the key {params.public_key[:16]}...")


def _slot(room: Room[BundleParams], params: BundledSlot) -> tuple[Slot, Path, Contents]:
    """The slot as metadata, the file with its stored bytes, and what it unpacks to."""
    path = room.inputs / "slots" / params.id
    operations = params.operations
    permissions = params.permissions or ("0755" if os.access(path, os.X_OK) else "0644")
    if operations == "raw" and _looks_like_json(path):
        # The Rust launcher logs errors at each start about stored bytes that begin like JSON.
        path, operations = _wrapped(path, room.scratch / f"{params.id}.gz"), "gzip"
    slot = Slot(
        id=params.id,
        source=params.source,
        target=params.target,
        operations=chain_name(read_chain(operations)),
        purpose=params.purpose,
        lifecycle=params.lifecycle,
        permissions=permissions,
    )
    try:
        contents = _contents(room, path, slot)
    except FormatError as error:
        raise ActionError(f"slot {slot.id!r} cannot go into a bundle: {error}") from None
    return replace(slot, content=str(contents_digest(contents))), path, contents


def _contents(room: Room[BundleParams], path: Path, slot: Slot) -> Contents:
    """What a slot unpacks to: as its listing says, which was made with it, else from its bytes."""
    known = room.inputs / "files" / slot.id
    if known.is_file():
        return {file.path: file.sha256 for file in read_listing(known.read_text(encoding="utf-8"))}
    with path.open("rb") as stream:
        return read_contents(stream, read_chain(slot.operations), slot.path)


def _looks_like_json(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(1) in (b"{", b"[")


def _wrapped(path: Path, out: Path) -> Path:
    with path.open("rb") as stream, out.open("wb") as target:
        target.writelines(stored_member(iter(lambda: stream.read(_CHUNK), b"")))
    return out


def _needs(room: Room[BundleParams]) -> str:
    """What the bundle needs of the machine that it is started on: 'linux_amd64, glibc 2.36 or newer'."""
    facts = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((room.inputs / "facts").iterdir())]
    platform = room.params.platform
    glibc = newest(*(fact["glibc"] for fact in facts))
    if asked := "".join(fact.get("asked", "") for fact in facts):
        return f"{platform}, {asked}"
    return f"{platform}, glibc {glibc} or newer" if glibc not in ("", "0.0") else platform


def _metadata(params: BundleParams, slots: Sequence[Slot], lazy: Sequence[Slot], tree: Digest, needs: str) -> Metadata:
    system, _, processor = params.platform.partition("_")
    place = _place(tree, lazy) if params.sealed else ""
    gone = [slot.path for slot in slots if slot.lifecycle == "init"]
    return Metadata(
        name=params.name,
        version=params.version,
        slots=tuple(slots),
        lazy=tuple(lazy),
        execution=Execution(command=_command(params, place)),
        environment=params.environment,
        setup_commands=(seal(tree, place=place, gone=gone),) if params.sealed else (),
        policy=params.policy,
        build=Build(
            tool="packyard",
            timestamp=datetime.fromtimestamp(params.epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            os=system,
            arch=processor,
        ),
        launcher=Launcher(tool=params.launcher, tool_version=params.launcher_version),
        coverage=Coverage(tree=str(tree), sealed=params.sealed, needs=needs),
        epoch=params.epoch,
    )


def _place(tree: Digest, lazy: Sequence[Slot]) -> str:
    """The folder of the work environment that the content moves to: another one for any other content."""
    return PLACE_PREFIX + digest_of("\0".join([tree.hex, *(slot.content for slot in lazy)]).encode()).hex[:16]


def _command(params: BundleParams, place: str) -> str:
    """What the launcher runs. It looks neither at PYTHONSAFEPATH nor at the current folder for modules."""
    prefix, content = prefix_of(params.python, params.platform), "/".join(["{workenv}", *([place] if place else [])])
    if not params.runtime:
        return f'/bin/sh "{content}/{prefix.site}/{MODULE}/{START}"'
    program = f"{content}/{prefix.program}"
    start = f"-sP -m {MODULE}"
    if Version(params.python) < _SAFE_PATH:  # -P came with 3.11
        start = f'-s -c "import sys; del sys.path[0]; from {MODULE} import run; sys.exit(run())"'
    if params.platform.startswith("windows"):
        return f'"{program}" {start}'
    # The launchers give the program their own file's name as argv[0], and Python finds itself by argv[0]:
    # so a shell starts it by its path. The quotes hold a work environment with spaces together.
    return f'/bin/sh -c \'exec "$0" "$@"\' "{program}" {start}'
