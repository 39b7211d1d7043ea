"""The content-addressed store: blobs by SHA-256, trees by receipt, results by action key; shared by all workspaces.

store/v1/blob/ab/cdef...    a file's bytes, read-only
store/v1/tree/abcdef...     a folder (a toolchain), read-only, beside it its receipt as a blob
store/v1/result/ab/cdef...  JSON: what the action of this key made, and a sum over that and the key
store/v1/run/NAME/KEY       JSON: what an earlier run of a target was made from (tasks/engine/store/runs.py)
store/v1/tmp/               files on their way in
store/v1/in-use             a lock: held shared by whoever uses the store, alone by who removes from it

The mtime of a blob, a tree or a result tells when it was last used (tasks/engine/store/upkeep.py goes by it).
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import stat
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from packyard.tasks.engine.store.receipt import _copy, _copy_entry, _move_entry, _sorted
from packyard.tasks.errors import ActionError
from packyard.tasks.host.filelock import exclusive, take_shared
from packyard.tasks.target.target import Made

FORMAT = "v1"  # of the store: the folder below its own that holds all of it
IN_USE = "in-use"
RUNS = "run"
DOWNLOADS = "download"  # files of the package index, by their SHA-256
_LEFT_OVER = 86_400  # seconds


class Damaged(Exception):
    """A stored blob does not have the bytes of its name any more, or is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What an action made, by part, how long it took in seconds, and its log's digest."""

    outputs: Mapping[str, Made]
    seconds: float
    log: str


def downloads_in(folder: Path) -> Path:
    """Where the store below `folder` keeps files of the package index; nothing is made."""
    return folder / FORMAT / DOWNLOADS


