"""The file of a trace: its tables, and opening it whatever state it is in."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from packyard.tasks.errors import ActionError
from packyard.tasks.nullpath import FILE, FOLDER, VERSION

# needed: 1 belongs to the group `all` (or is used by it), 0 is built by name only, -1 is in no graph any more
_SCHEMA = """
CREATE TABLE target (
  name TEXT PRIMARY KEY, needed INTEGER NOT NULL, fresh INTEGER NOT NULL, deps TEXT NOT NULL,
  paths BLOB NOT NULL, stats BLOB NOT NULL, looks BLOB NOT NULL, record TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE failure (
  name TEXT PRIMARY KEY, at REAL NOT NULL, seconds REAL NOT NULL, key TEXT NOT NULL, message TEXT NOT NULL,
  log TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE graph (
  id INTEGER PRIMARY KEY CHECK (id = 1), identity TEXT NOT NULL, variables TEXT NOT NULL, needed INTEGER NOT NULL,
  maker TEXT NOT NULL, paths BLOB NOT NULL, stats BLOB NOT NULL, questions TEXT NOT NULL, answers BLOB NOT NULL
);
CREATE TABLE graphtext (id INTEGER PRIMARY KEY CHECK (id = 1), text BLOB NOT NULL);
"""


def open_database(path: Path, *, readonly: bool) -> tuple[sqlite3.Connection, str]:
    """The database of a trace, and what the user should hear about it: that one which cannot be used was set aside. Who
    only reads gets an empty one in its place. ActionError when it cannot be opened."""
    if readonly and not path.exists():
        return _fresh(":memory:"), ""
    try:
        db = _connect(path) if not readonly or os.access(path.parent, os.W_OK) else _connect_readonly(path)
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version == VERSION:
            check = db.execute("PRAGMA quick_check(1)").fetchone()[0]  # 2 ms for a thousand targets
            if check == "ok":
                return db, ""
            found = f"is corrupt ({' '.join(check.split())})"
        elif version == 0 and not db.execute("SELECT name FROM sqlite_master LIMIT 1").fetchone():
            return _create(db), ""
        else:
            found = f"was written by another version (format {version}, this is {VERSION})"
        db.close()
    except sqlite3.OperationalError as error:  # no space, no permission, no answer: nothing is wrong with the file
        if not readonly:
            raise ActionError(f"{FOLDER}/{FILE}: cannot be opened: {error}") from None
        return _fresh(":memory:"), ""
    except sqlite3.DatabaseError as error:
        found = f"is corrupt ({error})"
    if readonly:
        return _fresh(":memory:"), ""
    aside = path.with_name(f"{FILE}.{time.time_ns()}.aside")
    os.replace(path, aside)
    for suffix in ("-wal", "-shm"):
        path.with_name(FILE + suffix).unlink(missing_ok=True)
    advice = f"it was set aside as {aside.name}; artifacts are restored from the store"
    return _create(_connect(path)), f"{FOLDER}/{FILE}: {found}; {advice}"


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=60)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    return db


def _connect_readonly(path: Path) -> sqlite3.Connection:
    # Where SQLite cannot write it must be told that no writer is there, unless one left its journal.
    mode = "mode=ro" if path.with_name(f"{FILE}-wal").exists() else "immutable=1"
    uri = f"{path.absolute().as_uri()}?{mode}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=60)


def _create(db: sqlite3.Connection) -> sqlite3.Connection:
    db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
    return db


def _fresh(place: str) -> sqlite3.Connection:
    return _create(sqlite3.connect(place, isolation_level=None, check_same_thread=False))
