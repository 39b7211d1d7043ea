"""A morloc plane on disk: what is in it, and whether that is what was put there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from packyard.formats.digest import digest_of
from packyard.formats.errors import FormatError
from packyard.formats.morloc.home import (
    PlanePaths,
    read_plane_listing,
    read_record,
)
from packyard.formats.morloc.lock import (
    LockedPackage,
    read_content_listing,
)
from packyard.formats.workspace.lock import read_lock
from packyard.tasks.kinds.morloc.unpacked import differences


@dataclass(frozen=True)
class Plane:
    """One plane of a home, as it is read from disk."""

    home: Path
    paths: PlanePaths

    @property
    def folder(self) -> Path:
        """The folder of its packages; a link to one is followed."""
        return Path(os.path.realpath(self.home / self.paths.packages))

    @property
    def aside(self) -> Path:
        """Where a change is assembled: beside the folder, so that both can be exchanged."""
        return self.folder.with_name(f".{self.folder.name}.packyard")

    @cached_property
    def locked(self) -> Mapping[str, LockedPackage]:
        """The packages that we put there, by name; FormatError when the plane's lock cannot be read."""
        path = self.home / self.paths.lock
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            raise FormatError(f"{path}: cannot be read: {error}") from None
        return read_lock(text, os.fspath(path)).packages

    def names(self) -> list[str]:
        """The folders in the plane, sorted."""
        try:
            return sorted(entry.name for entry in os.scandir(self.folder) if entry.is_dir())
        except FileNotFoundError:
            return []

    def record(self, name: str) -> dict[str, Any] | None:
        """The record of a package, None when there is none that can be read."""
        try:
            return read_record((self.home / self.paths.record(name)).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, FormatError):
            return None

    def reason(self, name: str) -> str:
        """Why a package is there: 'explicit' or 'auto'."""
        record = self.record(name)
        return str(record.get("install_reason", "explicit")) if record else "explicit"

    def listing(self, name: str) -> dict[str, tuple[str, bool]] | None:
        """What the files of a package should be, None when that is not known or was altered."""
        locked, text = self.locked.get(name), self.listings.get(name, "")
        if locked is None or digest_of(text.encode("utf-8", "surrogateescape")) != (locked.installed or locked.content):
            return None
        return read_content_listing(text, self.paths.listing)

    @cached_property
    def listings(self) -> Mapping[str, str]:
        """The listings of the packages by name; each must still have the digest that is locked."""
        try:
            data = (self.home / self.paths.listing).read_bytes()
        except OSError:
            return {}
        return read_plane_listing(data.decode("utf-8", "surrogateescape"))

    def is_whole(self, name: str) -> bool:
        """Whether a package is there with exactly the files that were put there, and with its record; or, when it was
        not put there by us, with a record at least."""
        if not (self.folder / name).is_dir() or self.record(name) is None:
            return False
        if name not in self.locked:
            return True
        listing = self.listing(name)
        return listing is not None and not list(differences(self.folder / name, listing))
