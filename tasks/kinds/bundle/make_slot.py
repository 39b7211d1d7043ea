"""Make a slot: the application itself, or declared files."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from packaging.utils import canonicalize_name
from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import compressing
from packyard.formats.archive.listing import check_owners, listed, read_listing, write_listing
from packyard.formats.archive.piece import write_piece
from packyard.formats.archive.tarball import write_tar
from packyard.formats.errors import FormatError, Problem, inside
from packyard.formats.python import pylock
from packyard.formats.python.entrypoint import parse_entry_point
from packyard.formats.python.wheel import Wheel, placed, read_wheel, record_of
from packyard.tasks.errors import ActionError
from packyard.tasks.kinds.bundle.hostpython import Asked, asked_of
from packyard.tasks.kinds.bundle.programfiles import Program, program_files
from packyard.tasks.kinds.interpreter.bytecode import compile_modules, modules_of
from packyard.tasks.kinds.interpreter.program import PythonParams, program_in
from packyard.tasks.kinds.python.abi import MachineParams, check_abi, machine_of, newest
from packyard.tasks.kinds.python.stripping import strip_entries
from packyard.tasks.kinds.python.wheelparts import matches, missing_part, own_tests
from packyard.tasks.target.packing import PackingParams
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class AppParams(PackingParams):
    """The parameters of an application in its bundle: the Python that compiles it; the machine that the bundle is for,
    `foreign` when that is not of this platform; the members whose `wheels` it is made of; its entry points
    ('module:function') by the keys of the manifest `place` that state them; whether the members' own tests go along and
    symbols do not; what is asked of a Python when the bundle has none (requires-python, else None); and the program."""

    python: PythonParams
    machine: MachineParams
    foreign: bool
    wheels: tuple[str, ...]
    commands: Mapping[str, str]
    place: str
    include_tests: bool
    strip: bool
    requires: str | None
    program: Program


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotParams(PackingParams):
    """The parameters of a declared slot: the form that it is stored in, and where it unpacks to; whether it is a
    `single` file; the target `hook` whose tree holds it ('' when it is staged), and where (`written`); the patterns of
    files that stay out of such a tree; and its mode, None for that of each file."""

    operations: str
    target: str
    single: bool
    hook: str
    written: str
    exclude: tuple[str, ...]
    permissions: int | None


def make_app(room: Room[AppParams]) -> None:
    """Lay out the app and the members it needs; ActionError when an entry point does not exist, or when two
    distributions differ over one path."""
    params, prefix = room.params, room.params.machine.prefix
    site = f"{prefix.site}/"
    listings = [read_listing((room.inputs / "env").read_text(encoding="utf-8"))]
    facts = json.loads((room.inputs / "runtime").read_text(encoding="utf-8"))
    parts: list[tuple[str, list[Entry]]] = []
    try:
        wheels = [_wheel(room.inputs / "wheels" / member) for member in params.wheels]
        for wheel in wheels:
            if params.foreign and not all(tag.endswith("-none-any") for tag in wheel.tags):
                raise FormatError(
                    f"{wheel.name!r} contains code compiled for this machine ({', '.join(wheel.tags)}), which "
                    f"{params.machine.platform!r} cannot run"
                )
            left_out = () if params.include_tests else tuple(own_tests(list(wheel.files)))
            parts.append((canonicalize_name(wheel.name), placed(wheel, site=prefix.site, left_out=left_out)))
        glibc = check_abi(parts, params.machine, facts)
        program = replace(params.program, trust=tuple(facts.get("trust", ())))
        asked = None
        if params.requires is not None:
            paths = [file.path for file in listings[0]] + [entry.path for _, files in parts for entry in files]
            asked = _asked(room, params.requires, facts, [wheel.tags for wheel in wheels], paths, glibc)
            program = replace(program, trust=(), asked=asked)
        ours = program_files(program, root=prefix.up, site=prefix.site)
        parts.append(("packyard", [Entry(f"{site}{path}", data) for path, data in ours.items()]))
        saved = {"symbols": sum(strip_entries(files) for _, files in parts)} if params.strip else {}
        compiled = _bytecode(room, [entry for _, files in parts for entry in files])
        for _, files in parts:
            files += [compiled[entry.path] for entry in files if entry.path in compiled]
        for wheel, (_, files) in zip(wheels, parts, strict=False):
            files.append(record_of(wheel, files, site=prefix.site))
        listings += [list(listed(files, owner=owner)) for owner, files in parts]
        entries = {entry.path: entry for _, files in parts for entry in files}
        check_owners(listings)
        _check_commands(params, site, entries, {file.path for files in listings for file in files})
        with (room.outputs / "app.tar.gz").open("wb") as out:
            write_piece(entries.values(), out, epoch=params.epoch, level=params.packing.level)
    except FormatError as error:
        raise ActionError(str(error)) from None
    found = {file.path: file for files in listings[1:] for file in files}
    (room.outputs / "files").write_text(write_listing(found.values()), encoding="utf-8")
    said = {"saved": saved, "glibc": glibc, "asked": str(asked or "")}
    (room.outputs / "facts.json").write_text(json.dumps(said, sort_keys=True) + "\n", encoding="utf-8")
    for what, size in saved.items():
        room.say(f"left out: {size:,} bytes of {what}")


def make_slot(room: Room[SlotParams]) -> None:
    """Put the staged files into the form that the slot declares."""
    params = room.params
    out_path = room.outputs / "slot"
    found = _staged(room)
    staged = list(found.values())
    entries = [_entry(params, at, path) for at, path in found.items()]
    if params.operations in ("raw", "gzip") and len(staged) != 1:
        raise ActionError(f"the slot has {len(staged)} files, but {params.operations!r} holds one")
    try:
        with out_path.open("wb") as out:
            match params.operations:
                case "raw":
                    with staged[0].open("rb") as stream:
                        shutil.copyfileobj(stream, out, 1 << 20)
                case "gzip":
                    with staged[0].open("rb") as stream, compressing(out, level=params.packing.level) as packed:
                        while chunk := stream.read(1 << 20):
                            packed.write(chunk)
                case "tar":
                    write_tar(entries, out, epoch=params.epoch)
                case _:
                    write_piece(entries, out, epoch=params.epoch, level=params.packing.level)
    except FormatError as error:
        raise ActionError(f"the slot cannot be packed: {error}") from None
    if params.operations == "raw":
        out_path.chmod(0o755 if _executable(params, staged[0]) else 0o644)


def _asked(
    room: Room[AppParams],
    requires: str,
    facts: Mapping[str, Json],
    tags: Iterable[Collection[str]],
    paths: Iterable[str],
    glibc: str,
) -> Asked:
    """What a bundle without a Python asks of the one that it will find."""
    inside_env = json.loads((room.inputs / "env-facts").read_text(encoding="utf-8"))["glibc"]
    return asked_of(
        (room.inputs / pylock.NAME).read_text(encoding="utf-8"),
        machine_of(room.params.machine, facts),
        requires=requires,
        tags=tags,
        paths=paths,
        glibc=newest(glibc, inside_env),
    )


def _staged(room: Room[SlotParams]) -> dict[str, Path]:
    """The slot's files by their paths in it; those of a hook lie in its tree."""
    params = room.params
    if not params.hook:
        base = room.inputs / "source"
        return {path.relative_to(base).as_posix(): path for path in sorted(base.rglob("*")) if path.is_file()}
    base = room.trees[params.hook] / params.written
    if params.single != base.is_file():
        wanted = "file" if params.single else "folder"
        raise ActionError(
            f"the hook wrote {params.written!r}, but not as a {wanted}",
            hint="in the manifest, the source of a slot ends with '/' when it is a folder that a hook writes",
        )
    if base.is_file():
        return {base.name: base}
    found = {path.relative_to(base).as_posix(): path for path in sorted(base.rglob("*")) if path.is_file()}
    return {at: path for at, path in found.items() if not matches(at, params.exclude)}


