"""Distributions from the package index: installed as a lock says, and normalised for a bundle.

uv installs what the lock lists, each file checked against its hash; then the tree is normalised while it is
packed, never in place (its files may be links into uv's cache): no headers, of the scripts only programs that are
no Python (`bin/uv`), bytecode of our own making, nothing about where and how it was installed, RECORD to match.
"""

from __future__ import annotations

import json
import posixpath
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name
from packyard.formats.entry import Entry
from packyard.formats.errors import FormatError
from packyard.formats.gzipped import COMPRESSOR, LEVELS
from packyard.formats.listing import Listed, listed
from packyard.formats.pycache import cached_path
from packyard.formats.pylock import read_pylock
from packyard.formats.record import Recorded, hash_of, read_record, write_record
from packyard.formats.trim import trimmed
from packyard.formats.wheel import INSTALLER_FILES, is_python_script
from packyard.tasks import installed, interpreter, lock
from packyard.tasks.abi import check_abi, glibc_of
from packyard.tasks.bytecode import compile_files, worth_compiling
from packyard.tasks.errors import ActionError
from packyard.tasks.prefix import prefix_of
from packyard.tasks.room import Room
from packyard.tasks.stripping import strip_entries
from packyard.tasks.target import Json, Use
from packyard.tasks.workspace import Member, Workspace

