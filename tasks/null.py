"""The null path: tells that nothing changed from stats alone, before anything slow is imported.

While every file and folder that the graph was read from, every input and every artifact still has the stat it
had when all was fresh, there is nothing to do: no manifest is parsed, no folder listed, no file read. This
module and what it imports must start fast: only sqlite3 and small modules of the standard library.
"""

import hashlib
import os
import sqlite3
import sys
from array import array
from collections.abc import Iterable

# The names stand here and not in tasks/trace.py, which costs more to import; a test compares them.
FOLDER = ".packyard"
FILE = "trace.sqlite"
VERSION = 1
MANIFEST = "packyard.toml"

VARIABLES = ("SOURCE_DATE_EPOCH", "PACKYARD_PRIVATE_KEY", "PACKYARD_KEY_SEED", "FLAVOR_SEED", "PACKYARD_CONFIG_DIR")
_INO = (1 << 63) - 1


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
    """What the graph depends on beside files: the Python that runs, and variables. Salted, because a seed may be
    guessed from a bare digest; hashed, because a secret must not be stored."""
    state = hashlib.sha256(f"packyard\0{salt}\0{sys.version}\0{sys.base_prefix}".encode())
    for name in variables:
        state.update(f"\0{name}\0{os.environ.get(name)}".encode("utf-8", "surrogateescape"))
    return f"{salt}:{state.hexdigest()}"


def fresh_targets(root: str, names: list[str] | None = None) -> int | None:
    """How many targets are fresh when all of `names` (None: the group `all`) and what they are made from are;
    None when something changed or is not known, so that only the full plan can tell."""
    path = os.path.join(root, FOLDER, FILE)
    if not os.path.exists(path):
        return None
    try:
        db = sqlite3.connect(path, isolation_level=None)
        try:
            return _fresh(db, root, names)
        finally:
            db.close()
    except sqlite3.Error:
        return None


def _fresh(db: sqlite3.Connection, root: str, names: list[str] | None) -> int | None:
    if db.execute("PRAGMA user_version").fetchone()[0] != VERSION:
        return None
    graph = db.execute("SELECT identity, variables, needed, CAST(paths AS BLOB), stats FROM graph").fetchone()
    if graph is None or identity(graph[1].split("\0"), graph[0].partition(":")[0]) != graph[0]:
        return None
    back = os.getcwd()
    os.chdir(root)  # relative paths are shorter to look up; nothing else runs yet
    try:
        if not _unchanged(graph[3], graph[4]):
            return None
        if names is None:
            rows = db.execute("SELECT CAST(paths AS BLOB), stats, fresh FROM target WHERE needed <> 0").fetchall()
            if len(rows) != graph[2]:
                return None
        else:
            rows = _closure(db, names)
        if all(fresh and _unchanged(paths, stats) for paths, stats, fresh in rows):
            return len(rows)
        return None
    finally:
        os.chdir(back)


def _closure(db: sqlite3.Connection, names: list[str]) -> list[tuple[bytes, bytes, int]]:
    query = "SELECT CAST(paths AS BLOB), stats, fresh, deps FROM target WHERE name = ?"
    rows: dict[str, tuple[bytes, bytes, int]] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in rows:
            continue
        row = db.execute(query, (name,)).fetchone()
        if row is None:
            return [(b"", b"", 0)]
        rows[name] = row[:3]
        waiting.extend(row[3].split("\0") if row[3] else ())
    return list(rows.values())


def _unchanged(paths: bytes, stats: bytes) -> bool:
    if not paths and not stats:
        return True
    now = array("q")
    try:
        for path in paths.split(b"\0"):
            found = os.stat(path or b".")
            now.extend((found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino & _INO))
    except OSError:
        return False
    return now.tobytes() == stats
