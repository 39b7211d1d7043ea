"""Replacing a file: the new one is written beside it and takes its place, or everything stays as it was."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to: it takes the place of `path` when the block ends, and is removed when the block
    fails. OSError when it cannot."""
    aside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        yield aside
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def rewrite(path: Path, text: str) -> None:
    """Write a file that people edit, too, in UTF-8 with the newlines of `text`. It keeps its permissions; where it is a
    link, its target is written. Folders on the way are made; OSError when it cannot be written."""
    final = path.resolve()
    final.parent.mkdir(parents=True, exist_ok=True)
    with replacing(final) as aside:
        aside.write_text(text, encoding="utf-8", newline="")
        if final.exists():
            aside.chmod(final.stat().st_mode & 0o7777)
