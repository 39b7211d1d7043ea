"""The content-addressed store: blobs by SHA-256, trees by receipt, results by action key; shared by all workspaces.

store/v2/blob/ab/cdef...    a file's bytes, read-only
store/v2/tree/abcdef...     a folder (a toolchain), read-only, beside it its receipt as a blob
store/v2/result/ab/cdef...  JSON: what the action of this key made, and a sum over that and the key
store/v2/run/NAME/KEY       JSON: what an earlier run of a target was made from (tasks/engine/store/runs.py)
store/v2/tmp/               files on their way in
store/v2/used               empty: a build has used it, and said which older stores lie beside it
store/v2/in-use             a lock: held shared by whoever uses the store, alone by who removes from it

The mtime of a blob, a tree or a result tells when it was last used (tasks/engine/store/upkeep.py goes by it).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from packyard.tasks.engine.store.blobs import Blobs, discard, touch
from packyard.tasks.engine.store.trees import Trees
from packyard.tasks.errors import ActionError
from packyard.tasks.host.filelock import exclusive, take_shared
from packyard.tasks.target.target import Made

FORMAT = "v2"  # of the store: the folder below its own that holds all of it
OLDER = ("v1",)  # formats that were
_USED = "used"
IN_USE = "in-use"
RUNS = "run"
DOWNLOADS = "download"  # files of the package index, by their SHA-256
_LEFT_OVER = 86_400  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What an action made, by part, how long it took in seconds, and its log's digest."""

    outputs: Mapping[str, Made]
    seconds: float
    log: str


def downloads_in(folder: Path) -> Path:
    """Where the store below `folder` keeps files of the package index; nothing is made."""
    return folder / FORMAT / DOWNLOADS


class Store(Blobs):
    """The store below `folder`. Every method is safe against other threads and processes that use it too."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / FORMAT)
        self.trees = Trees(Blobs(self.folder))
        try:
            for name in ("blob", "tree", "result", RUNS, "tmp", "lock"):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ActionError(f"{folder}: the store cannot be made: {error.strerror}") from None
        self.downloads = downloads_in(folder)
        self._sweep()
        self._held: weakref.finalize[[int], Store] | None = None

    def first_use(self) -> list[Path]:
        """The stores of earlier formats beside this one, when it is used for the first time, else none: they are left
        alone, since an earlier Packyard may go on with them."""
        mark = self.folder / _USED
        if mark.exists():
            return []
        self.write(mark, b"")
        return [path for name in OLDER if (path := self.folder.with_name(name)).is_dir()]

    def hold(self, waiting: Callable[[], None] | None = None) -> None:
        """Keep others from removing anything until `close`; `waiting` is called once when somebody is doing so now."""
        if self._held is None:
            self._held = weakref.finalize(self, os.close, take_shared(self.folder / IN_USE, waiting=waiting))

    def close(self) -> None:
        """Let others remove what they like."""
        if self._held is not None:
            self._held()
            self._held = None

    # results -------------------------------------------------------------------------------------------------

    def result(self, key: str) -> Result | None:
        """What the action of this key made, None when it is not known or an artifact of it is gone."""
        try:
            values = json.loads(self.entry("result", key).read_bytes())
            outputs = {part: Made(**made) for part, made in values["outputs"].items()}
            found = Result(outputs=outputs, seconds=values["seconds"], log=values["log"])
            if values["sum"] != _sum(key, asdict(found)):
                raise ValueError
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError):
            self.entry("result", key).unlink(missing_ok=True)  # torn, foreign or of another key: make it again
            return None
        if not all(self.holds(made) for made in outputs.values()):
            return None
        touch(self.entry("result", key))
        return found

    def holds(self, made: Made) -> bool:
        """Whether an artifact can be handed out."""
        return self.has(made.digest) and (not made.tree or self.trees.has(made.digest))

    def keep(self, key: str, result: Result) -> None:
        """Remember what the action of this key made."""
        values = asdict(result)
        text = json.dumps({**values, "sum": _sum(key, values)}, separators=(",", ":"))
        self.write(self.entry("result", key), text.encode())

    def write(self, entry: Path, data: bytes) -> None:
        """Write a small entry of the store, whole or not at all; ActionError when that cannot be done."""
        with self.incoming() as target:
            target.write_bytes(data)
            self.settle(target, entry)

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
                    discard(path)


def _sum(key: str, values: Mapping[str, Any]) -> str:
    """What tells a result that was altered, or put in the place of another key's."""
    return hashlib.sha256(f"{key} {json.dumps(values, sort_keys=True)}".encode()).hexdigest()
