"""Replacing a file: the new one is written beside it and replaces it, or everything stays as it was."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to: it replaces `path` when the block ends, and is removed if the block fails.
    OSError if it cannot be replaced."""
    aside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        yield aside
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def rewrite(path: Path, text: str) -> None:
    """Write a file that people also edit, in UTF-8 with the newlines of `text`. It keeps its permissions; if it is a
    link, its target is written. Missing parent folders are made; OSError if it cannot be written."""
    final = path.resolve()
    final.parent.mkdir(parents=True, exist_ok=True)
    with replacing(final) as aside:
        aside.write_text(text, encoding="utf-8", newline="")
        if final.exists():
            aside.chmod(final.stat().st_mode & 0o7777)


_HERE = -100  # AT_FDCWD
_LINUX_EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2)
_DARWIN_SWAP = 2  # RENAME_SWAP of renamex_np(2)


def exchange(one: Path, other: Path) -> bool:
    """Swap two folders of one file system in one step; False if the system or the file system cannot."""
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
