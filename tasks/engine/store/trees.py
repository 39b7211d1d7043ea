"""Folders in the store: each lies there as a tree of read-only files, beside its receipt as a blob."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from packyard.tasks.engine.store.blobs import Blobs, Damaged, discard, touch
from packyard.tasks.engine.store.receipt import _copy, _copy_entry, _move_entry, _sorted
from packyard.tasks.errors import ActionError
from packyard.tasks.target.target import Made


class Trees:
    """The trees beside these blobs. The files of each are looked at once in a run."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._checked: set[str] = set()

    def has(self, digest: str) -> bool:
        """Whether a tree is there (its files are looked at when it is used)."""
        return self._place(digest).is_dir()

    def put(self, source: Path) -> Made:
        """Take in a folder of files and links that stay inside it, and its receipt (path, mode, size, SHA-256)."""
        with self._blobs.incoming() as target:
            target.mkdir()
            return self._settle(target, [_copy_entry(path, source, target) for path in _sorted(source)])

    def take(self, source: Path) -> Made:
        """`put` of a folder that nobody needs any more: it is moved, where the store lies on its file system."""
        with self._blobs.incoming() as target:
            try:
                os.rename(source, target)
            except OSError:
                return self.put(source)
            return self._settle(target, [_move_entry(path, target) for path in _sorted(target)])

    def _settle(self, target: Path, lines: list[str]) -> Made:
        receipt = ("\n".join(filter(None, lines)) + "\n").encode()
        digest = self._blobs.put_bytes(receipt)
        place = self._place(digest)
        with contextlib.suppress(OSError):  # somebody else put the same tree first
            os.rename(target, place)
            for folder, _, _ in os.walk(place):  # after the move, which writes to the folder itself
                os.chmod(folder, 0o555)
        return Made(digest=digest, size=len(receipt), tree=True)

    def place(self, digest: str) -> Path:
        """The folder of a tree, its files looked at once per run; Damaged when one is missing or has another size."""
        place = self._place(digest)
        if digest in self._checked:
            return place
        for line in self._blobs.read(digest).decode().split("\n"):  # names may hold what splitlines() splits at
            if not line:
                continue
            kind, size, rest = line.split(" ", 2)
            if kind == "l":
                continue
            path = place / rest.split(" ", 1)[1]
            try:
                good = path.stat().st_size == int(size)
            except OSError:
                good = False
            if not good:
                discard(place)
                raise Damaged(digest)
        self._checked.add(digest)
        touch(place)
        return place

    def files(self, digest: str) -> dict[str, Made]:
        """The files of a tree by their paths in it, from its receipt; ActionError for a link, Damaged when the receipt
        is gone."""
        found: dict[str, Made] = {}
        for line in filter(None, self._blobs.read(digest).decode().split("\n")):
            kind, size, rest = line.split(" ", 2)
            if kind == "l":
                raise ActionError(f"'{rest}' is a link; expected a folder that contains only files")
            sha256, _, path = rest.partition(" ")
            found[path] = Made(digest=sha256, size=int(size), executable=kind == "x")
        return found

    def copy_out(self, digest: str, path: str, made: Made, target: Path) -> None:
        """Write one file of a tree to `target`, a new file; Damaged (and the tree dropped) when it is not what its
        receipt says."""
        place = self._place(digest)
        try:
            found, _ = _copy(place / path, target)
        except FileNotFoundError:
            found = ""
        if found != made.digest:
            target.unlink(missing_ok=True)
            self._checked.discard(digest)
            discard(place)
            raise Damaged(digest)
        target.chmod(0o755 if made.executable else 0o644)

    def _place(self, digest: str) -> Path:
        return self._blobs.folder / "tree" / digest
