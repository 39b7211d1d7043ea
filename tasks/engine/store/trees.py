"""Folders in the store: each lies there as a tree of read-only files, beside its receipt as a blob."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from packyard.formats.archive.receipt import LINK, PROGRAM, Item, read_receipt, write_receipt
from packyard.formats.errors import FormatError
from packyard.tasks.engine.store.blobs import Blobs, Damaged, discard, touch
from packyard.tasks.engine.store.intake import copy_file, copy_in, is_there, look_through, move_in
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
        """Take in a folder, and its receipt (formats/archive/receipt.py); Unfit when it holds what no tree can."""
        found = look_through(source)
        with self._blobs.incoming() as target:
            target.mkdir()
            return self._settle(target, copy_in(source, found, target))

    def take(self, source: Path) -> Made:
        """`put` of a folder that nobody needs any more: it is moved, where the store lies on its file system."""
        found = look_through(source)
        with self._blobs.incoming() as target:
            try:
                os.rename(source, target)
            except OSError:
                return self.put(source)
            return self._settle(target, move_in(found, target))

    def _settle(self, target: Path, items: list[Item]) -> Made:
        receipt = write_receipt(items)
        digest = self._blobs.put_bytes(receipt)
        place = self._place(digest)
        with contextlib.suppress(OSError):  # somebody else put the same tree first
            os.rename(target, place)
            for folder, _, _ in os.walk(place):  # after the move, which writes to the folder itself
                os.chmod(folder, 0o555)
        return Made(digest=digest, size=len(receipt), tree=True)

    def place(self, digest: str) -> Path:
        """The folder of a tree, looked at once per run; Damaged when something in it is missing, or has another size,
        mode or goal than its receipt says."""
        place = self._place(digest)
        if digest in self._checked:
            return place
        if not all(is_there(place, item) for item in self._items(digest)):
            discard(place)
            raise Damaged(digest)
        self._checked.add(digest)
        touch(place)
        return place

    def files(self, digest: str) -> dict[str, Made]:
        """The files of a tree by their paths in it, from its receipt; ActionError for a link, Damaged when the receipt
        is gone."""
        found: dict[str, Made] = {}
        for item in self._items(digest):
            if item.kind == LINK:
                raise ActionError(f"{item.path!r} is a link; expected a folder that contains only files")
            if item.is_file:
                found[item.path] = Made(digest=item.sha256, size=item.size, executable=item.kind == PROGRAM)
        return found

    def _items(self, digest: str) -> list[Item]:
        try:
            return read_receipt(self._blobs.read(digest))
        except FormatError:
            raise Damaged(digest) from None

    def copy_out(self, digest: str, path: str, made: Made, target: Path) -> None:
        """Write one file of a tree to `target`, a new file; Damaged (and the tree dropped) when it is not what its
        receipt says."""
        place = self._place(digest)
        try:
            found, _ = copy_file(place / path, target)
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
