"""Locks: resolving requirements with uv into a hashed pylock.toml, and noticing that a lock has drifted.

An app's lock stands beside its manifest and is committed; `packyard lock` writes it and no build changes it.
Where there is none, a build resolves once into `.packyard/locks/`, under a name that the question decides:
another question is another file.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from packyard.formats.errors import FormatError, Problem
from packyard.formats.machine import Machine
from packyard.formats.pinned import pinned_files
from packyard.formats.pylock import Build, drift, read_pylock, stamp_pylock
from packyard.tasks import installed, network, process
from packyard.tasks.errors import ActionError, PlanError
from packyard.tasks.fetched import fetched
from packyard.tasks.sdist import build_system
from packyard.tasks.target import Pin
from packyard.tasks.workspace import Member, Workspace

FOLDER = ".packyard/locks"
NAME = "pylock.toml"
BUILD_NAME = "pylock.build.toml"  # what builds the member's wheel, in contrast to what the member needs to run
HOOK_NAME = "pylock.hooks.toml"  # what its hooks need


def pin_of(
    member: Member,
    workspace: Workspace,
    *,
    requirements: Iterable[str],
    python: str,
    name: str = NAME,
    shared: bool = False,
) -> Pin:
    """The lock that answers for a member's requirements: the committed one beside its manifest, else our own
    (with `shared`, one for all members that ask the same).

    PlanError when the committed one is for other requirements, with the command that mends it.
    """
    wanted = tuple(sorted(set(requirements)))
    path = member.path(name)
    if workspace.watch.is_file(path):
        with_lock = read_pylock(workspace.watch.text(path), path)
        changes = list(drift(with_lock, requirements=wanted, python=python))
        if changes:
            raise PlanError(
                Problem(
                    f"does not fit the dependencies of {member.name!r} any more: {', '.join(changes)}",
                    place=path,
                    hint=f"run 'packyard lock {member.name}'",
                )
            )
    else:
        path = own_path("build" if shared else member.name, wanted, python)
    return Pin(path=path, requirements=wanted, python=python, platform=workspace.platform)


def own_path(name: str, requirements: Iterable[str], python: str) -> str:
    """Where a lock that nobody committed is kept: its name tells the question, so a stale one is never read."""
    question = json.dumps([sorted(requirements), python])
    return f"{FOLDER}/{name}/pylock.{hashlib.sha256(question.encode()).hexdigest()[:12]}.toml"


def resolve(pin: Pin, root: Path, *, upgrade: Iterable[str] | None = ()) -> None:
    """Resolve the requirements of `pin` for every platform and write its lock, whole or not at all.

    Versions of the lock that is there (or of an earlier one of the same name) are kept while they fit, but for
    the distributions named in `upgrade`, None meaning all. ActionError, with uv's own words, when there is no answer.
    """
    final = root / pin.path
    text = resolved_text(pin, _earlier(final), upgrade=upgrade)
    final.parent.mkdir(parents=True, exist_ok=True)
    aside = final.with_name(f".{final.name}.{os.getpid()}")
    try:
        aside.write_text(text, encoding="utf-8")
        os.replace(aside, final)
    except OSError as error:
        raise ActionError(f"{pin.path}: cannot be written: {error.strerror}") from None
    finally:
        aside.unlink(missing_ok=True)


def resolved_text(pin: Pin, earlier: str = "", *, upgrade: Iterable[str] | None = ()) -> str:
    """The text of the lock that answers `pin`, keeping the versions of the `earlier` text where they fit."""
    text = _compiled(pin, earlier, upgrade)
    try:
        known = read_pylock(earlier, pin.path).builds if earlier else ()
        builds = tuple(_builds(text, pin, known, upgrade))
        text = stamp_pylock(text, requirements=pin.requirements, python=pin.python, builds=builds)
        read_pylock(text, pin.path)
    except FormatError as error:
        raise ActionError(f"the lock that uv wrote cannot be used: {error}") from None
    return text


def _builds(text: str, pin: Pin, known: Iterable[Build], upgrade: Iterable[str] | None) -> Iterator[Build]:
    """What builds the distributions that have no wheel for the machine of `pin`."""
    earlier = {build.name: build for build in known}
    machine = Machine(python=pin.python, platform=pin.platform)
    try:
        sources = [file for file in pinned_files(text, pin.path, machine) if not file.is_wheel]
    except FormatError:
        return  # it is for other machines: what this one misses is said where it is missed
    for pinned, file in zip(sources, fetched(sources)):
        with tempfile.TemporaryDirectory(prefix="packyard-source-") as folder:
            requires = build_system(pinned, file, Path(folder, "source")).requires
        kept = earlier[pinned.name].lock if pinned.name in earlier else ""
        wanted = Pin(path=f"{pin.path} (what builds {pinned.name})", requirements=tuple(sorted(requires)),
                     python=pin.python, platform=pin.platform)  # fmt: skip
        yield Build(
            name=pinned.name, requires=requires, lock=_compiled(wanted, kept, upgrade, "--only-binary", ":all:")
        )


def _compiled(pin: Pin, earlier: str, upgrade: Iterable[str] | None, *how: str) -> str:
    """What uv answers to the requirements of `pin`."""
    with tempfile.TemporaryDirectory(prefix="packyard-lock-") as folder:
        question, answer = Path(folder, "requirements.in"), Path(folder, NAME)
        question.write_text("".join(f"{text}\n" for text in pin.requirements), encoding="utf-8")
        if earlier:
            answer.write_text(earlier, encoding="utf-8")
        argv = [
            installed.uv(), "pip", "compile", "--quiet", "--universal", "--python-version", pin.python,
            "--python", sys.executable, "--no-python-downloads", "--no-header", "--no-annotate", "--no-progress",
            "--format", "pylock.toml", "--output-file", str(answer), *how, str(question),
        ]  # fmt: skip
        if upgrade is None:
            argv.append("--upgrade")
        else:
            argv += [word for name in upgrade for word in ("--upgrade-package", name)]
        try:
            process.capture(
                argv, cwd=Path(folder), env={"PATH": os.defpath, **network.environment(wishes=True)}
            )  # fmt: skip
        except ActionError as error:
            wanted = ", ".join(pin.requirements)
            message = f"{pin.path}: no versions were found for {wanted}"
            raise ActionError(message, detail=error.detail, hint=_hint(error.detail)) from None
        return answer.read_text(encoding="utf-8")


def _earlier(final: Path) -> str:
    """The text of the lock at `final`, or else of the newest one beside it."""
    candidates = [final] if final.exists() else sorted(final.parent.glob("pylock.*.toml"), key=_time, reverse=True)
    return candidates[0].read_text(encoding="utf-8") if candidates else ""


def _time(path: Path) -> int:
    return path.stat().st_mtime_ns


def _hint(detail: str) -> str:
    lower = detail.lower()
    if network.offline():
        return "nothing may be downloaded (--offline, UV_OFFLINE): lock once with the network"
    if "401 unauthorized" in lower or "403 forbidden" in lower:
        return "put its user and password into the URL of UV_DEFAULT_INDEX or UV_INDEX, or into ~/.netrc"
    if "dns error" in lower or "failed to fetch" in lower or "connect" in lower:
        return "the package index cannot be reached: check the network, UV_DEFAULT_INDEX, HTTPS_PROXY, SSL_CERT_FILE"
    return "ask for other versions in the manifest, or leave out what cannot be had together"
