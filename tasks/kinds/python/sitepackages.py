"""Distributions from the package index: installed as a lock says, and normalised for a bundle.

What the lock lists is fetched, each file checked against its hash, and unpacked as a bundle needs it: no headers, of
the scripts only programs that are no Python (`bin/uv`), bytecode of our own making, nothing about where and how it was
installed, RECORD to match.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from packyard.tasks.kinds.interpreter import program
from packyard.tasks.kinds.interpreter.bytecode import compile_modules, modules_of
from packyard.tasks.kinds.interpreter.prefix import prefix_of
from packyard.tasks.kinds.python import pipwheel
from packyard.tasks.kinds.python.abi import check_abi, glibc_of
from packyard.tasks.kinds.python.stripping import strip_entries
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What of each distribution goes into a bundle, with its listing; and how many bytes of what were left out:
    'symbols', and the kinds of files that are trimmed. `glibc` is the newest that its binaries need, '' for none."""

    parts: list[tuple[list[Entry], list[Listed]]]
    saved: dict[str, int]
    glibc: str = ""


def install(room: Room[Any], lock_text: str) -> Installed:
    """Install what a lock lists; ActionError when it cannot be had, or when the bundle's Python cannot run it."""
    version: str = room.params["version"]
    if not read_pylock(lock_text, pylock.NAME).packages:
        return Installed(parts=[], saved={})
    python = program.program_in(room, room.params["runtime"], version)
    facts = json.loads((room.inputs / "runtime").read_text(encoding="utf-8"))
    site = prefix_of(version, room.params["platform"]).site
    try:
        found = _laid_out(room, lock_text, python, facts)
        saved = _trim(found, room.params, site)
        _compile(room, python, found)
        glibc = check_abi(((one.owner, one.entries) for one in found), room.params, facts)
    except FormatError as error:
        raise ActionError(f"the environment cannot be put together: {error}") from None
    if room.params["strip"]:
        saved["symbols"] = sum(strip_entries(one.entries) for one in found)
    return Installed(parts=[_recorded(one, site) for one in found], saved=saved, glibc=glibc)


def _laid_out(room: Room[Any], lock_text: str, python: Path, facts: Mapping[str, Json]) -> list[Distribution]:
    """What the lock lists for the bundle's machine."""
    found: list[Distribution] = []
    known: dict[str, tuple[str, Entry]] = {}
    aside = room.scratch / "large"
    aside.mkdir()
    machine = machine_of(room.params, facts)
    builds = {build.name: build for build in read_pylock(lock_text, pylock.NAME).builds}
    site = prefix_of(machine.python, machine.platform).site
    files = pinned_files(lock_text, pylock.NAME, machine)
    for pinned, file in zip(files, fetched_in(room, files)):
        wheel = file
        if not pinned.is_wheel:
            wheel = build_sdist(room, pinned, file, builds.get(pinned.name), python, machine)
        try:
            if pinned.name == pipwheel.NAME:
                one = pipwheel.read_pip(wheel, aside, site=site)
            else:
                one = read_distribution(wheel, aside, name=pinned.name, site=site)
        except FormatError as error:
            hint = f"take another version of {pinned.name}; its authors should know"
            raise ActionError(f"{pinned.file!r} is not safe to use: {error}", hint=hint) from None
        for entry in one.entries:
            owner, other = known.setdefault(entry.path, (one.owner, entry))
            if other is not entry and other.data() != entry.data():
                raise FormatError(
                    f"{entry.path!r} is in {owner!r} and, different, in {one.owner!r}",
                    hint=f"leave one of them out, or take a version of {one.owner} without it",
                )
        found.append(one)
    return found


def machine_of(params: Mapping[str, Json], facts: Mapping[str, Json]) -> Machine:
    """What wheels are chosen for: the bundle's Python, and a glibc no newer than that was linked for."""
    stated = [policy for text in params["manylinux"] if (policy := glibc_of(text))]
    major, _, minor = str(facts["glibc"]).partition(".")
    release = str(facts["version"])
    return Machine(
        python=params["version"],
        platform=params["platform"],
        release=release if release != params["version"] else "",
        glibc=max(stated, default=(int(major), int(minor))),
        strict=bool(stated),
    )


def _trim(found: list[Distribution], params: Mapping[str, Json], site: str) -> dict[str, int]:
    """Leave out what the manifest names; how many bytes that were, by kind."""
    saved = dict.fromkeys(params["trim"], 0)
    for one in found:
        for entry in list(one.entries):
            if kind := trimmed(posixpath.relpath(entry.path, site), params["trim"], params["keep"]):
                one.entries.remove(entry)
                with entry.open() as (size, _):
                    saved[kind] += size
    return saved


def _compile(room: Room[Any], python: Path, found: list[Distribution]) -> None:
    """Give each distribution the bytecode of its modules."""
    version: str = room.params["version"]
    site = prefix_of(version, room.params["platform"]).site
    modules = modules_of((entry for one in found for entry in one.entries), site)
    compiled = compile_modules(room, python, modules, version)
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
