"""Make an interpreter movable, and learn what it is."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import stat
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import Reader
from packyard.formats.archive.listing import listed, write_listing
from packyard.formats.archive.piece import PieceWriter
from packyard.formats.archive.tarball import read_tar
from packyard.formats.digest import digest_file
from packyard.formats.elf import GLIBC_LIBRARIES, MAGIC, Elf, read_elf, strip_elf
from packyard.formats.errors import FormatError, inside
from packyard.formats.python.interpreterarchive import LARGEST
from packyard.formats.relpath import read_relpath
from packyard.tasks.errors import ActionError
from packyard.tasks.host import process, programs
from packyard.tasks.index.download import download
from packyard.tasks.kinds.interpreter.bytecode import compile_common
from packyard.tasks.kinds.interpreter.trimming import kept
from packyard.tasks.target.packing import PackingParams
from packyard.tasks.target.params import Params
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Json

_NEUTRAL = "/install"  # stands for the prefix in the sysconfig data, as in the archives of others
_SITE = """import os, site, sys

site.addsitedir(os.path.join(sys.prefix, "lib", "python%d.%d" % sys.version_info[:2], "site-packages"))
"""
# `build` tells one compiler of bytecode from another; `trust` is where the TLS library was compiled to look for
# certificates of authorities: a file, a folder. Nothing is imported that would have to be compiled for it.
_QUESTION = """
import _imp, sys
facts = {"version": sys.version.split()[0], "abi": _imp.extension_suffixes()[0].split(".")[1], "build": sys.version}
try:
    from _ssl import get_default_verify_paths
    _, file, _, folder = get_default_verify_paths()
    facts["trust"] = [file, folder]
except ImportError:
    pass
print(facts)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeParams(PackingParams):
    """The parameters of an interpreter: an installed one at `prefix`, or an archive with the digest `sha256` (in
    hexadecimal), which is staged or fetched from `url`; whether it `runs` on this machine; and the version of the
    `patchelf` that makes it movable."""

    kind: Literal["folder", "file", "url"]
    url: str
    sha256: str
    prefix: str
    version: str  # '3.12'
    platform: str
    runs: bool
    patchelf: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FactsParams(Params):
    """The parameters of what is asked of an installed interpreter: its prefix, version ('3.12') and platform."""

    prefix: str
    version: str
    platform: str