def _entry(params: SlotParams, at: str, path: Path) -> Entry:
    target = params.target if params.single else f"{params.target}/{at}"
    return Entry(target, path, _executable(params, path))


def _executable(params: SlotParams, path: Path) -> bool:
    permissions = params.permissions
    return bool((path.stat().st_mode if permissions is None else permissions) & stat.S_IXUSR)


def _bytecode(room: Room[AppParams], entries: list[Entry]) -> dict[str, Entry]:
    """The bytecode of those of the files that are modules, by the path of the module."""
    machine = room.params.machine
    python = program_in(room, room.params.python)
    return compile_modules(room, python, modules_of(entries, machine.prefix.site), machine.python)


def _wheel(path: Path) -> Wheel:
    with path.open("rb") as stream, inside(path.name):
        return read_wheel(stream)


def _check_commands(params: AppParams, site: str, entries: dict[str, Entry], paths: set[str]) -> None:
    """Refuse an entry point that does not exist: its module is in no distribution of the bundle, or it is in one
    of the workspace's own and has no such function."""
    problems: list[Problem] = []
    for key, text in params.commands.items():
        entry = parse_entry_point(text)
        what = missing_part(entry, partial(_module_text, entries, site), site)
        if what == "":
            top = entry.module.partition(".")[0]
            elsewhere = any(path.startswith((f"{site}{top}/", f"{site}{top}.")) for path in paths)
            what = None if elsewhere else f"no distribution in the bundle has the module {top!r}"
        if what:
            problems.append(Problem(f"{text!r} does not exist: {what}", key, params.place))
    if problems:
        raise FormatError(*problems)


def _module_text(entries: dict[str, Entry], site: str, path: str) -> str | None:
    entry = entries.get(f"{site}{path}")
    if entry is None or not isinstance(entry.content, bytes):
        return None
    return entry.content.decode("utf-8", "replace")
