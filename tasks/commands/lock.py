"""`packyard lock`: resolve what the Python members need, and write it down beside their manifests."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from packyard.formats.errors import FormatError, Problem
from packyard.formats.pylock import Pylock, drift, read_pylock
from packyard.tasks import interpreter, lock
from packyard.tasks.backend import build_requirements
from packyard.tasks.commands.output import say
from packyard.tasks.dependency import dependencies
from packyard.tasks.errors import PlanError
from packyard.tasks.opening import find_workspace
from packyard.tasks.target import Pin
from packyard.tasks.workspace import Member, Workspace, read_workspace

HELP = "resolve the distributions of the apps into committed locks"


def run(words: list[str]) -> int:
    """Write, or with --check compare, the locks of the members that `words` name; the exit status."""
    options = _parser().parse_args(words)
    workspace = read_workspace(find_workspace(Path.cwd()))
    upgrade = None if "" in options.upgrade else options.upgrade
    stale = False
    for member in _chosen(workspace, options.member):
        for pin in _pins(member, workspace):
            before = _read(workspace, pin)
            if options.check:
                reasons = ["it is missing"] if before is None else list(_drift(before, pin))
                stale = stale or bool(reasons)
                say(f"{pin.path}: {', '.join(reasons) or 'fits'}")
                continue
            lock.resolve(pin, workspace.root, upgrade=upgrade)
            after = read_pylock((workspace.root / pin.path).read_text(encoding="utf-8"), pin.path)
            say(*_changes(pin.path, before, after))
    if options.check and stale:
        say("run 'packyard lock' to bring the locks up to date")
    return int(options.check and stale)


def _chosen(workspace: Workspace, names: list[str]) -> list[Member]:
    """The Python members that bear the names, or all that have something to lock."""
    python = {member.name: member for member in workspace.members if member.project}
    unknown = [name for name in names if name not in python]
    if unknown:
        known = ", ".join(sorted(python)) or "none"
        raise PlanError(
            *(Problem(f"{name!r} is no Python member of this workspace, known: {known}") for name in unknown)
        )
    return [python[name] for name in names] if names else list(python.values())


def _pins(member: Member, workspace: Workspace) -> Iterator[Pin]:
    """What a member needs to run (when it becomes a bundle), and what its backend needs (when it has one)."""
    project = member.project
    assert project is not None
    python = interpreter.version(member, workspace)
    wanted: list[tuple[str, tuple[str, ...]]] = []
    if project.flavor:
        wanted.append((lock.NAME, dependencies(member, workspace).requirements))
    if project.build_backend:
        wanted.append((lock.BUILD_NAME, build_requirements(member)))
    for name, requirements in wanted:
        yield Pin(
            path=member.path(name),
            requirements=tuple(sorted(set(requirements))),
            python=python,
            platform=workspace.platform,
        )


def _read(workspace: Workspace, pin: Pin) -> Pylock | None:
    path = workspace.root / pin.path
    if not path.is_file():
        return None
    try:
        return read_pylock(path.read_text(encoding="utf-8"), pin.path)
    except FormatError:
        return Pylock(packages=())  # it is being replaced: what is wrong with it does not matter any more


def _drift(before: Pylock, pin: Pin) -> Iterator[str]:
    return drift(before, requirements=pin.requirements, python=pin.python)


def _changes(path: str, before: Pylock | None, after: Pylock) -> Iterator[str]:
    """What a new lock changes, a line per distribution."""
    then = dict(before.packages) if before else {}
    now = dict(after.packages)
    lines = [
        *(f"  + {name} {now[name]}" for name in sorted(now.keys() - then.keys())),
        *(f"  - {name} {then[name]}" for name in sorted(then.keys() - now.keys())),
        *(
            f"  ~ {name} {then[name]} -> {now[name]}"
            for name in sorted(now)
            if name in then and then[name] != now[name]
        ),
    ]
    summary = "nothing changed" if not lines else f"{len(now)} distributions"
    yield f"{path}: {summary}"
    yield from lines


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="packyard lock",
        description="Resolve what the Python members need and write it, with hashes, to pylock.toml beside their "
        "manifests (what builds their wheels: pylock.build.toml). Commit these files. Versions that still fit stay.",
    )
    parser.add_argument("member", nargs="*", help="the name of a member (default: all)")
    parser.add_argument(
        "--upgrade", nargs="?", const="", action="append", default=[], metavar="NAME",
        help="take the newest versions of everything, or of one distribution (may be repeated)",
    )  # fmt: skip
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 when a lock does not fit")
    return parser
