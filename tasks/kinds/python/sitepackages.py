"""Distributions from the package index: installed as a lock says, and normalised for a bundle.

What the lock lists is fetched, each file checked against its hash, and unpacked as a bundle needs it: no headers, of
the scripts only programs that are no Python (`bin/uv`), bytecode of our own making, nothing about where and how it was
installed, RECORD to match.
"""

from __future__ import annotations

import json
import posixpath
from dataclasses import dataclass
from pathlib import Path

from packyard.formats.archive.entry import Entry
from packyard.formats.archive.listing import Listed, listed
from packyard.formats.errors import FormatError
from packyard.formats.python import pylock
from packyard.formats.python.machine import Machine
from packyard.formats.python.pinned import pinned_files
from packyard.formats.python.pylock import read_pylock
from packyard.formats.python.record import Recorded, hash_of, write_record
from packyard.formats.python.trim import trimmed
from packyard.tasks.errors import ActionError
from packyard.tasks.index.filecache import fetched_in
from packyard.tasks.index.sdist import build_sdist
from packyard.tasks.index.unpackwheel import Distribution, read_distribution
from packyard.tasks.kinds.interpreter.bytecode import compile_modules, modules_of
from packyard.tasks.kinds.interpreter.prefix import prefix_of
from packyard.tasks.kinds.interpreter.program import PythonParams, program_in
from packyard.tasks.kinds.python import pipwheel
from packyard.tasks.kinds.python.abi import MachineParams, check_abi, machine_of
from packyard.tasks.kinds.python.stripping import strip_entries
from packyard.tasks.target.room import Room


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallParams:
    """How distributions are installed: by which Python, for which machine, without symbols (`strip`), and without the
    kinds of files in `trim`, but for the files that the patterns in `keep` match."""

    python: PythonParams
    machine: MachineParams
    strip: bool
    trim: tuple[str, ...]
    keep: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What of each distribution goes into a bundle, with its listing; and how many bytes of what were left out:
    'symbols', and the kinds of files that are trimmed. `glibc` is the newest that its binaries need, '' for none."""

    parts: list[tuple[list[Entry], list[Listed]]]
    saved: dict[str, int]
    glibc: str = ""


def install(room: Room[object], params: InstallParams, lock_text: str) -> Installed:
    """Install what a lock lists; ActionError when it cannot be had, or when the bundle's Python cannot run it."""
    if not read_pylock(lock_text, pylock.NAME).packages:
        return Installed(parts=[], saved={})
    python = program_in(room, params.python)
    facts = json.loads((room.inputs / "runtime").read_text(encoding="utf-8"))
    site = params.machine.prefix.site
    try:
        found = _laid_out(room, lock_text, python, machine_of(params.machine, facts))
        saved = _trim(found, params, site)
        _compile(room, python, found, params.machine)
        glibc = check_abi(((one.owner, one.entries) for one in found), params.machine, facts)
    except FormatError as error:
        raise ActionError(f"the environment cannot be put together: {error}") from None
    if params.strip:
        saved["symbols"] = sum(strip_entries(one.entries) for one in found)
    return Installed(parts=[_recorded(one, site) for one in found], saved=saved, glibc=glibc)


def _laid_out(room: Room[object], lock_text: str, python: Path, machine: Machine) -> list[Distribution]:
    """What the lock lists for the bundle's machine."""
    found: list[Distribution] = []
    known: dict[str, tuple[str, Entry]] = {}
    aside = room.scratch / "large"
    aside.mkdir()
    builds = {build.name: build for build in read_pylock(lock_text, pylock.NAME).builds}
    site = prefix_of(machine.python, machine.platform).site
    files = pinned_files(lock_text, pylock.NAME, machine)
    for pinned, file in zip(files, fetched_in(room, files)):
        wheel = file
        if not pinned.is_wheel:
            build = builds.get(pinned.name)
            wheel = build_sdist(room, pinned, file, build, python=python, machine=machine)
        try:
            if pinned.name == pipwheel.NAME:
                one = pipwheel.read_pip(wheel, aside, site=site)
            else:
                one = read_distribution(wheel, aside, name=pinned.name, site=site)
        except FormatError as error:
            hint = f"choose another version of {pinned.name}, and tell its authors"
            raise ActionError(f"{pinned.file!r} is not safe to use: {error}", hint=hint) from None
        for entry in one.entries:
            owner, other = known.setdefault(entry.path, (one.owner, entry))
            if other is not entry and other.data() != entry.data():
                raise FormatError(
                    f"{entry.path!r} is in {owner!r} and in {one.owner!r}, with different contents",
                    hint=f"leave one of them out, or choose a version of {one.owner} without it",
                )
        found.append(one)
    return found


def _trim(found: list[Distribution], params: InstallParams, site: str) -> dict[str, int]:
    """Leave out what the manifest names; how many bytes that were, by kind."""
    saved = dict.fromkeys(params.trim, 0)
    for one in found:
        for entry in list(one.entries):
            if kind := trimmed(posixpath.relpath(entry.path, site), params.trim, params.keep):
                one.entries.remove(entry)
                with entry.open() as (size, _):
                    saved[kind] += size
    return saved


def _compile(room: Room[object], python: Path, found: list[Distribution], machine: MachineParams) -> None:
    """Give each distribution the bytecode of its modules."""
    modules = modules_of((entry for one in found for entry in one.entries), machine.prefix.site)
    compiled = compile_modules(room, python, modules, machine.python)
    for one in found:
        one.entries.extend([compiled[entry.path] for entry in one.entries if entry.path in compiled])


def _recorded(one: Distribution, site: str) -> tuple[list[Entry], list[Listed]]:
    """The files of a distribution with a RECORD to match, and their listing."""
    measured = list(listed(one.entries, owner=one.owner))
    rows = [
        Recorded(path=posixpath.relpath(file.path, site), hash=hash_of(file.sha256), size=file.size)
        for file in measured
    ]
    record = Entry(f"{site}/{one.info}/RECORD", write_record(rows, at=f"{one.info}/RECORD"))
    return [*one.entries, record], [*measured, *listed([record], owner=one.owner)]