class Store:
    """The store below `folder`. Every method is safe against other threads and processes that use it too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FORMAT
        try:
            for name in ("blob", "tree", "result", RUNS, "tmp", "lock"):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ActionError(f"{folder}: the store cannot be made: {error.strerror}") from None
        self.downloads = downloads_in(folder)
        self._sweep()
        self._checked: set[str] = set()  # trees whose files were looked at in this run
        self._held: weakref.finalize[[int], Store] | None = None

    def hold(self, waiting: Callable[[], None] | None = None) -> None:
        """Keep others from removing anything until `close`; `waiting` is called once when somebody is doing so now."""
        if self._held is None:
            self._held = weakref.finalize(self, os.close, take_shared(self.folder / IN_USE, waiting=waiting))

    def close(self) -> None:
        """Let others remove what they like."""
        if self._held is not None:
            self._held()
            self._held = None

    # blobs ---------------------------------------------------------------------------------------------------

    def put(self, source: Path) -> Made:
        """Take in a file's bytes; returns their digest, size and executable bit."""
        executable = bool(source.stat().st_mode & stat.S_IXUSR)
        with self._incoming() as target:
            digest, size = _copy(source, target)
            self._settle(target, self._blob(digest))
        return Made(digest=digest, size=size, executable=executable)

    def take(self, source: Path) -> Made:
        """`put` of a file that nobody needs any more: it is moved, where the store lies on its file system."""
        found = source.stat()
        if found.st_nlink > 1:  # it has another name somewhere, by which it could be written to
            return self.put(source)
        with self._incoming() as target:
            try:
                os.rename(source, target)
            except OSError:
                return self.put(source)
            with target.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            self._settle(target, self._blob(digest))
        _use(self._blob(digest))
        return Made(digest=digest, size=found.st_size, executable=bool(found.st_mode & stat.S_IXUSR))

    def put_bytes(self, data: bytes) -> str:
        """Take in bytes; returns their digest in hexadecimal. A blob that lies there damaged is replaced."""
        digest = hashlib.sha256(data).hexdigest()
        try:
            there = self._blob(digest).read_bytes() == data
        except OSError:
            there = False
        if not there:
            with self._incoming() as target:
                target.write_bytes(data)
                self._settle(target, self._blob(digest))
        return digest

    def has(self, digest: str) -> bool:
        """Whether a blob is there (its bytes are checked when they are handed out)."""
        return self._blob(digest).exists()

    def copy_out(self, digest: str, target: Path, *, executable: bool = False) -> None:
        """Write a blob to `target`, a new file; Damaged (and the blob dropped) when its bytes are not its own."""
        source = self._blob(digest)
        try:
            found, _ = _copy(source, target)
        except FileNotFoundError:
            raise Damaged(digest) from None
        if found != digest:
            target.unlink()
            source.unlink(missing_ok=True)
            raise Damaged(digest)
        _use(source)
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

    # trees ---------------------------------------------------------------------------------------------------

    def put_tree(self, source: Path) -> Made:
        """Take in a folder of files and links that stay inside it, and its receipt (path, mode, size, SHA-256)."""
        with self._incoming() as target:
            target.mkdir()
            return self._settle_tree(target, [_copy_entry(path, source, target) for path in _sorted(source)])

    def take_tree(self, source: Path) -> Made:
        """`put_tree` of a folder that nobody needs any more: it is moved, where the store lies on its file system."""
        with self._incoming() as target:
            try:
                os.rename(source, target)
            except OSError:
                return self.put_tree(source)
            return self._settle_tree(target, [_move_entry(path, target) for path in _sorted(target)])

    def _settle_tree(self, target: Path, lines: list[str]) -> Made:
        receipt = ("\n".join(filter(None, lines)) + "\n").encode()
        digest = self.put_bytes(receipt)
        place = self.folder / "tree" / digest
        with contextlib.suppress(OSError):  # somebody else put the same tree first
            os.rename(target, place)
            for folder, _, _ in os.walk(place):  # after the move, which writes to the folder itself
                os.chmod(folder, 0o555)
        return Made(digest=digest, size=len(receipt), tree=True)

    def tree(self, digest: str) -> Path:
        """The folder of a tree, its files looked at once per run; Damaged when one is missing or has another size."""
        place = self.folder / "tree" / digest
        if digest in self._checked:
            return place
        for line in self.read(digest).decode().split("\n"):  # names may hold what splitlines() splits at
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
                _remove(place)
                raise Damaged(digest)
        self._checked.add(digest)
        _use(place)
        return place

    def tree_files(self, digest: str) -> dict[str, Made]:
        """The files of a tree by their paths in it, from its receipt; ActionError for a link, Damaged when the receipt
        is gone."""
        found: dict[str, Made] = {}
        for line in filter(None, self.read(digest).decode().split("\n")):
            kind, size, rest = line.split(" ", 2)
            if kind == "l":
                raise ActionError(f"'{rest}' is a link; expected a folder that contains only files")
            sha256, _, path = rest.partition(" ")
            found[path] = Made(digest=sha256, size=int(size), executable=kind == "x")
        return found

    def copy_from_tree(self, digest: str, path: str, made: Made, target: Path) -> None:
        """Write one file of a tree to `target`, a new file; Damaged (and the tree dropped) when it is not what its
        receipt says."""
        place = self.folder / "tree" / digest
        try:
            found, _ = _copy(place / path, target)
        except FileNotFoundError:
            found = ""
        if found != made.digest:
            target.unlink(missing_ok=True)
            self._checked.discard(digest)
            _remove(place)
            raise Damaged(digest)
        target.chmod(0o755 if made.executable else 0o644)

    # results -------------------------------------------------------------------------------------------------

    def result(self, key: str) -> Result | None:
        """What the action of this key made, None when it is not known or an artifact of it is gone."""
        try:
            values = json.loads(self._entry("result", key).read_bytes())
            outputs = {part: Made(**made) for part, made in values["outputs"].items()}
            found = Result(outputs=outputs, seconds=values["seconds"], log=values["log"])
            if values["sum"] != _sum(key, asdict(found)):
                raise ValueError
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError):
            self._entry("result", key).unlink(missing_ok=True)  # torn, foreign or of another key: make it again
            return None
        if not all(self.holds(made) for made in outputs.values()):
            return None
        _use(self._entry("result", key))
        return found

    def holds(self, made: Made) -> bool:
        """Whether an artifact can be handed out."""
        return self.has(made.digest) and (not made.tree or (self.folder / "tree" / made.digest).is_dir())

    def keep(self, key: str, result: Result) -> None:
        """Remember what the action of this key made."""
        values = asdict(result)
        text = json.dumps({**values, "sum": _sum(key, values)}, separators=(",", ":"))
        self.write(self._entry("result", key), text.encode())

    def write(self, entry: Path, data: bytes) -> None:
        """Write a small entry of the store, whole or not at all; ActionError when that cannot be done."""
        with self._incoming() as target:
            target.write_bytes(data)
            self._settle(target, entry)

    @contextmanager
    def making(self, key: str) -> Iterator[None]:
        """Hold the lock of an action key: whoever makes the same thing elsewhere waits, then restores."""
        with exclusive(self.folder / "lock" / key):
            yield

    # -----------------------------------------------------------------------------------------------------------

    def _sweep(self) -> None:
        """Remove what killed runs, on this or another machine, left on its way in: nothing takes longer than a day."""
        with contextlib.suppress(OSError):
            for path in (self.folder / "tmp").iterdir():
                if path.lstat().st_mtime < time.time() - _LEFT_OVER:
                    _remove(path)

    def _blob(self, digest: str) -> Path:
        return self._entry("blob", digest)

    def _entry(self, kind: str, name: str) -> Path:
        return self.folder / kind / name[:2] / name[2:]

    @contextmanager
    def _incoming(self) -> Iterator[Path]:
        path = self.folder / "tmp" / f"{os.getpid()}-{threading.get_ident()}-{os.urandom(4).hex()}"
        try:
            yield path
        except OSError as error:
            raise full_or(error, "the store") from None
        finally:
            _remove(path)

    def _settle(self, source: Path, target: Path) -> None:
        source.chmod(0o444)
        try:
            os.replace(source, target)
        except FileNotFoundError:  # the first entry in its folder
            target.parent.mkdir(exist_ok=True)
            os.replace(source, target)


def full_or(error: OSError, place: str) -> ActionError:
    """An ActionError for a failed write, with advice when the disk is full."""
    what = f"{place}: cannot be written: {error.strerror}"
    if error.filename:
        what += f" ({os.fspath(error.filename)})"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ActionError(what, hint="free some space and build again; finished targets are kept")
    return ActionError(what)


def _sum(key: str, values: Mapping[str, Any]) -> str:
    """What tells a result that was altered, or put in the place of another key's."""
    return hashlib.sha256(f"{key} {json.dumps(values, sort_keys=True)}".encode()).hexdigest()


def _use(path: Path) -> None:
    """Note that an entry was used just now."""
    with contextlib.suppress(OSError):
        os.utime(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        for folder, _, _ in os.walk(path):  # of a tree they are read-only
            with contextlib.suppress(OSError):
                os.chmod(folder, 0o700)
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
