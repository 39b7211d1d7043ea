"""Which Python a bundle carries, and where on this machine it is.

Looked for in this order: what packyard.lock pins (an archive or a folder), a Python that uv manages, the
Python that runs Packyard, one that pyenv manages, one on PATH. Programs are always named by their full
path: the first `python3.12` on PATH may be a shim that starts another version or none.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from packaging.specifiers import SpecifierSet
from packaging.version import Version
from packyard.formats.elf import MAGIC
from packyard.formats.errors import Problem
from packyard.formats.workspace.lock import InterpreterPin
from packyard.tasks.errors import PlanError
from packyard.tasks.kinds.interpreter.program import PythonParams
from packyard.tasks.target.target import Use
from packyard.tasks.workspace.watch import Watch
from packyard.tasks.workspace.workspace import LOCK, Member, Workspace

FACTS = "facts"  # the end of the name of the target that asks an installed Python
OLDEST = Version("3.8")  # that packyard_runtime runs on
RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python: `place` is a prefix (a folder with bin/ and lib/), or an archive's path or URL with its SHA-256."""

    version: str  # '3.12'
    platform: str
    kind: Literal["folder", "file", "url"]
    place: str
    sha256: str = ""

    @property
    def target(self) -> str:
        """The name of the target that makes it portable."""
        return f"runtime:cpython-{self.version}-{self.platform}"

    @property
    def program(self) -> str:
        """The program's full path; '' when there is only an archive."""
        return f"{self.place}/bin/python{self.version}" if self.kind == "folder" else ""


def version(member: Member, workspace: Workspace) -> str:
    """The Python ('3.12') that a member's bundle carries: its own choice, the workspace's, or the one that runs.

    PlanError when the member's requires-python refuses it.
    """
    project = member.project
    own = project.flavor.python_version if project and project.flavor else ""
    wanted = own or workspace.manifest.toolchain.python or RUNNING
    if Version(wanted) < OLDEST:
        raise PlanError(
            Problem(
                f"{wanted!r} is too old for a bundle; expected {OLDEST} or newer",
                key="tool.flavor.python_version" if own else "toolchain.python",
                place=member.path("pyproject.toml") if own else "packyard.toml",
            )
        )
    if project and project.requires_python and not _allows(project.requires_python, wanted):
        place = member.path("pyproject.toml")
        raise PlanError(
            Problem(
                f"{project.requires_python!r} does not allow Python {wanted}, which the bundle would carry",
                key="project.requires-python",
                place=place,
                hint=f"choose another one: tool.flavor.python_version in {place}, or toolchain.python in packyard.toml",
            )
        )
    return wanted


def target_name(member: Member, workspace: Workspace, platform: str = "") -> str:
    """The runtime target of a member's bundle (for this platform, or another)."""
    return f"runtime:cpython-{version(member, workspace)}-{platform or workspace.platform}"


def facts_use(member: Member, workspace: Workspace, platform: str, *, at: str) -> Use:
    """Where an action finds what the Python of a member's bundle is: an installed one of this machine is asked before
    it is made movable, so that environments need not wait for that."""
    target, wanted = target_name(member, workspace, platform), version(member, workspace)
    pins = workspace.lock.interpreters
    archived = any((pin.version, pin.platform, pin.folder) == (wanted, platform, "") for pin in pins)
    if archived or platform != workspace.platform:
        return Use(target=target, part="facts", at=at)
    return Use(target=f"{target}/{FACTS}", at=at)


