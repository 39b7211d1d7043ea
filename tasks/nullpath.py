"""The null path: finds from stats alone that nothing changed, before anything slow is imported.

While every file and folder that the graph was read from, every input and every artifact still has the stat it
had when all was fresh, there is nothing to do: no manifest is parsed, no folder listed, no file read. This
module and what it imports must start fast: only sqlite3 and small modules of the standard library.
"""

import hashlib
import os
import sqlite3
import sys
import zlib
from array import array
from collections.abc import Iterable

# Of the trace (tasks/engine/trace/), which costs more to import.
FOLDER = ".packyard"
FILE = "trace.sqlite"
VERSION = 2
MANIFEST = "packyard.toml"
ARTIFACTS = "dist"  # the folder of final artifacts

VARIABLES = ("SOURCE_DATE_EPOCH", "PACKYARD_PRIVATE_KEY", "PACKYARD_KEY_SEED", "FLAVOR_SEED", "PACKYARD_CONFIG_DIR")
ABSENT = (0, 0, 0, 0)  # stands for the stat of a path where nothing is: no file has the inode 0
_INO = (1 << 63) - 1
_ROW = "SELECT name, CAST(deps AS BLOB), CAST(paths AS BLOB), CAST(stats AS BLOB), fresh FROM target"


def find_root(start: str) -> str | None:
    """The nearest folder at or above `start` that holds a workspace manifest."""
    folder = os.path.abspath(start)
    while not os.path.exists(os.path.join(folder, MANIFEST)):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return folder


def identity(variables: Iterable[str], salt: str) -> str:
    """What the graph depends on besides files: the Python that runs, and variables. Salted, because a seed may be
    guessed from a bare digest; hashed, because a secret must not be stored."""
    state = hashlib.sha256(f"packyard\0{salt}\0{sys.version}\0{sys.base_prefix}".encode())
    for name in variables:
        state.update(f"\0{name}\0{os.environ.get(name)}".encode("utf-8", "surrogateescape"))
    return f"{salt}:{state.hexdigest()}"


def seal(name: bytes, deps: bytes, paths: bytes, stats: bytes) -> int:
    """What stands in the column `fresh` of a target that is fresh, made from the columns that say so: never 0, and
    nothing that a flipped bit or another row's value could produce."""
    return 1 << 32 | zlib.crc32(b"\0\0".join((name, deps, paths, stats)))


class Looked:
    """What the stats of all files showed: `graph` are the positions of those that the graph was read from and that have
    changed (None when there is no graph for this environment), `fresh` the targets that are marked fresh and whose own
    files have not changed, out of `known` that were looked at; `needed` is the number there should be."""

    __slots__ = ("fresh", "graph", "known", "needed")

    def __init__(self, graph: list[int] | None, fresh: list[str], known: int, needed: int) -> None:
        self.graph = graph
        self.fresh = fresh
        self.known = known
        self.needed = needed

    @property
    def all_fresh(self) -> bool:
        """Whether nothing at all has changed."""
        return self.graph == [] and len(self.fresh) == self.known == self.needed


class Early:
    """What the start of the command found out before anything slow was imported: how the files of the workspace look,
    by which descriptor it holds the workspace's lock meanwhile, and when it `started` (by time.monotonic)."""

    __slots__ = ("lock", "looked", "started")

    def __init__(self, lock: int, looked: Looked, started: float) -> None:
        self.lock = lock
        self.looked = looked
        self.started = started


def look(root: str, names: list[str] | None = None) -> Looked:
    """Look at the files of the graph, of `names` (None: of the group `all`), and of what they are made from."""
    path = os.path.join(root, FOLDER, FILE)
    nothing = Looked(None, [], 0, -1)
    if not os.path.exists(path):
        return nothing
    try:
        db = sqlite3.connect(path, isolation_level=None)
        folder = os.open(root, os.O_RDONLY | os.O_CLOEXEC)
    except (sqlite3.Error, OSError):
        return nothing
    try:
        return _look(db, folder, names) if db.execute("PRAGMA user_version").fetchone()[0] == VERSION else nothing
    except (sqlite3.Error, TypeError, AttributeError):  # damaged, or not as we wrote it
        return nothing
    finally:
        os.close(folder)
        db.close()


def fresh_targets(root: str, names: list[str] | None = None) -> int | None:
    """How many targets are fresh when all of `names` (None: the group `all`) and what they are made from are; None when
    something changed or is not known, so that only the full plan can say."""
    looked = look(root, names)
    return looked.known if looked.all_fresh else None


def _look(db: sqlite3.Connection, folder: int, names: list[str] | None) -> Looked:
    graph = db.execute("SELECT identity, variables, needed, CAST(paths AS BLOB), stats FROM graph").fetchone()
    if graph is None or identity(graph[1].split("\0"), graph[0].partition(":")[0]) != graph[0]:
        changed, needed = None, -1
    else:
        changed, needed = _changed(folder, graph[3], graph[4]), graph[2]
    rows: Iterable[tuple[str, bytes, bytes, bytes, int]]
    if names is None:
        rows = db.execute(f"{_ROW} WHERE needed <> 0")
    else:
        rows = closure = _closure(db, names)
        needed = len(closure)
    known = 0
    fresh: list[str] = []
    for name, deps, paths, stats, marked in rows:
        known += 1
        if marked == seal(name.encode(), deps, paths, stats) and not _changed(folder, paths, stats):
            fresh.append(name)
    return Looked(changed, fresh, known, needed)


def _closure(db: sqlite3.Connection, names: list[str]) -> list[tuple[str, bytes, bytes, bytes, int]]:
    """The rows of targets and of all that they are made from; a row that is not marked fresh for a target that was
    never made."""
    rows: dict[str, tuple[str, bytes, bytes, bytes, int]] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in rows:
            continue
        row = db.execute(f"{_ROW} WHERE name = ?", (name,)).fetchone()
        rows[name] = row or (name, b"", b"", b"", 0)
        waiting.extend(row[1].decode("utf-8", "replace").split("\0") if row and row[1] else ())
    return list(rows.values())


def _changed(folder: int, paths: bytes, stats: bytes) -> list[int]:
    """The positions of the paths (as seen from an open folder) whose stats are not these any more."""
    if not paths and not stats:
        return []
    now = array("q")
    for path in paths.split(b"\0"):
        try:
            found = os.stat(path or b".", dir_fd=folder)
        except OSError:
            now.extend(ABSENT)
        else:
            now.extend((found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino & _INO))
    if now.tobytes() == stats:
        return []
    then = array("q", stats[: len(stats) // 8 * 8])
    return [at for at in range(len(now) // 4) if now[4 * at : 4 * at + 4] != then[4 * at : 4 * at + 4]]
