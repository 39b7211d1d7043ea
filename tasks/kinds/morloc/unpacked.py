"""Unpacked morloc packages in the user's cache, by their content: a plane gets links to them instead of copies.

Files are read-only there and so in every plane, because they are shared; they are compared with their digests
each time before they are linked to.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from packyard.formats.archive.entry import Entry
from packyard.formats.morloc.lock import content_digest, content_listing, read_content_listing
from packyard.tasks.kinds.morloc.setup import write_entries

READ_ONLY = 0o555


def stored(cache: Path, entries: Iterable[Entry]) -> Path:
    """The folder in the cache that holds exactly these files; made when it is missing or damaged."""
    files = list(entries)
    name = content_digest(files).hex
    place = cache / "morloc" / name[:2] / name[2:]
    if place.is_dir():
        if not any(differences(place, read_content_listing(content_listing(files), ""))):
            return place
        shutil.rmtree(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = place.with_name(f".{place.name}.{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)  # of a killed process that had our number
    try:
        write_entries(aside, files, mask=READ_ONLY)
        os.rename(aside, place)
    except OSError:
        if not place.is_dir():  # nobody else was first
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return place


def entries_of(folder: Path) -> list[Entry]:
    """Every file below a folder, to be read when it is needed; links are followed, those that lead nowhere left out."""
    found = []
    for path, whole in _files(folder):
        with contextlib.suppress(OSError):
            found.append(Entry(path, Path(whole), bool(os.stat(whole).st_mode & 0o100)))
    return found


def differences(folder: Path, listing: Mapping[str, tuple[str, bool]]) -> Iterator[tuple[str, str]]:
    """How a folder differs from a listing: (path, what) for what is missing, extra, changed or has another mode."""
    found = dict(_files(folder))
    for path in sorted({*found, *listing}, key=os.fsencode):
        if path not in found:
            yield path, "is missing"
        elif path not in listing:
            yield path, "is extra"
        else:
            digest, executable = listing[path]
            what = _difference(found[path], digest, executable=executable)
            if what:
                yield path, what


def _difference(path: str, digest: str, *, executable: bool) -> str:
    try:
        with open(path, "rb", buffering=0) as stream:
            mode = os.fstat(stream.fileno()).st_mode
            found = hashlib.sha256(stream.read()).hexdigest()
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if found != digest:
        return "was changed"
    return "" if bool(mode & 0o100) == executable else f"should{'' if executable else ' not'} be executable"


def _files(folder: Path) -> Iterator[tuple[str, str]]:
    """Every file below a folder: (path below it, whole path)."""
    top = os.fspath(folder)
    for root, _, files in os.walk(top):
        for file in files:
            path = f"{root}/{file}"
            yield path[len(top) + 1 :], path
