"""The folder an action runs in: fresh, holding only its inputs, at a path of fixed length that its key names.

The path is the same for the same key in every workspace of a machine, because compilers let the length and
the spelling of their paths into what they write.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from packyard.formats.privatekey import LOOKED_AT, private_key_in
from packyard.tasks.engine.store.blobs import full_or
from packyard.tasks.engine.store.intake import Unfit
from packyard.tasks.engine.store.store import Store
from packyard.tasks.errors import ActionError
from packyard.tasks.host.filelock import exclusive, try_exclusive
from packyard.tasks.host.removal import Disposal, remove
from packyard.tasks.target.keyguard import refuse_key, refuse_written_keys
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Made, Target
from packyard.tasks.workspace.memo import Look

_STAGED_TIME = (315532800, 315532800)  # 1980-01-01, the oldest time that every archive format can hold
_CHUNK = LOOKED_AT  # bytes: the first read of a file tells whether it is a private key


class Changed(Exception):
    """An input was written to after it was planned."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


_in_use: set[Path] = set()
_disposal = Disposal()


@contextmanager
def room_for(
    target: Target, key: str, *, log: Path, trees: Mapping[str, Path], downloads: Path | None = None
) -> Iterator[Room[Any]]:
    """An empty room for the action of `key`. At the end it is put aside, and everything in it removed while others
    work: a disk may take longer for that than the action took."""
    place = base() / key[:16]
    try:
        with exclusive(_lock_of(place)):
            remove(place)
            _in_use.add(place)
            try:
                for folder in (place, *(place / name for name in ("in", "out", "tmp", "home"))):
                    folder.mkdir()
                yield Room(
                    inputs=place / "in", outputs=place / "out", scratch=place / "tmp", home=place / "home",
                    params=target.params, log=log, trees=trees, network=target.network, local=target.local,
                    downloads=downloads,
                )  # fmt: skip
            finally:
                _put_aside(place)
                _in_use.discard(place)
    except OSError as error:
        raise full_or(error, "the sandbox") from None


def settle() -> None:
    """Wait until the sandboxes whose actions have ended are gone; the next run sweeps what is left."""
    _disposal.settle()


def abandon() -> None:
    """Remove every sandbox that is left: the run was interrupted and its children are dead."""
    for place in [*_in_use, *_disposal.left]:
        with contextlib.suppress(OSError):
            remove(place)
            _lock_of(place).unlink(missing_ok=True)


def stage(
    room: Room[Any], root: Path, target: Target, looks: Mapping[str, Look], uses: Mapping[str, Made], store: Store
) -> None:
    """Put the target's inputs in place; Changed when a source is not what was planned, Damaged when a blob is gone,
    ActionError when a source is a private key.

    Sources are copied, never linked: a link would change the source's ctime, and an action could write through it.
    """
    staged = [source.at for source in target.sources] + [use.at for use in target.uses]
    for folder in {os.path.dirname(at) for at in staged}:
        (room.inputs / folder).mkdir(parents=True, exist_ok=True)
    for source in target.sources:  # there may be a hundred thousand
        look = looks[source.path]
        try:
            reading = os.open(os.path.join(root, source.path), os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            raise Changed(source.path) from None
        try:
            digest, key = _copy(reading, f"{room.inputs}/{source.at}", 0o755 if look.executable else 0o644)
            if digest != look.digest:
                raise Changed(source.path)
            if key:
                refuse_key(target, source, key)
        except IsADirectoryError:
            raise Changed(source.path) from None
        finally:
            os.close(reading)
    for use in target.uses:
        made = uses[f"{use.target}#{use.part}"]
        if not made.tree:
            store.copy_out(made.digest, room.inputs / use.at, executable=made.executable)
            os.utime(room.inputs / use.at, _STAGED_TIME)


def collect(room: Room[Any], target: Target, store: Store) -> dict[str, Made]:
    """Take the target's outputs into the store; ActionError when one is missing or is not what was declared, or holds
    a private key that nobody expects there."""
    made: dict[str, Made] = {}
    for output in target.outputs:
        path = room.outputs / output.at
        if path.is_symlink() or not (path.is_dir() if output.tree else path.is_file()):
            wanted = "folder" if output.tree else "file"
            raise ActionError(f"the action succeeded but left no {wanted} '{output.at}'")
        refuse_written_keys(target, output, path)
        try:
            made[output.part] = store.trees.take(path) if output.tree else store.take(path)
        except Unfit as error:
            raise ActionError(f"{target.name!r} left what cannot be kept: {error.message}") from None
    return made


def sweep() -> None:
    """Remove what killed runs left behind."""
    for place in {path.with_suffix("") for path in base().iterdir()}:
        with contextlib.suppress(OSError):  # another run sweeps too
            lock = try_exclusive(_lock_of(place))
            if lock is not None:
                try:
                    remove(place)
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
        raise ActionError(f"{path}: the sandbox folder cannot be made: {error.strerror}") from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise ActionError(f"{path}: does not belong to this user, so no sandboxes can be made there", hint="remove it")
    return path


def _lock_of(place: Path) -> Path:
    return place.with_name(f"{place.name}.lock")


def _copy(reading: int, place: str, mode: int) -> tuple[bytes, str]:
    """Copy an open file to a new one of this mode; its SHA-256, and what kind of private key it is, '' for none."""
    state, key = hashlib.sha256(), None
    writing = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        while chunk := os.read(reading, _CHUNK):
            state.update(chunk)
            key = private_key_in(chunk) if key is None else key
            view = memoryview(chunk)
            while view:
                view = view[os.write(writing, view) :]
        os.fchmod(writing, mode)  # which the umask has no part in
        os.utime(writing, _STAGED_TIME)
    finally:
        os.close(writing)
    return state.digest(), key or ""


def _put_aside(place: Path) -> None:
    """Give a sandbox another name, under which it is removed while others work."""
    gone = place.with_name(f"gone-{os.urandom(8).hex()}")
    with contextlib.suppress(FileNotFoundError):  # an interrupted run has removed it under the action
        os.rename(place, gone)
        _disposal.put(gone)
