"""The inventory of a store: what lies there, how large it is, when it was last used, and which results name it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from packyard.tasks.engine.store.store import RUNS, Store


@dataclass(slots=True)
class Entry:
    """A blob, a tree or a run: its bytes, its last use in ns, and how many results name it. There may be a million."""

    size: int
    used: int
    named: int = 0


@dataclass(slots=True)
class Listed:
    """A result: its key, its last use in ns, its bytes, and the entries that it names."""

    key: str
    used: int
    size: int
    names: tuple[str, ...]  # 'blob DIGEST', 'tree DIGEST' and 'run TARGET/KEY'


@dataclass(slots=True)
class Inventory:
    """What a store holds: its entries by name ('blob DIGEST', 'tree DIGEST', 'download DIGEST', 'run TARGET/KEY'), and
    its results."""

    entries: dict[str, Entry] = field(default_factory=dict)
    results: list[Listed] = field(default_factory=list)

    @property
    def size(self) -> int:
        """All of it, in bytes."""
        return sum(entry.size for entry in self.entries.values()) + sum(result.size for result in self.results)


def inventory(store: Store) -> Inventory:
    """Everything that the store holds."""
    found = Inventory()
    for path, status in files_below(store.folder / "blob"):
        found.entries[f"blob {_name(path)}"] = Entry(status.st_size, status.st_mtime_ns)
    with os.scandir(store.folder / "tree") as trees:
        for tree in trees:
            size = sum(status.st_size for _, status in files_below(Path(tree.path)))
            found.entries[f"tree {tree.name}"] = Entry(size, tree.stat().st_mtime_ns)
    for path, status in files_below(store.downloads) if store.downloads.is_dir() else ():
        found.entries[f"download {os.path.basename(path)}"] = Entry(status.st_size, status.st_mtime_ns)
    runs: dict[str, list[str]] = {}
    for path, status in files_below(store.folder / RUNS):
        target, key = path.split("/")[-2:]
        name = f"run {target}/{key}"
        found.entries[name] = Entry(status.st_size, status.st_mtime_ns)
        runs.setdefault(key, []).append(name)
    spelled = {name: name for name in found.entries}  # so that a name is kept once, however many results have it
    for path, status in files_below(store.folder / "result"):
        names = tuple(spelled[name] for name in dict.fromkeys(_names(path)) if name in spelled)
        names += tuple(runs.get(_name(path), ()))
        found.results.append(Listed(_name(path), status.st_mtime_ns, status.st_size, names))
    owners: dict[str, Listed] = {}
    for result in sorted(found.results, key=lambda result: result.used):
        owners.update(dict.fromkeys(result.names, result))
        for name in result.names:
            found.entries[name].named += 1
    for name, result in owners.items():  # the use of a blob is that of the youngest result that names it
        result.used = max(result.used, found.entries[name].used)
    return found


def place_of(store: Store, name: str) -> str:
    """Where a blob, a tree, a result, a download or a run lies."""
    kind, _, digest = name.partition(" ")
    if kind in ("blob", "result"):
        return f"{store.folder}/{kind}/{digest[:2]}/{digest[2:]}"
    return f"{store.folder}/{kind}/{digest}"


def _name(path: str) -> str:
    """The digest or key by which a file below `blob/` or `result/` is named, from its folder and its own name."""
    folder, _, rest = path.rpartition("/")
    return folder[-2:] + rest


def _names(result: str) -> Iterator[str]:
    """The entries that a result names; none when it is torn or foreign, so that it goes early."""
    try:
        with open(result, "rb", buffering=0) as stream:
            values = json.loads(stream.readall())
        for made in values["outputs"].values():
            yield f"blob {made['digest']}"
            if made["tree"]:
                yield f"tree {made['digest']}"
        yield f"blob {values['log']}"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return


def files_below(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Every file below a folder; one that vanishes meanwhile is left out."""
    waiting = [os.fspath(folder)]
    while waiting:
        with contextlib.suppress(FileNotFoundError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    with contextlib.suppress(FileNotFoundError):
                        yield entry.path, entry.stat(follow_symlinks=False)
