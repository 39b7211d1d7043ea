"""What a file contained when it was last looked at, so that an unchanged file is never read twice.

A look is remembered by (size, mtime_ns, ctime_ns, inode). xxh3_128 answers «did it change» and stays here;
SHA-256 is what everything else calls the file's digest.
"""

from __future__ import annotations

import hashlib
import os
import stat
import struct
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import xxhash

Stat = tuple[int, int, int, int]  # size in bytes, mtime and ctime in ns, inode

PACKED_STAT = struct.Struct("<4q")  # a Stat as it is kept
ABSENT: Stat = (0, 0, 0, 0)  # of a missing path: no file has inode 0
UNSURE = -1  # the size of a file that may still change within the clock's grain
_GRAIN_NS = 20_000_000  # kernels stamp files from a coarse clock: 1 to 10 ms, with a margin
_COARSE_GRAIN_NS = 2_000_000_000  # file systems that keep whole seconds (or two)
_LARGE = 1 << 20  # bytes; from here on a known file gets xxh3 first
_CHUNK = 1 << 20
_INO = (1 << 63) - 1  # keeps an inode inside a signed 64-bit column


@dataclass(frozen=True, slots=True)
class Look:
    """One file as it was seen: its stat, its mode's executable bit, SHA-256 (32 bytes), xxh3_128 (16 bytes)."""

    stat: Stat
    executable: bool
    digest: bytes
    sum: bytes

    @property
    def entry(self) -> str:
        """The file as a key names it: `x` or `-`, and the digest in hexadecimal."""
        return f"{'x' if self.executable else '-'} {self.digest.hex()}"


class Memo:
    """Looks at files below `root`, each distinct path once per run."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, Look] = {}
        self._now: dict[str, Look | None] = {}

    def remember(self, path: str, look: Look) -> None:
        """Take over a look from an earlier run."""
        self._known.setdefault(path, look)

    def look(self, path: str) -> Look | None:
        """The file as it is now, None when there is no file. Read only if its stat differs from the last look."""
        if path in self._now:
            return self._now[path]
        found = _look(os.path.join(self._root, path), self._known.get(path))
        self._now[path] = found
        return found

    def forget(self, path: str) -> None:
        """Read `path` again when it is next asked for: it was written, or what we knew about it was wrong."""
        self._now.pop(path, None)
        self._known.pop(path, None)

    def release(self, paths: Iterable[str]) -> None:
        """These are unlikely to be needed again: forget them, except for large files, so that the memory of a build
        does not grow with the files that it has read."""
        for path in paths:
            look = self._now.get(path)
            if look is not None and look.stat[0] < _LARGE:
                self.forget(path)

    def made(self, path: str, look: Look) -> None:
        """Take the look of a file that we have just written."""
        self._now[path] = look


def pack_stat(found: os.stat_result) -> Stat:
    """The four numbers that say whether a file was touched."""
    return (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino & _INO)


def settle(seen: Stat, now_ns: int) -> Stat:
    """`seen`, with the size UNSURE when the file may change again without changing its times."""
    grain = _COARSE_GRAIN_NS if seen[1] % 1_000_000_000 == 0 else _GRAIN_NS
    # A time in the future is harmless: the next change sets the clock's time, which is different.
    if any(now_ns - grain < moment < now_ns + grain for moment in seen[1:3]):
        return (UNSURE, *seen[1:])
    return seen


def _look(path: str, known: Look | None) -> Look | None:
    for _ in range(3):
        try:
            found = os.stat(path)
        except OSError:
            return None
        if not stat.S_ISREG(found.st_mode):
            return None
        now = time.time_ns()
        seen = pack_stat(found)
        if known is not None and known.stat == seen:
            return known
        executable = bool(found.st_mode & stat.S_IXUSR)
        try:
            digest, checksum = _read(path, seen[0], known)
            after = pack_stat(os.stat(path))
        except OSError:
            return None
        if after == seen:
            return Look(settle(seen, now), executable, digest, checksum)
    # Being written all the time: remembered as unsure, so that the next look reads it again.
    return Look((UNSURE, *seen[1:]), executable, digest, checksum)


def _read(path: str, size: int, known: Look | None) -> tuple[bytes, bytes]:
    if known is not None and size >= _LARGE:
        quick = xxhash.xxh3_128()
        for chunk in _chunks(path):
            quick.update(chunk)
        if quick.digest() == known.sum:
            return known.digest, known.sum
    digest, checksum = hashlib.sha256(), xxhash.xxh3_128()
    for chunk in _chunks(path):
        digest.update(chunk)
        checksum.update(chunk)
    return digest.digest(), checksum.digest()


def _chunks(path: str) -> Iterator[bytes]:
    with open(path, "rb", buffering=0) as stream:  # unbuffered: most files are one read
        while chunk := stream.read(_CHUNK):
            yield chunk
