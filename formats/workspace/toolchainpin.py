"""packyard.lock: which lock each Mojo compiler is installed from. Other tables of the file are read elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from packyard.formats.python.requirement import read_python_release
from packyard.formats.relpath import read_relpath
from packyard.formats.text.table import Table, reading
from packyard.formats.text.toml import read_toml


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
            pin = _pin(table)
            if pins.setdefault(pin.mojo, pin) is not pin and pin.mojo:
                table.problem("mojo", f"{pin.mojo!r} is pinned twice")
        return tuple(pins.values())


def _pin(table: Table) -> ToolchainPin:
    return ToolchainPin(
        mojo=table.parse("mojo", read_python_release, "", required=True),
        lock=table.parse("lock", read_relpath, "", required=True),
    )
