"""The kind `env`: everything a bundle's program needs from the package index, as one piece of a tarball.

uv installs what the lock lists, each file checked against its hash; then the tree is normalised while it is
packed, never in place (its files may be links into uv's cache): no scripts, no headers, no compiled Python,
nothing about where and how it was installed, RECORD to match.

Artifacts: '' the piece (`lib/pythonX.Y/site-packages/...`, and data files at `share/...`), and `files` its listing.
"""

from __future__ import annotations

import posixpath
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from packaging.utils import canonicalize_name
from packyard.formats.entry import Entry
from packyard.formats.errors import FormatError, Problem
from packyard.formats.gzipped import COMPRESSOR, LEVELS
from packyard.formats.listing import Listed, listed, write_listing
from packyard.formats.piece import write_piece
from packyard.formats.pylock import read_pylock
from packyard.formats.record import Recorded, hash_of, read_record, write_record
from packyard.formats.wheel import INSTALLER_FILES
from packyard.tasks import installed, interpreter, lock
from packyard.tasks.dependency import dependencies
from packyard.tasks.errors import ActionError, gather
from packyard.tasks.room import Room
from packyard.tasks.target import Output, Source, Target
from packyard.tasks.workspace import Member, Workspace

# Below the prefix, and not for a program that runs from a bundle.
_LEFT_OUT = re.compile(r"(local/)?(bin|include)/|.*\.pyc$|(.*/)?__pycache__/")


def targets(workspace: Workspace) -> Iterator[Target]:
    """The environment of each member with [tool.flavor]; PlanError for a lock that has drifted."""
    problems: list[FormatError] = []
    for member in workspace.members:
        if member.project and member.project.flavor:
            try:
                yield _target(member, workspace)
            except FormatError as error:
                problems.append(error)
    gather(problems)


def make_env(room: Room) -> None:
    """Install the lock's distributions and pack them; ActionError when two of them differ over one path."""
    prefix = room.scratch / "prefix"
    prefix.mkdir()
    lock_file = room.inputs / lock.NAME
    if read_pylock(lock_file.read_text(encoding="utf-8"), lock.NAME).packages:
        python = interpreter.program_in(room, room.params["runtime"], room.params["version"])
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
        entries, files = _collect(prefix, room.params["version"])
    except FormatError as error:
        raise ActionError(f"the environment cannot be put together: {error}") from None
    with (room.outputs / "env.tar.gz").open("wb") as out:
        write_piece(entries, out, epoch=room.params["epoch"], level=room.params["level"])
    (room.outputs / "files").write_text(write_listing(files), encoding="utf-8")


def _target(member: Member, workspace: Workspace) -> Target:
    project = member.project
    assert project is not None and project.flavor is not None
    version = interpreter.version(member, workspace)
    one = interpreter.find(version, workspace)
    program, uses = interpreter.build_program(one)
    wanted = dependencies(member, workspace).requirements
    pin = lock.pin_of(member, workspace, requirements=wanted, python=version)
    return Target(
        name=f"env:{member.name}",
        doc=f"the {len(wanted)} dependencies of {member.name} and theirs",
        place=member.path("pyproject.toml"),
        run="packyard.tasks.env:make_env",
        params={
            "python": program,
            "runtime": one.target,
            "version": version,
            "python_platform": _python_platform(workspace.platform, project.flavor.build.manylinux),
            "epoch": workspace.epoch,
            "compressor": COMPRESSOR,
            "level": LEVELS["fast"],
        },
        sources=(Source(path=pin.path, at=lock.NAME),),
        uses=uses,
        outputs=(Output(at="env.tar.gz"), Output(part="files", at="files")),
        pins=(pin,),
        network=True,
        resource="io",
    )


def _python_platform(platform: str, manylinux: tuple[str, ...]) -> str:
    """What uv calls a platform with an older glibc than this machine's; '' for this machine's own."""
    if not manylinux or not platform.startswith("linux"):
        return ""
    machine = "x86_64" if platform.endswith("amd64") else "aarch64"
    tag = {"manylinux1": "manylinux_2_5", "manylinux2010": "manylinux_2_12"}.get(manylinux[0], manylinux[0])
    return f"{machine}-{tag}"


def _collect(prefix: Path, version: str) -> tuple[list[Entry], list[Listed]]:
    """What goes into the environment, and its listing; FormatError when distributions differ over a path."""
    entries: dict[str, Entry] = {}
    files: dict[str, Listed] = {}
    owners: dict[str, tuple[str, Recorded]] = {}
    problems: list[Problem] = []
    site = f"lib/python{version}/site-packages"
    for info in sorted(prefix.rglob("*.dist-info"), key=lambda path: path.name.encode()):
        if info.parent.name not in ("site-packages", "dist-packages") or not (info / "RECORD").is_file():
            continue
        owner = canonicalize_name(info.name.partition("-")[0])
        mine: list[Entry] = []
        for row in read_record((info / "RECORD").read_text(encoding="utf-8")):
            path = _kept(info, prefix, row.path)
            if path is None:
                continue
            source = info.parent / row.path
            inside = posixpath.normpath(row.path)
            # Debian installs below local/, and a bundle has no folder of that name.
            at = path.removeprefix("local/") if inside.startswith("../") else f"{site}/{inside}"
            other = owners.setdefault(at, (owner, row))
            if other[0] == owner:
                mine.append(Entry(at, source, bool(source.stat().st_mode & stat.S_IXUSR)))
            elif other[1].hash != row.hash:
                problems.append(Problem(f"{at!r} is in {other[0]!r} and, different, in {owner!r}"))
        measured = list(listed(mine, owner=owner))
        rows = [
            Recorded(path=posixpath.relpath(file.path, site), hash=hash_of(file.sha256), size=file.size)
            for file in measured
        ]
        record = Entry(f"{site}/{info.name}/RECORD", write_record(rows, at=f"{info.name}/RECORD"))
        for file in (*measured, *listed([record], owner=owner)):
            files[file.path] = file
        entries.update((entry.path, entry) for entry in (*mine, record))
    if problems:
        raise FormatError(*problems)
    return list(entries.values()), list(files.values())


def _kept(info: Path, prefix: Path, recorded: str) -> str | None:
    """The path below the prefix of a recorded file that goes into a bundle, else None."""
    source = info.parent / recorded
    path = posixpath.relpath(posixpath.normpath(source.as_posix()), prefix.as_posix())
    if path.startswith("../") or not source.is_file() or source.is_symlink():
        return None
    if recorded.startswith(f"{info.name}/") and source.name in (*INSTALLER_FILES, "RECORD"):
        return None
    return None if _LEFT_OUT.match(path) else path
