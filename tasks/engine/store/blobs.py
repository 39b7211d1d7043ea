"""Files in the store by the SHA-256 of their bytes: taken in whole, checked when they are handed out."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from packyard.tasks.engine.store.intake import copy_file
from packyard.tasks.errors import ActionError
from packyard.tasks.target.target import Made


class Damaged(Exception):
    """A stored blob does not have the bytes of its name any more, or is gone."""


class Blobs:
    """The blobs below `folder`, and how anything gets into it: safe against other threads and processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, source: Path) -> Made:
        """Take in a file's bytes; returns their digest, size and executable bit."""
        executable = bool(source.stat().st_mode & stat.S_IXUSR)
        with self.incoming() as target:
            digest, size = copy_file(source, target)
            self.settle(target, self._blob(digest))
        return Made(digest=digest, size=size, executable=executable)

    def take(self, source: Path) -> Made:
        """`put` of a file that nobody needs any more: it is moved, where the store lies on its file system."""
        found = source.stat()
        if found.st_nlink > 1:  # it has another name somewhere, by which it could be written to
            return self.put(source)
        with self.incoming() as target:
            try:
                os.rename(source, target)
            except OSError:
                return self.put(source)
            with target.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            self.settle(target, self._blob(digest))
        touch(self._blob(digest))
        return Made(digest=digest, size=found.st_size, executable=bool(found.st_mode & stat.S_IXUSR))

    def put_bytes(self, data: bytes) -> str:
        """Take in bytes; returns their digest in hexadecimal. A blob that lies there damaged is replaced."""
        digest = hashlib.sha256(data).hexdigest()
        try:
            there = self._blob(digest).read_bytes() == data
        except OSError:
            there = False
        if not there:
            with self.incoming() as target:
                target.write_bytes(data)
                self.settle(target, self._blob(digest))
        return digest

    def has(self, digest: str) -> bool:
        """Whether a blob is there (its bytes are checked when they are handed out)."""
        return self._blob(digest).exists()

    def copy_out(self, digest: str, target: Path, *, executable: bool = False) -> None:
        """Write a blob to `target`, a new file; Damaged (and the blob dropped) when its bytes are not its own."""
        source = self._blob(digest)
        try:
            found, _ = copy_file(source, target)
        except FileNotFoundError:
            raise Damaged(digest) from None
        if found != digest:
            target.unlink()
            source.unlink(missing_ok=True)
            raise Damaged(digest)
        touch(source)
        target.chmod(0o755 if executable else 0o644)

    def read(self, digest: str) -> bytes:
        """A small blob's bytes; Damaged when they are not what they were."""
        try:
            data = self._blob(digest).read_bytes()
        except OSError:
            raise Damaged(digest) from None
        if hashlib.sha256(data).hexdigest() != digest:
            self._blob(digest).unlink(missing_ok=True)
            raise Damaged(digest)
        return data

    def _blob(self, digest: str) -> Path:
        return self.entry("blob", digest)

    def entry(self, kind: str, name: str) -> Path:
        """Where the entry of this kind and name lies."""
        return self.folder / kind / name[:2] / name[2:]

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """A path on the same disk to write to; what is left there at the end is removed. ActionError for what cannot be
        written."""
        path = self.folder / "tmp" / f"{os.getpid()}-{threading.get_ident()}-{os.urandom(4).hex()}"
        try:
            yield path
        except OSError as error:
            raise full_or(error, "the store") from None
        finally:
            discard(path)

    def settle(self, source: Path, target: Path) -> None:
        """Give what came in its place."""
        source.chmod(0o444)
        try:
            os.replace(source, target)
        except FileNotFoundError:  # the first entry in its folder
            target.parent.mkdir(exist_ok=True)
            os.replace(source, target)


def touch(path: Path) -> None:
    """Note that an entry was used just now."""
    with contextlib.suppress(OSError):
        os.utime(path)


def discard(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        for folder, _, _ in os.walk(path):  # of a tree they are read-only
            with contextlib.suppress(OSError):
                os.chmod(folder, 0o700)
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def full_or(error: OSError, place: str) -> ActionError:
    """An ActionError for a failed write, with advice when the disk is full."""
    what = f"{place}: cannot be written: {error.strerror}"
    if error.filename:
        what += f" ({os.fspath(error.filename)})"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ActionError(what, hint="free some space and build again; finished targets are kept")
    return ActionError(what)
