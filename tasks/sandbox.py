"""The folder an action runs in: fresh, holding only its inputs, at a path of fixed length that its key names.

The path is the same for the same key in every workspace of a machine, because compilers let the length and
the spelling of their paths into what they write.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from packyard.tasks.errors import ActionError
from packyard.tasks.exclusion import exclusive, try_exclusive
from packyard.tasks.memo import Look
from packyard.tasks.room import Room
from packyard.tasks.store import Store, full_or
from packyard.tasks.target import Target
from packyard.tasks.trace import Made

_STAGED_TIME = (315532800, 315532800)  # 1980-01-01, the oldest time that every archive format can hold
_CHUNK = 1 << 20


class Changed(Exception):
    """An input was written to after it was planned."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


_in_use: set[Path] = set()


@contextmanager
def room_for(
    target: Target, key: str, *, log: Path, trees: Mapping[str, Path], downloads: Path | None = None
) -> Iterator[Room]:
    """An empty room for the action of `key`; everything in it is removed at the end."""
    place = base() / key[:16]
    try:
        with exclusive(_lock_of(place)):
            _remove(place)
            _in_use.add(place)
            try:
                for name in ("in", "out", "tmp", "home"):
                    (place / name).mkdir(parents=True)
                yield Room(
                    inputs=place / "in", outputs=place / "out", scratch=place / "tmp", home=place / "home",
                    params=target.params, log=log, trees=trees, network=target.network, local=target.local,
                    downloads=downloads,
                )  # fmt: skip
            finally:
                _remove(place)
                _in_use.discard(place)
    except OSError as error:
        raise full_or(error, "the sandbox") from None


def abandon() -> None:
    """Remove every sandbox in use: the run was interrupted and its children are dead."""
    for place in list(_in_use):
        with contextlib.suppress(OSError):
            _remove(place)
            _lock_of(place).unlink(missing_ok=True)


def stage(
    room: Room, root: Path, target: Target, looks: Mapping[str, Look], uses: Mapping[str, Made], store: Store
) -> None:
    """Put the target's inputs in place; Changed when a source is not what was planned, Damaged when a blob is gone.

    Sources are copied, never linked: a link would change the source's ctime, and an action could write through it.
    """
    for source in target.sources:
        look = looks[source.path]
        place = _place(room.inputs, source.at)
        try:
            reading = (root / source.path).open("rb", buffering=0)
        except OSError:
            raise Changed(source.path) from None
        with reading:
            if _copy(reading, place) != look.digest:
                raise Changed(source.path)
        place.chmod(0o755 if look.executable else 0o644)
        os.utime(place, _STAGED_TIME)
    for use in target.uses:
        made = uses[f"{use.target}#{use.part}"]
        if not made.tree:
            place = _place(room.inputs, use.at)
            store.copy_out(made.digest, place, executable=made.executable)
            os.utime(place, _STAGED_TIME)


def collect(room: Room, target: Target, store: Store) -> dict[str, Made]:
    """Take the target's outputs into the store; ActionError when one is missing or is not what was declared."""
    made: dict[str, Made] = {}
    for output in target.outputs:
        path = room.outputs / output.at
        if path.is_symlink() or not (path.is_dir() if output.tree else path.is_file()):
            wanted = "folder" if output.tree else "file"
            raise ActionError(f"the action ended well but left no {wanted} '{output.at}'")
        made[output.part] = store.take_tree(path) if output.tree else store.take(path)
    return made


def sweep() -> None:
    """Remove what killed runs left behind."""
    for place in {path.with_suffix("") for path in base().iterdir()}:
        with contextlib.suppress(OSError):  # another run sweeps too
            lock = try_exclusive(_lock_of(place))
            if lock is not None:
                try:
                    _remove(place)
                    _lock_of(place).unlink(missing_ok=True)
                finally:
                    os.close(lock)


def base() -> Path:
    """The folder of all sandboxes of this user, made if need be; ActionError when it is not ours alone."""
    path = Path("/tmp") / f"packyard-{os.getuid():010d}"  # /tmp, not TMPDIR: the length must be fixed
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise ActionError(f"{path}: the folder for sandboxes cannot be made: {error.strerror}") from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise ActionError(f"{path}: is not a folder of this user's, sandboxes cannot be made there", hint="remove it")
    return path


def _lock_of(place: Path) -> Path:
    return place.with_name(f"{place.name}.lock")


def _place(folder: Path, at: str) -> Path:
    place = folder / at
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def _copy(reading: BinaryIO, target: Path) -> bytes:
    state = hashlib.sha256()
    with target.open("xb", buffering=0) as writing:
        while chunk := reading.read(_CHUNK):
            state.update(chunk)
            view = memoryview(chunk)
            while view:
                view = view[writing.write(view) :]
    return state.digest()


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        try:
            shutil.rmtree(path)
        except PermissionError:  # tools leave read-only folders
            for folder, _, _ in os.walk(path):
                os.chmod(folder, 0o700)
            shutil.rmtree(path)
