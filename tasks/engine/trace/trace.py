"""What each target was made from: one row per target in `.packyard/trace.sqlite`, committed as each target ends.

A row has two halves. `record` tells what the target was made from and what came out. `paths`, `stats` and
`looks` remember the files as last looked at; `fresh` says that then both halves agreed (by a sum over what tells so:
nullpath.seal), or is 0. The null path (tasks/nullpath.py) reads only the second half. Paths are kept as the bytes the
system knows them by.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import struct
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from packyard.tasks import nullpath
from packyard.tasks.engine.trace.database import open_database
from packyard.tasks.engine.trace.record import Record, read_record, record_text
from packyard.tasks.errors import ActionError
from packyard.tasks.nullpath import FILE, FOLDER
from packyard.tasks.workspace.memo import PACKED_STAT, Look, Stat

_GRAPH = (str, str, int, str, bytes, bytes, str, bytes, bytes)  # the columns of a stored graph, as they are asked for
_PIECE = 500  # rows at once
_LOOK = struct.Struct("<?32s16s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How a target last failed. `seconds` it took; `at` is a Unix time."""

    at: float
    seconds: float
    key: str
    message: str
    log: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredGraph:
    """The graph of the last run (`text`), and what it depends on: the environment (`identity` is a digest of
    `variables`), Packyard and Python (`maker`), and files and folders: `paths` joined by NUL, with their stats, and
    what each was asked and answered (tasks/engine/graph/stored.py packs them).

    `needed` counts the targets of the group `all` and what they are made from.
    """

    identity: str
    variables: tuple[str, ...]
    needed: int
    maker: str
    paths: bytes
    stats: bytes
    questions: tuple[str, ...]
    answers: bytes
    text: bytes