# Below the prefix, and not for a program that runs from a bundle.
_LEFT_OUT = re.compile(r"(local/)?include/|.*\.pyc$|(.*/)?__pycache__/")
_SCRIPTS = re.compile(r"(local/)?bin/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """One installed distribution: its name, its .dist-info folder, and what of it goes into a bundle."""

    owner: str
    info: str
    entries: list[Entry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What of each distribution goes into a bundle, with its listing; and how many bytes of what were left out:
    'symbols', and the kinds of files that are trimmed."""

    parts: list[tuple[list[Entry], list[Listed]]]
    saved: dict[str, int]


def needs(member: Member, workspace: Workspace, platform: str) -> tuple[dict[str, Json], tuple[Use, ...]]:
    """What `install` needs in an action for a platform's bundle: parameters, and uses."""
    assert member.project is not None and member.project.flavor is not None
    build = member.project.flavor.build
    # This machine's, whatever the platform: it is asked which wheels fit, and compiles.
    one = interpreter.find(interpreter.version(member, workspace), workspace)
    program, uses = interpreter.build_program(one)
    params: dict[str, Json] = {
        "python": program,
        "runtime": one.target,
        "version": one.version,
        "manylinux": list(build.manylinux),
        "platform": platform,
        "python_platform": _python_platform(platform, build.manylinux, workspace.platform),
        "strip": build.strip,
        "trim": list(build.trim),
        "keep": list(build.keep),
        "epoch": workspace.epoch,
        "compressor": COMPRESSOR,
        "level": LEVELS[workspace.manifest.compression],
    }
    return params, (*uses, Use(target=interpreter.target_name(member, workspace, platform), part="facts", at="runtime"))


def install(room: Room, lock_text: str) -> Installed:
    """Install what a lock lists.

    ActionError, with uv's words, when it cannot be installed, or when the bundle's Python cannot run it.
    """
    prefix = room.scratch / "prefix"
    prefix.mkdir()
    version: str = room.params["version"]
    if not read_pylock(lock_text, lock.NAME).packages:
        return Installed(parts=[], saved={})
    lock_file = room.scratch / lock.NAME
    lock_file.write_text(lock_text, encoding="utf-8")
    python = interpreter.program_in(room, room.params["runtime"], version)
    facts = json.loads((room.inputs / "runtime").read_text(encoding="utf-8"))
    platform = room.params["python_platform"]
    room.run(
        [
            installed.uv(), "pip", "install", "--no-progress", "--require-hashes", "--no-deps",
            "--no-python-downloads", *(["--python-platform", platform] if platform else []),
            "--python", python, "--prefix", prefix, "--requirements", lock_file,
        ],
        cwd=room.scratch,
        env={"UV_NO_INSTALLER_METADATA": "1"},
    )  # fmt: skip
    try:
        site = prefix_of(version, room.params["platform"]).site
        found = list(_distributions(prefix, site))
        saved = _trim(found, room.params, site)
        _compile(room, prefix, python, found)
        check_abi(((one.owner, one.entries) for one in found), room.params, facts)
    except FormatError as error:
        raise ActionError(f"the environment cannot be put together: {error}") from None
    if room.params["strip"]:
        saved["symbols"] = sum(strip_entries(one.entries) for one in found)
    return Installed(parts=[_recorded(one, site) for one in found], saved=saved)


def _python_platform(platform: str, manylinux: tuple[str, ...], host: str) -> str:
    """What uv calls another platform, or this one with a certain glibc; '' for this machine as it is."""
    system, _, processor = platform.partition("_")
    machine = "x86_64" if processor == "amd64" else "aarch64"
    if system != "linux":
        return "" if platform == host else f"{machine}-{'apple-darwin' if system == 'darwin' else 'pc-windows-msvc'}"
    if not manylinux and platform == host:
        return ""
    # A platform takes the wheels of every older glibc too, so the newest of several tags stands for all.
    newest = max((glibc for tag in manylinux if (glibc := glibc_of(tag))), default=(2, 28))
    return f"{machine}-manylinux2014" if newest == (2, 17) else f"{machine}-manylinux_{newest[0]}_{newest[1]}"


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


def _distributions(prefix: Path, site: str) -> Iterator[Distribution]:
    """What is installed below `prefix`, by the RECORD of each, sorted by the name of its .dist-info."""
    for info in sorted(prefix.rglob("*.dist-info"), key=lambda path: path.name.encode()):
        if info.parent.name not in ("site-packages", "dist-packages") or not (info / "RECORD").is_file():
            continue
        entries: list[Entry] = []
        for row in read_record((info / "RECORD").read_text(encoding="utf-8")):
            path = _kept(info, prefix, row.path)
            if path is not None:
                source = info.parent / row.path
                inside = posixpath.normpath(row.path)
                # Debian installs below local/, and a bundle has no folder of that name.
                at = path.removeprefix("local/") if inside.startswith("../") else f"{site}/{inside}"
                entries.append(Entry(at, source, bool(source.stat().st_mode & stat.S_IXUSR)))
        yield Distribution(owner=canonicalize_name(info.name.partition("-")[0]), info=info.name, entries=entries)


def _compile(room: Room, prefix: Path, python: Path, found: list[Distribution]) -> None:
    """Give each distribution the bytecode of its modules."""
    version: str = room.params["version"]
    site = prefix_of(version, room.params["platform"]).site + "/"
    modules = {
        entry.content: entry.path
        for one in found
        for entry in one.entries
        if isinstance(entry.content, Path)
        and entry.path.startswith(site)
        and worth_compiling(entry.path.removeprefix(site))
    }
    sources = [path.relative_to(prefix).as_posix() for path in modules]
    made = compile_files(room, python, prefix, sources, version)
    for one in found:
        for entry in list(one.entries):
            if isinstance(entry.content, Path) and entry.content in modules:
                compiled = cached_path(entry.content.relative_to(prefix).as_posix(), version)
                if compiled in made:
                    one.entries.append(Entry(cached_path(entry.path, version), prefix / compiled))


def _recorded(one: Distribution, site: str) -> tuple[list[Entry], list[Listed]]:
    """The files of a distribution with a RECORD to match, and their listing."""
    measured = list(listed(one.entries, owner=one.owner))
    rows = [
        Recorded(path=posixpath.relpath(file.path, site), hash=hash_of(file.sha256), size=file.size)
        for file in measured
    ]
    record = Entry(f"{site}/{one.info}/RECORD", write_record(rows, at=f"{one.info}/RECORD"))
    return [*one.entries, record], [*measured, *listed([record], owner=one.owner)]


def _kept(info: Path, prefix: Path, recorded: str) -> str | None:
    """The path below the prefix of a recorded file that goes into a bundle, else None."""
    source = info.parent / recorded
    path = posixpath.relpath(posixpath.normpath(source.as_posix()), prefix.as_posix())
    if path.startswith("../") or not source.is_file() or source.is_symlink():
        return None
    if _SCRIPTS.match(path) and _is_python(source):
        return None
    if recorded.startswith(f"{info.name}/") and source.name in (*INSTALLER_FILES, "RECORD"):
        return None
    return None if _LEFT_OUT.match(path) else path


def _is_python(script: Path) -> bool:
    with script.open("rb") as stream:
        return is_python_script(stream.read(4096))
