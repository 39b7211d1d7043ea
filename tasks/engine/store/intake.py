"""Taking a folder into the store: what it holds is looked through first, then copied or moved, and told item by item.

A tree holds files, folders, and links that stay inside; its names are UTF-8 without control characters. Whatever else
an action left is refused by name, because it could not be had again from the store, or would lead out of it.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packyard.formats.archive.receipt import FILE, FOLDER, LINK, PROGRAM, Item
from packyard.tasks.errors import ActionError

_CHUNK = 1 << 20
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_MOST_HOPS = 40  # from link to link; Linux follows no more
_SPECIAL = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class Unfit(ActionError):
    """A folder holds what no tree can; the message names each place."""


@dataclass(slots=True)
class Found:
    """What a folder holds: the stat of each path in it, sorted by path bytes, and the goals of its links."""

    stats: dict[str, os.stat_result] = field(default_factory=dict)
    goals: dict[str, str] = field(default_factory=dict)

    @property
    def empty(self) -> Iterator[str]:
        """The folders in which nothing is."""
        full = {path.rpartition("/")[0] for path in self.stats}
        return (path for path, found in self.stats.items() if stat.S_ISDIR(found.st_mode) and path not in full)


def look_through(folder: Path) -> Found:
    """What a folder holds; Unfit with everything that a tree cannot hold."""
    stats: dict[str, os.stat_result] = {}
    goals: dict[str, str] = {}
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        with os.scandir(folder / inside) as entries:
            for entry in entries:
                path = f"{inside}{entry.name}"
                stats[path] = entry.stat(follow_symlinks=False)
                if entry.is_symlink():
                    goals[path] = os.readlink(entry.path)
                elif entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{path}/")
    found = Found(dict(sorted(stats.items(), key=lambda item: os.fsencode(item[0]))), goals)
    if problems := list(_problems(found)):
        raise Unfit("; ".join(problems))
    return found


def copy_in(source: Path, found: Found, target: Path) -> list[Item]:
    """Copy what was found in `source` to the empty folder `target`; its receipt's items."""
    items = [Item(kind=FOLDER, path=path) for path in found.empty]
    for path, status in found.stats.items():
        place = target / path
        if (goal := found.goals.get(path)) is not None:
            os.symlink(goal, place)
            items.append(Item(kind=LINK, path=path, goal=goal))
        elif stat.S_ISDIR(status.st_mode):
            place.mkdir()
        else:
            digest, size = copy_file(source / path, place)
            items.append(_kept(place, path, status, size, digest))
    return items


def move_in(found: Found, target: Path) -> list[Item]:
    """The receipt's items of what was found in a folder that was moved to `target`; its files become the store's."""
    items = [Item(kind=FOLDER, path=path) for path in found.empty]
    items += [Item(kind=LINK, path=path, goal=goal) for path, goal in found.goals.items()]
    aside = target.with_name(f"{target.name}.own")
    for path, status in found.stats.items():
        if not stat.S_ISREG(status.st_mode):
            continue
        place, size = target / path, status.st_size
        if status.st_nlink > 1:  # it has another name somewhere, by which it could be written to
            digest, size = copy_file(place, aside)
            os.replace(aside, place)
        else:
            with place.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        items.append(_kept(place, path, status, size, digest))
    return items


def is_there(folder: Path, item: Item) -> bool:
    """Whether the folder of a tree holds this, as far as can be seen without reading files."""
    place = os.path.join(folder, item.path)
    try:
        status = os.lstat(place)
        if item.kind == LINK:
            return os.readlink(place) == item.goal
    except OSError:
        return False
    if item.kind == FOLDER:
        return stat.S_ISDIR(status.st_mode)
    executable = bool(status.st_mode & stat.S_IXUSR)
    return stat.S_ISREG(status.st_mode) and (status.st_size, executable) == (item.size, item.kind == PROGRAM)


def copy_file(source: Path, target: Path) -> tuple[str, int]:
    """Copy bytes to a new file; their SHA-256 in hexadecimal, and how many they are."""
    state = hashlib.sha256()
    size = 0
    with source.open("rb", buffering=0) as reading, target.open("xb", buffering=0) as writing:
        while chunk := reading.read(_CHUNK):
            state.update(chunk)
            size += len(chunk)
            view = memoryview(chunk)
            while view:
                view = view[writing.write(view) :]
    return state.hexdigest(), size


def _kept(place: Path, path: str, status: os.stat_result, size: int, digest: str) -> Item:
    executable = bool(status.st_mode & stat.S_IXUSR)
    place.chmod(0o555 if executable else 0o444)
    return Item(kind=PROGRAM if executable else FILE, path=path, size=size, sha256=digest)


def _problems(found: Found) -> Iterator[str]:
    for path, status in found.stats.items():
        yield from _name_problems(path)
        if kind := _SPECIAL.get(stat.S_IFMT(status.st_mode)):
            yield f"{path!r} is {kind}; expected a file, folder or link"
    for path, goal in found.goals.items():
        if _CONTROL.search(goal) or not _is_utf8(goal):
            yield f"{path!r} is a link to {goal!r}; expected UTF-8 without control characters"
        elif _leads_out(path, found.goals):
            yield f"{path!r} is a link that leaves its tree, to {goal!r}"


def _name_problems(path: str) -> Iterator[str]:
    name = path.rpartition("/")[2]  # its folders are told by themselves
    if _CONTROL.search(name):
        yield f"{path!r} has a control character in its name"
    elif not _is_utf8(name):
        yield f"{path!r} is not UTF-8"


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _leads_out(link: str, goals: Mapping[str, str]) -> bool:
    """Whether a link, followed through all other links on its way, arrives at or passes above the root of its tree."""
    at = link.split("/")[:-1]
    waiting = [os.path.basename(link)]
    hops = 0
    while waiting:
        part = waiting.pop()
        if part == "..":
            if not at:
                return True
            at.pop()
        elif part not in ("", "."):
            at.append(part)
            goal = goals.get("/".join(at))
            if goal is not None:
                hops += 1
                if hops > _MOST_HOPS:  # a circle: whatever leads out of it is told by itself
                    return False
                if goal.startswith("/"):
                    return True
                at.pop()
                waiting.extend(reversed(goal.split("/")))
    return not at
