"""The files of the package index on this machine: each downloaded once, verified, and kept by its digest.

They are in the store, in `download/`, because an action that runs again, in a newer Packyard or for another
application, needs the same bytes. A file is verified each time before it is used; a corrupt one is fetched again.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from packyard.formats.digest import digest_file
from packyard.formats.python.pinned import Pinned
from packyard.tasks.errors import ActionError
from packyard.tasks.host import network
from packyard.tasks.host.atomic import replacing
from packyard.tasks.index.credentials import passwords_in
from packyard.tasks.index.download import download
from packyard.tasks.target.room import Room

_AT_ONCE = 8  # downloads


def fetched_in(room: Room[object], files: Sequence[Pinned]) -> list[Path]:
    """As `fetched`, for an action. A room without a folder for downloads keeps them as long as it exists."""
    indexes = (*room.local.get("indexes", ()), *passwords_in(room.local.get("manifests", ())))
    return fetched(files, room.downloads or room.scratch / "downloads", indexes)


def fetched(files: Sequence[Pinned], folder: Path, indexes: Sequence[str] = ()) -> list[Path]:
    """Where each of the files is; ActionError with every one that is not available, or is not what its digest says.

    `folder` is where downloads are kept, `indexes` are those that the project names (credentials.sign_in).
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ActionError(f"{folder}: cannot keep downloads there: {error.strerror}") from None
    if network.offline():
        _check_offline(files, folder)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        waiting = [pool.submit(_obtain, file, folder, indexes) for file in files]
    failures = [failure for one in waiting if isinstance(failure := one.exception(), ActionError)]
    if failures:
        raise ActionError("\n".join(failure.message for failure in failures), hint=failures[0].hint)
    return [one.result() for one in waiting]


def _check_offline(files: Sequence[Pinned], folder: Path) -> None:
    """Report everything that is missing at once."""
    missing = [file.file for file in files if not (folder / file.sha256).is_file() and _remote(file)]
    if missing:
        raise ActionError(
            f"not downloaded yet, and downloads are disabled (--offline, UV_OFFLINE): {', '.join(missing)}",
            hint="build once with network access",
        )


def _remote(file: Pinned) -> bool:
    return not file.url.startswith("file://")


def _obtain(file: Pinned, folder: Path, indexes: Sequence[str]) -> Path:
    place = folder / file.sha256
    if place.is_file():
        if digest_file(place).hex == file.sha256:
            with contextlib.suppress(OSError):
                os.utime(place)  # it was used: the least recently used goes first
            return place
        place.unlink(missing_ok=True)
    try:
        with replacing(place) as aside:
            download(file.url, aside, indexes)
            if (found := digest_file(aside).hex) != file.sha256:
                raise ActionError(
                    f"{file.file!r} has SHA-256 {found}; the lock expects {file.sha256}",
                    hint="this is not the file that was locked: ask whoever serves it, or accept the new one with "
                    f"'packyard lock --upgrade {file.name}'",
                )
    except OSError as error:
        raise ActionError(f"{file.file!r} cannot be kept: {error.strerror}") from None
    return place