def make_runtime(room: Room[RuntimeParams]) -> None:
    """Lay the interpreter out, make it movable, and write its piece, listing and facts."""
    params, home = room.params, room.inputs
    if params.kind != "folder":
        home = room.outputs / "home"
        _unpack(room, home)
    trimmed, patched = room.scratch / "trimmed", room.scratch / "patched"
    binaries = _lay_out(home, trimmed)
    _neutralise(trimmed, params.prefix)
    with ThreadPoolExecutor(1) as beside, (room.outputs / "runtime.tar.gz").open("wb") as out:
        # As it was laid out it runs on this machine: it compiles while its binaries are made movable.
        compiling = beside.submit(_compile, room, trimmed)
        elves = _relocate(room, binaries, trimmed, patched)
        entries = _entries(trimmed, patched)
        writer = PieceWriter(out, epoch=params.epoch, level=params.packing.level)
        writer.add(entries)
        listing = list(listed(entries, owner="python"))
        bytecode = compiling.result()
        for path in binaries:
            os.replace(patched / path, trimmed / path)
        asking = beside.submit(_start, room, trimmed)
        writer.add(bytecode)
        piece = writer.finish()
        said = asking.result()
    listing += listed(bytecode, owner="python")
    (room.outputs / "files").write_text(write_listing(listing), encoding="utf-8")
    facts = {
        **said,
        "platform": params.platform,
        "tar": str(piece.digest),
        "glibc": _glibc(elves),
        "files": len(listing),
        "bytes": sum(file.size for file in listing),
        "stored": (room.outputs / "runtime.tar.gz").stat().st_size,
        "libraries": sorted(path.name for path in (trimmed / "lib").glob("*.so*")),
    }
    (room.outputs / "facts.json").write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def make_facts(room: Room[FactsParams]) -> None:
    """Ask an installed interpreter what it is, and its binaries what they need."""
    params = room.params
    program = Path(params.prefix) / "bin" / f"python{params.version}"
    binaries = [read_elf(path.read_bytes()) for path in sorted(room.inputs.rglob("*")) if path.is_file()]
    facts = {**_ask(room, program, params.version), "platform": params.platform, "glibc": _glibc(binaries)}
    (room.outputs / "facts.json").write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _unpack(room: Room[RuntimeParams], home: Path) -> None:
    archive = room.inputs / "archive.tar.gz"
    if room.params.kind == "url":
        archive = room.scratch / "archive.tar.gz"
        download(room.params.url, archive)
    found = digest_file(archive).hex
    if found != room.params.sha256:
        raise ActionError(
            f"the interpreter's archive has SHA-256 {found}; expected {room.params.sha256}",
            hint="ask whoever made it, or pin it again: 'packyard lock --interpreter ARCHIVE'",
        )
    links: dict[str, str] = {}
    try:
        with archive.open("rb") as stream, inside("the interpreter's archive"):
            for member in read_tar(Reader(stream, limit=LARGEST), limit=LARGEST, links=True):
                top, _, path = member.path.partition("/")
                if top != "python":
                    raise FormatError(f"{member.path!r} is outside the folder 'python'")
                if member.kind in ("link", "hardlink"):
                    links[path] = member.target.partition("/")[2]
                elif member.kind == "file":
                    if not path:
                        raise FormatError(f"{member.path!r} is a file; expected the folder of the interpreter")
                    place = home / read_relpath(path)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    with place.open("xb") as out:
                        while chunk := member.body.read(1 << 20):
                            out.write(chunk)
                    place.chmod(0o755 if member.executable else 0o644)
    except FormatError as error:
        raise ActionError(str(error)) from None
    for path in sorted(links):
        goal = links[path]
        for _ in range(len(links)):
            goal = links.get(goal, goal)
        if (home / goal).is_file():  # terminfo and the like link to nothing that matters
            (home / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(home / goal, home / path)


def _lay_out(home: Path, root: Path) -> list[str]:
    """Link what a bundle carries below `root`; returns the paths of its binaries there."""
    binaries = []
    for folder, _, names in os.walk(home):
        below = os.path.relpath(folder, home)
        for name in sorted(names):
            relative, source = os.path.normpath(f"{below}/{name}"), Path(folder, name)
            if not kept(relative) or not source.is_file():
                continue
            place = root / relative
            place.parent.mkdir(parents=True, exist_ok=True)
            with source.open("rb") as stream:
                if stream.read(len(MAGIC)) == MAGIC:
                    binaries.append(relative)
            os.link(source, place)
    return sorted(binaries)


def _neutralise(root: Path, prefix: str) -> None:
    """Take the paths of the build and the installation out of the sysconfig data."""
    for path in root.glob("lib/python3.*/_sysconfigdata*.py"):
        found = re.search(r"build_time_vars = (\{.*\})", path.read_text(encoding="utf-8"), re.DOTALL)
        if found is None:
            continue
        values = ast.literal_eval(found[1])
        if not isinstance(values, dict):
            continue
        hidden = {prefix: _NEUTRAL, str(values.get("prefix", "")): _NEUTRAL}
        hidden |= {str(values.get(key, "")): "/build" for key in ("abs_srcdir", "abs_builddir")}
        for old in sorted(hidden, key=len, reverse=True):
            if old.startswith("/") and old not in ("/", "/usr"):
                values = {k: v.replace(old, hidden[old]) if isinstance(v, str) else v for k, v in values.items()}
        lines = "".join(f" {key!r}: {values[key]!r},\n" for key in sorted(values))
        path.unlink()  # the original stays as it is
        path.write_text(f"# system configuration of the build\nbuild_time_vars = {{\n{lines}}}\n", encoding="utf-8")
    for path in root.glob("lib/python3.*/site.py"):
        if "dist-packages" in path.read_text(encoding="utf-8"):
            # Debian's Python looks for packages in dist-packages; a bundle keeps them where all others do.
            path.with_name("sitecustomize.py").write_text(_SITE, encoding="utf-8")


def _relocate(room: Room[RuntimeParams], binaries: Sequence[str], root: Path, out: Path) -> list[Elf]:
    """Write every ELF file of the Python at `root` below `out`: such that it looks for its libraries beside itself, and
    stripped."""
    own = {path.name for path in (root / "lib").glob("*.so*")}
    wanted: dict[str, list[Path]] = {}
    found: list[Elf] = []
    for relative in binaries:
        place = out / relative
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / relative, place)
        elf = read_elf(place.read_bytes())
        found.append(elf)
        foreign = [name for name in elf.needed if name not in own and not GLIBC_LIBRARIES.fullmatch(name)]
        if foreign:
            room.say(f"{relative} needs {', '.join(foreign)} of the system it will run on")
        needs = any(name in own for name in elf.needed)
        run_path = f"$ORIGIN/{os.path.relpath('lib', os.path.dirname(relative))}".removesuffix("/.") if needs else ""
        if elf.runpath != run_path:
            wanted.setdefault(run_path, []).append(place)
    for run_path in sorted(wanted):
        how = ["--set-rpath", run_path] if run_path else ["--remove-rpath"]
        room.run([programs.patchelf(), *how, *wanted[run_path]])
    for relative in binaries:
        place = out / relative
        place.write_bytes(_hide(strip_elf(place.read_bytes()), room.params.prefix))
    return found


def _hide(data: bytes, prefix: str) -> bytes:
    """Overwrite the folder that the prefix lies in, wherever it was compiled in, by a neutral one of the same length.

    The interpreter falls back on it only when it finds no standard library beside itself. The prefix's own
    name stays: linkers keep "3.12.1" as the tail of ".../3.12.1", so nothing may move or vanish there.
    """
    folder = f"{os.path.dirname(prefix)}/".encode()
    if len(folder) <= len(_NEUTRAL):
        return data
    return data.replace(folder, _NEUTRAL.encode().ljust(len(folder), b"/"))


def _entries(root: Path, patched: Path) -> list[Entry]:
    """The files below `root`, some of them as they are below `patched`."""
    found = {path.relative_to(top).as_posix(): path for top in (root, patched) for path in top.rglob("*")}
    return [
        Entry(relative, path, bool(path.stat().st_mode & stat.S_IXUSR))
        for relative, path in found.items()
        if path.is_file()
    ]


def _compile(room: Room[RuntimeParams], root: Path) -> list[Entry]:
    """The bytecode that the interpreter makes; none when it is another platform's."""
    return compile_common(room, root, room.params.version) if room.params.runs else []


def _start(room: Room[RuntimeParams], root: Path) -> dict[str, Json]:
    """What the movable interpreter says of itself; no more than we know when it is another platform's."""
    version = room.params.version
    if room.params.runs:
        return _ask(room, root / "bin" / f"python{version}", version)
    return {"version": version, "python": version, "abi": ""}


def _ask(room: Room[object], program: Path, version: str) -> dict[str, Json]:
    answer = process.capture([os.fspath(program), "-I", "-S", "-c", _QUESTION], env=room.environment())
    return {"python": version, **ast.literal_eval(answer)}


def _glibc(binaries: Sequence[Elf]) -> str:
    return "{}.{}".format(*max((elf.glibc for elf in binaries), default=(0, 0)))
