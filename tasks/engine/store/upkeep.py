"""Upkeep of a store: what it holds, whether all of it is whole, and removing what was not used for longest.

Whoever removes holds the store alone, so nothing can be taken from a build that runs: a build that starts meanwhile
waits, and while a build runs nothing is removed. A result goes whole: the blobs and trees that no other result
names go with it, and the runs that tell how it was made. What no result names at all goes first: what was downloaded,
and what a killed build left.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from packyard.formats.archive.receipt import FOLDER, read_receipt
from packyard.formats.errors import FormatError
from packyard.tasks.engine.store.blobs import Damaged, full_or
from packyard.tasks.engine.store.intake import is_there, look_through
from packyard.tasks.engine.store.inventory import Inventory, Listed, inventory, place_of
from packyard.tasks.engine.store.runs import read_run
from packyard.tasks.engine.store.store import IN_USE, RUNS, Store
from packyard.tasks.errors import ActionError
from packyard.tasks.host.filelock import try_exclusive
from packyard.tasks.host.removal import remove

_CHUNK = 1 << 20
_REMOVERS = 8  # threads


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """How much a store holds. `size` is all of it in bytes; `oldest` is the Unix time of the least recent use, 0 when
    nothing was ever used."""

    results: int
    blobs: int
    trees: int
    size: int
    oldest: float
    downloads: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What a collection removed, and the bytes that are left."""

    results: int
    blobs: int
    trees: int
    freed: int
    left: int
    downloads: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check of every byte looked at, and what it found damaged, by name ('blob DIGEST', 'tree DIGEST')."""

    files: int
    size: int
    damaged: tuple[str, ...]


def census(store: Store) -> Census:
    """Count what the store holds."""
    found = inventory(store)
    used = [entry.used for entry in found.entries.values()]
    kinds = Counter(name.partition(" ")[0] for name in found.entries)
    return Census(
        results=len(found.results), blobs=kinds["blob"], trees=kinds["tree"], size=found.size,
        oldest=min(used, default=0) / 1e9, downloads=kinds["download"],
    )  # fmt: skip


def collect(store: Store, limit: int) -> Removed:
    """Remove the results that were not used for longest, until at most `limit` bytes are left; ActionError when a
    build is running."""
    with _alone(store):
        found = inventory(store)
        results, names, left = _least_used(found, limit)
        # Results first: one never names what is not there.
        _remove_all([place_of(store, f"result {result.key}") for result in results])
        _remove_all([place_of(store, name) for name in names])
        _remove_empty(store.folder / RUNS)
        kinds = Counter(name.partition(" ")[0] for name in names)
        return Removed(
            results=len(results), blobs=kinds["blob"], trees=kinds["tree"], freed=found.size - left, left=left,
            downloads=kinds["download"],
        )  # fmt: skip


def _least_used(found: Inventory, limit: int) -> tuple[list[Listed], list[str], int]:
    """The results and the other entries to remove until at most `limit` bytes are left, and how many then are."""
    left = found.size
    results: list[Listed] = []
    names: list[str] = []
    unnamed = (name for name, entry in found.entries.items() if not entry.named)
    for name in sorted(unnamed, key=lambda name: found.entries[name].used):
        if left <= limit:
            return results, names, left
        names.append(name)
        left -= found.entries[name].size
    for result in sorted(found.results, key=lambda result: result.used):
        if left <= limit:
            break
        results.append(result)
        left -= result.size
        for name in result.names:
            entry = found.entries[name]
            entry.named -= 1
            if not entry.named:
                names.append(name)
                left -= entry.size
    return results, names, left


def clear(store: Store) -> Removed:
    """Remove everything; ActionError when a build is running."""
    return collect(store, -1)


def verify(store: Store) -> Checked:
    """Read everything and compare it with its digest; what is damaged is removed, so that it is made again."""
    damaged: list[str] = []
    files = size = 0
    store.hold()
    for name, entry in inventory(store).entries.items():
        kind, _, digest = name.partition(" ")
        place = Path(place_of(store, name))
        size += entry.size
        if kind == "tree":
            looked = _read_tree(store, place, digest)
            good = looked is not None
            files += looked or 0
        else:
            files += 1
            good = read_run(place) is not None if kind == "run" else _digest(place) == digest
        if not good and place.exists():  # a build may have replaced it meanwhile
            damaged.append(name)
            remove(place)
    return Checked(files=files, size=size, damaged=tuple(sorted(damaged)))


@contextmanager
def _alone(store: Store) -> Iterator[None]:
    try:
        lock = try_exclusive(store.folder / IN_USE)
    except OSError as error:
        raise full_or(error, "the store") from None
    if lock is None:
        raise ActionError("a build is using the store; nothing was removed", hint="try again when it is done")
    try:
        yield
    except OSError as error:
        raise ActionError(f"{error.filename}: cannot be removed: {error.strerror}") from None
    finally:
        os.close(lock)


def _read_tree(store: Store, place: Path, digest: str) -> int | None:
    """The number of files and links of a tree when each is as its receipt says and nothing else is there, else None."""
    try:
        items = read_receipt(store.read(digest))
        there = look_through(place)
    except (Damaged, ActionError, FormatError, OSError):
        return None
    for item in items:
        if not is_there(place, item) or (item.is_file and _digest(place / item.path) != item.sha256):
            return None
    told = {item.path for item in items}
    parents = {path[:at] for path in told for at, char in enumerate(path) if char == "/"}
    return sum(item.kind != FOLDER for item in items) if told | parents == there.stats.keys() else None


def _digest(path: Path) -> str:
    state = hashlib.sha256()
    try:
        with path.open("rb", buffering=0) as stream:
            while chunk := stream.read(_CHUNK):
                state.update(chunk)
    except OSError:
        return ""
    return state.hexdigest()


def _remove_all(paths: list[str]) -> None:
    """Remove files and trees, folder by folder, by several threads: a disk takes its time for each, but takes many at
    once. OSError when one cannot be removed."""
    paths.sort()
    share = max(1, -(-len(paths) // _REMOVERS))
    pieces = [paths[start : start + share] for start in range(0, len(paths), share)]
    with ThreadPoolExecutor(_REMOVERS) as threads:
        for _ in threads.map(_remove_each, pieces):
            pass


def _remove_each(paths: list[str]) -> None:
    for path in paths:
        remove(path)


def _remove_empty(folder: Path) -> None:
    """Remove the folders in this one that are empty."""
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            path.rmdir()