class Trace:
    """The trace of one workspace. Safe to use from several threads; writers of other processes wait for the lock."""

    def __init__(self, root: Path, *, readonly: bool = False) -> None:
        self._lock = threading.Lock()
        path = root / FOLDER / FILE
        try:
            if not readonly:
                path.parent.mkdir(exist_ok=True)
            self._db, self.notice = open_database(path, readonly=readonly)
        except OSError as error:
            raise ActionError(f"{path.parent}: cannot be made: {error.strerror}") from None

    def close(self) -> None:
        """Write everything back; the trace cannot be used afterwards."""
        self._db.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield self._db
                self._db.execute("COMMIT")
            except sqlite3.OperationalError as error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise ActionError(f"{FOLDER}/{FILE}: cannot be written: {error}") from None

    # records -------------------------------------------------------------------------------------------------

    def record(self, name: str) -> Record | None:
        """What `name` was last made from, None when it never was."""
        with self._lock:
            row = self._db.execute("SELECT record FROM target WHERE name = ?", (name,)).fetchone()
        return read_record(name, row[0]) if row else None

    def recall(self, names: Sequence[str]) -> Iterator[tuple[str, dict[str, Look], Record | None]]:
        """Looks and record of each of these targets that has any, read in large pieces."""
        for start in range(0, len(names), _PIECE):
            piece = names[start : start + _PIECE]
            query = (
                "SELECT name, CAST(paths AS BLOB), stats, looks, record FROM target"
                f" WHERE name IN ({','.join('?' * len(piece))})"
            )
            with self._lock:
                rows = self._db.execute(query, piece).fetchall()
            for name, paths, stats, looks, text in rows:
                found: dict[str, Look] = {}
                with contextlib.suppress(struct.error, TypeError):  # not as we wrote it: looked at anew
                    found = _looks(paths, stats, looks)
                yield name, found, read_record(name, text)

    def commit(
        self,
        name: str,
        record: Record,
        looks: Mapping[str, Look],
        *,
        needed: bool,
        deps: Sequence[str],
        dependents: Sequence[str],
    ) -> None:
        """Remember that `name` was made, in one transaction. Its dependents must be judged again."""
        with self._writing() as db:
            joined, (paths, stats, packed) = "\0".join(deps), _pack(looks)
            fresh = nullpath.seal(name.encode(), joined.encode(), paths, stats)
            db.execute(
                "INSERT OR REPLACE INTO target VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (name, int(needed), fresh, joined, paths, stats, packed, record_text(name, record)),
            )
            db.executemany("UPDATE target SET fresh = 0 WHERE name = ?", [(other,) for other in dependents])
            db.execute("DELETE FROM failure WHERE name = ?", (name,))

    def refresh(self, looked: Mapping[str, Mapping[str, Look] | None]) -> None:
        """Remember how the files of targets look now: fresh ones by their looks, stale ones by None."""
        fresh = [(*_pack(looks), name) for name, looks in looked.items() if looks is not None]
        stale = [(name,) for name, looks in looked.items() if looks is None]
        with self._writing() as db:
            db.create_function("seal", 4, nullpath.seal)
            db.executemany("UPDATE target SET paths = ?, stats = ?, looks = ? WHERE name = ?", fresh)
            seal = "seal(CAST(name AS BLOB), CAST(deps AS BLOB), paths, stats)"
            db.executemany(f"UPDATE target SET fresh = {seal} WHERE name = ?", [(name,) for *_, name in fresh])
            db.executemany("UPDATE target SET fresh = 0 WHERE name = ?", stale)

    def fresh(self) -> set[str]:
        """The targets that are marked fresh: they were when their files looked as remembered."""
        with self._lock:
            return {row[0] for row in self._db.execute("SELECT name FROM target WHERE fresh <> 0")}

    def forget(self, names: Iterable[str]) -> None:
        """Drop what is remembered of these targets."""
        with self._writing() as db:
            db.executemany("DELETE FROM target WHERE name = ?", [(name,) for name in names])

    def seconds(self, names: Iterable[str]) -> dict[str, float]:
        """How long each of these targets took when its action last ran; those that never did are left out."""
        query = "SELECT json_extract(record, '$.seconds') FROM target WHERE name = ?"
        with self._lock:
            found: dict[str, float] = {}
            for name in names:
                with contextlib.suppress(sqlite3.OperationalError):  # not as we wrote it
                    row = self._db.execute(query, (name,)).fetchone()
                    if row is not None and isinstance(row[0], (int, float)):
                        found[name] = float(row[0])
        return found

    def records(self) -> dict[str, Record]:
        """Everything that is remembered, by target, sorted."""
        with self._lock:
            rows = self._db.execute("SELECT name, record FROM target ORDER BY name").fetchall()
        return {name: record for name, text in rows if (record := read_record(name, text))}

    def orphans(self) -> dict[str, Record | None]:
        """The records of targets that no graph has any more, None for one that cannot be read."""
        return self._needed(-1)

    def optional(self) -> dict[str, Record | None]:
        """The records of targets that are built by name only, None for one that cannot be read."""
        return self._needed(0)

    def _needed(self, needed: int) -> dict[str, Record | None]:
        with self._lock:
            rows = self._db.execute("SELECT name, record FROM target WHERE needed = ?", (needed,)).fetchall()
        return {name: read_record(name, text) for name, text in rows}

    # failures ------------------------------------------------------------------------------------------------

    def fail(self, name: str, failure: Failure) -> None:
        """Remember a failure; what was made before stays known."""
        with self._writing() as db:
            values = asdict(failure) | {"message": failure.message.encode(errors="backslashreplace").decode()}
            db.execute("INSERT OR REPLACE INTO failure VALUES (?, ?, ?, ?, ?, ?)", (name, *values.values()))

    def failure(self, name: str) -> Failure | None:
        """How `name` failed when it was last tried, None when it did not."""
        with self._lock:
            row = self._db.execute(
                "SELECT at, seconds, key, message, log FROM failure WHERE name = ?", (name,)
            ).fetchone()
        return Failure(at=row[0], seconds=row[1], key=row[2], message=row[3], log=row[4]) if row else None

    # the graph -----------------------------------------------------------------------------------------------

    def graph(self) -> StoredGraph | None:
        """The graph of the last run."""
        with self._lock:
            row = self._db.execute(
                "SELECT identity, variables, needed, maker, CAST(paths AS BLOB), stats, questions, answers, text"
                " FROM graph JOIN graphtext USING (id)"
            ).fetchone()
        if row is None or tuple(map(type, row)) != _GRAPH or row[8][:4] != _checksum(row[8][4:]):
            return None  # not as we wrote it: the manifests are read again
        return StoredGraph(
            identity=row[0], variables=_split(row[1]), needed=row[2], maker=row[3], paths=row[4], stats=row[5],
            questions=_split(row[6]), answers=row[7], text=row[8][4:],
        )  # fmt: skip

    def keep_graph(
        self, graph: StoredGraph, needed: Mapping[str, bool], changed: Iterable[str], *, text: bool = True
    ) -> None:
        """Replace the graph. Targets that are not in `needed` become orphans, those `changed` must be judged again.
        Without `text`, only what the graph depends on has changed."""
        row = (
            graph.identity, "\0".join(graph.variables), graph.needed, graph.maker, graph.paths, graph.stats,
            "\0".join(graph.questions), graph.answers,
        )  # fmt: skip
        with self._writing() as db:
            db.execute(f"INSERT OR REPLACE INTO graph VALUES (1{', ?' * len(row)})", row)
            if text:
                checksum = _checksum(graph.text)
                size = len(checksum) + len(graph.text)
                db.execute("INSERT OR REPLACE INTO graphtext VALUES (1, zeroblob(?))", (size,))
                with db.blobopen("graphtext", "text", 1) as blob:  # as a parameter it would be copied thrice
                    blob.write(checksum)
                    blob.write(graph.text)
                db.execute("UPDATE target SET needed = -1")
                db.executemany("UPDATE target SET needed = ? WHERE name = ?", [(int(n), t) for t, n in needed.items()])
                db.execute("UPDATE target SET fresh = 0 WHERE needed = -1")
            db.executemany("UPDATE target SET fresh = 0 WHERE name = ?", [(name,) for name in changed])


def _pack(looks: Mapping[str, Look]) -> tuple[bytes, bytes, bytes]:
    return (
        os.fsencode("\0".join(looks)),
        b"".join(PACKED_STAT.pack(*look.stat) for look in looks.values()),
        b"".join(_LOOK.pack(look.executable, look.digest, look.sum) for look in looks.values()),
    )


def _looks(paths: bytes, stats: bytes, looks: bytes) -> dict[str, Look]:
    return {path: Look(stat, *look) for path, stat, look in zip(_paths(paths), _stats(stats), _LOOK.iter_unpack(looks))}


def _paths(packed: bytes) -> list[str]:
    return os.fsdecode(packed).split("\0")  # '' is the root, so nothing at all is told by the stats


def _split(joined: str) -> tuple[str, ...]:
    return tuple(joined.split("\0")) if joined else ()


def _stats(packed: bytes) -> Iterator[Stat]:
    return ((size, mtime, ctime, inode) for size, mtime, ctime, inode in PACKED_STAT.iter_unpack(packed))


def _checksum(text: bytes) -> bytes:
    """What stands before the graph's text: a flipped bit in it would build something else, and call that right."""
    return zlib.crc32(text).to_bytes(4, "little")
