"""Putting a folder in the place of another so that nobody ever sees neither or half of one."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path

_HERE = -100  # AT_FDCWD
_LINUX_EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2)
_DARWIN_SWAP = 2  # RENAME_SWAP of renamex_np(2)


def exchange(one: Path, other: Path) -> bool:
    """Swap two folders of one file system in one step; False where the system or the file system cannot."""
    libc = ctypes.CDLL(None, use_errno=True)
    first, second = os.fsencode(one), os.fsencode(other)
    if sys.platform == "darwin" and hasattr(libc, "renamex_np"):
        status = libc.renamex_np(first, second, _DARWIN_SWAP)
    elif hasattr(libc, "renameat2"):
        status = libc.renameat2(_HERE, first, _HERE, second, _LINUX_EXCHANGE)
    else:
        return False
    if status == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), os.fspath(other))