def find(wanted: str, workspace: Workspace, platform: str = "") -> Interpreter:
    """The Python `wanted` ('3.12') for a platform; PlanError, with what to do, when there is none."""
    platform = platform or workspace.platform
    for pin in workspace.lock.interpreters:
        if (pin.version, pin.platform) == (wanted, platform):
            return _pinned(pin, workspace)
    if platform == workspace.platform and platform.startswith("linux"):
        for prefix in _prefixes(wanted, workspace.watch):
            workspace.watch.expect(f"{prefix}/bin/python{wanted}")
            if _is_whole(prefix, wanted):
                return Interpreter(version=wanted, platform=platform, kind="folder", place=os.fspath(prefix))
    hint = f"'packyard lock --interpreter ARCHIVE' pins one in {LOCK}"
    if platform == workspace.platform:
        hint = f"'uv python install {wanted}', or choose {RUNNING}, which runs Packyard; {hint}"
    message = f"no Python {wanted} for {platform} found on this machine"
    raise PlanError(Problem(message, place="packyard.toml", key="toolchain.python", hint=hint))


def python_for(interpreter: Interpreter) -> tuple[PythonParams, tuple[Use, ...]]:
    """How an action that must run this Python gets it: as a parameter, and what it has to use."""
    uses = () if interpreter.program else (Use(target=interpreter.target, part="home"),)
    return PythonParams(version=interpreter.version, program=interpreter.program, runtime=interpreter.target), uses


def _pinned(pin: InterpreterPin, workspace: Workspace) -> Interpreter:
    if pin.folder:
        prefix = workspace.root / pin.folder
        if not _is_whole(prefix, pin.version):
            raise PlanError(
                Problem(
                    f"{pin.folder!r} is not Python {pin.version}; expected bin/python{pin.version} and "
                    f"lib/python{pin.version}/os.py",
                    place=LOCK,
                )
            )
        return Interpreter(version=pin.version, platform=pin.platform, kind="folder", place=os.fspath(prefix))
    return Interpreter(
        version=pin.version,
        platform=pin.platform,
        kind="url" if pin.url else "file",
        place=pin.url or pin.path,
        sha256=pin.sha256.hex if pin.sha256 else "",
    )


def _allows(requires: str, wanted: str) -> bool:
    # Only 'X.Y' is known before the interpreter is looked at: any release of it that fits is good enough.
    return any(SpecifierSet(requires).contains(f"{wanted}.{patch}") for patch in (0, 999))


def _prefixes(wanted: str, watch: Watch) -> Iterator[Path]:
    """Where a Python may be. Every place that was looked at is watched, up to the one that is taken: a Python that
    comes into an earlier one is seen."""
    home = Path.home()
    watch.variables.update(("HOME", "XDG_DATA_HOME", "UV_PYTHON_INSTALL_DIR"))
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share")
    managed = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv/python")
    yield from _releases(managed, f"cpython-{wanted}.", watch)
    if wanted == RUNNING:
        yield Path(sys.base_prefix)
    watch.variables.add("PYENV_ROOT")
    yield from _releases(Path(os.environ.get("PYENV_ROOT") or home / ".pyenv") / "versions", f"{wanted}.", watch)
    watch.variables.add("PATH")
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        program = Path(folder, f"python{wanted}")
        if os.path.isabs(folder):
            watch.expect(os.fspath(program))
            if program.is_file():
                yield program.resolve().parent.parent


def _releases(folder: Path, start: str, watch: Watch) -> Iterator[Path]:
    """The folders in `folder` whose name is `start` and a number, the newest release first."""
    watch.expect(os.fspath(folder))
    found: list[tuple[int, Path]] = []
    if folder.is_dir():
        for path in folder.iterdir():
            match = re.match(r"\d+(?=-|$)", path.name.removeprefix(start)) if path.name.startswith(start) else None
            if match and not path.is_symlink():
                found.append((int(match[0]), path))
    yield from (path for _, path in sorted(found, reverse=True))


def _is_whole(prefix: Path, wanted: str) -> bool:
    program = prefix / "bin" / f"python{wanted}"
    if not program.is_file() or not (prefix / "lib" / f"python{wanted}" / "os.py").is_file():
        return False
    with program.open("rb") as stream:
        return stream.read(len(MAGIC)) == MAGIC
