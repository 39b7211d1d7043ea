"""Artifacts in the workspace: each put there whole or not at all, and removed only while it is still what was made."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packyard.tasks.engine.build.folders import artifact_paths, file_source, remove_empty, with_files
from packyard.tasks.engine.graph.graph import Graph
from packyard.tasks.engine.store.blobs import full_or
from packyard.tasks.engine.store.store import Store
from packyard.tasks.engine.trace.record import Record
from packyard.tasks.host.atomic import replacing
from packyard.tasks.nullpath import FOLDER
from packyard.tasks.target.target import Made, Target
from packyard.tasks.workspace.memo import Look, Memo, pack_stat


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What a target made, by part, of a folder that the workspace keeps also each file; and where it lies: part ->
    path."""

    outputs: Mapping[str, Made]
    paths: Mapping[str, str]


class Artifacts:
    """The files that targets keep in one workspace. `removed` lists those that a run took away."""

    def __init__(self, root: Path, graph: Graph, memo: Memo) -> None:
        self.removed: list[str] = []
        self._root = root
        self._graph = graph
        self._memo = memo

    def place(self, target: Target, outputs: Mapping[str, Made], store: Store) -> Placed:
        """Put what a target made where the workspace keeps it, if it does not lie there. ActionError when a disk is
        full; Damaged when the store lost a blob."""
        outputs = with_files(target, outputs, store)
        paths = artifact_paths(target, outputs)
        for part, path in paths.items():
            if not self._is(path, outputs[part]):
                try:
                    self._write(path, outputs[part], file_source(part, outputs, store))
                except OSError as error:
                    raise full_or(error, path) from None
        return Placed(outputs=outputs, paths=paths)

    def retire(self, record: Record | None, *, keep: Collection[str] = ()) -> None:
        """Remove what a record tells of, but for the paths to `keep` and those that a target of the graph makes now."""
        if record is None:
            return
        for part, path in record.artifacts.items():
            if path in keep or path in self._graph.owners:
                continue
            if self._holds(path, record.outputs[part].digest):
                with contextlib.suppress(OSError):
                    self._unlink(path)
                    self.removed.append(path)

    def discard(self, target: Target, record: Record | None, *, dry_run: bool = False) -> Iterator[tuple[str, bool]]:
        """Remove the artifacts of a target that are still what it made here; each path that is there, and whether it
        is removed (with `dry_run`: would be)."""
        made = {path: record.outputs[part].digest for part, path in record.artifacts.items()} if record else {}
        declared = [o.artifact for o in target.outputs if o.artifact and not (o.tree and made)]
        for path in dict.fromkeys([*made, *declared]):
            if os.path.lexists(self._root / path):
                ours = path in made and self._holds(path, made[path])
                if ours and not dry_run:
                    self._unlink(path)
                yield path, ours

    def _is(self, path: str, made: Made) -> bool:
        look = self._memo.look(path)
        return look is not None and (look.digest.hex(), look.executable) == (made.digest, made.executable)

    def _holds(self, path: str, digest: str) -> bool:
        look = self._memo.look(path)
        return look is not None and look.digest.hex() == digest

    def _unlink(self, path: str) -> None:
        (self._root / path).unlink()
        self._memo.forget(path)
        remove_empty(self._root, path)

    def _write(self, path: str, made: Made, copy_to: Callable[[Path], None]) -> None:
        final = self._root / path
        aside = self._root / FOLDER / "tmp" / f"{made.digest}-{threading.get_ident()}"
        aside.parent.mkdir(exist_ok=True)
        final.parent.mkdir(parents=True, exist_ok=True)
        aside.unlink(missing_ok=True)
        try:
            copy_to(aside)
            # A time just past: whoever writes to the file later, be it in the same tick of the clock, is seen.
            past = time.time_ns() - 1_000_000_000
            os.utime(aside, ns=(past, past))
            try:
                os.replace(aside, final)
            except OSError as error:
                if error.errno != errno.EXDEV:  # dist/ may be a mount of its own
                    raise
                with replacing(final) as sibling:
                    shutil.copy2(aside, sibling)
        finally:
            aside.unlink(missing_ok=True)
        found = final.stat()
        if (found.st_size, found.st_mtime_ns) == (made.size, past):
            look = Look(pack_stat(found), made.executable, bytes.fromhex(made.digest), bytes(16))
            self._memo.made(path, look)  # without its xxh3, which is only a shortcut
        else:
            self._memo.forget(path)  # somebody wrote to it at once


def size_of(path: Path) -> int:
    """The bytes of a file, or of all files in a folder."""
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file()) if path.is_dir() else path.stat().st_size
