"""packyard.lock: which archive or folder a bundle's Python comes from, which lock a Mojo compiler is installed from.

`[[morloc]]` is read by formats/morloc/lock.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from packyard.formats.digest import Digest
from packyard.formats.platform import read_platform
from packyard.formats.python.requirement import read_python_release, read_python_version
from packyard.formats.relpath import read_relpath
from packyard.formats.text.table import Table, reading
from packyard.formats.text.toml import read_toml


@dataclass(frozen=True, slots=True, kw_only=True)
class InterpreterPin:
    """`[[interpreter]]`: a Python for bundles of one platform.

    Either an archive in the `install_only` layout (one folder `python/`), at `url` or `path` and with a
    `sha256`; or a `folder` that holds `bin/` and `lib/`. Paths are relative to the workspace or absolute.
    """

    version: str  # '3.12'
    platform: str  # 'linux_amd64'
    url: str = ""
    path: str = ""
    folder: str = ""
    sha256: Digest | None = None


def read_interpreter_pins(text: str, place: str) -> tuple[InterpreterPin, ...]:
    """The interpreters that a packyard.lock pins; FormatError with all their problems."""
    with reading(read_toml(text, place), place) as top:
        top.ignore_rest()
        return tuple(_interpreter(table) for table in top.tables("interpreter"))


def _interpreter(table: Table) -> InterpreterPin:
    pin = InterpreterPin(
        version=table.parse("version", read_python_version, "", required=True),
        platform=table.parse("platform", read_platform, "", required=True),
        url=table.text("url"),
        path=table.text("path"),
        folder=table.text("folder"),
        sha256=table.parse("sha256", Digest.parse, None),
    )
    if sum(map(bool, (pin.url, pin.path, pin.folder))) != 1:
        table.problem("", "one of url, path and folder was expected")
    elif not pin.folder and "sha256" not in table:
        table.problem("sha256", "is missing, the SHA-256 of the archive was expected")
    return pin


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolchainPin:
    """`[[toolchain]]`: the compiler `mojo` is installed from the pylock.toml at `lock`, relative to the workspace."""

    mojo: str
    lock: str


def read_toolchain_pins(text: str, place: str) -> tuple[ToolchainPin, ...]:
    """The compilers that a packyard.lock pins; FormatError with all their problems, a version pinned twice too."""
    with reading(read_toml(text, place), place) as top:
        top.ignore_rest()
        pins: dict[str, ToolchainPin] = {}
        for table in top.tables("toolchain"):
            pin = _toolchain(table)
            if pins.setdefault(pin.mojo, pin) is not pin and pin.mojo:
                table.problem("mojo", f"{pin.mojo!r} is pinned twice")
        return tuple(pins.values())


def _toolchain(table: Table) -> ToolchainPin:
    return ToolchainPin(
        mojo=table.parse("mojo", read_python_release, "", required=True),
        lock=table.parse("lock", read_relpath, "", required=True),
    )
