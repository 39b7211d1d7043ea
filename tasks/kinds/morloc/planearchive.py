"""An archived morloc plane: the packages in it, compared with the lock that it carries."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from packyard.formats.archive.gzipped import Reader
from packyard.formats.errors import FormatError, inside
from packyard.formats.morloc.home import PlanePaths, read_record
from packyard.formats.morloc.lock import content_digest
from packyard.formats.morloc.reference import read_plane_name
from packyard.formats.workspace.lock import read_lock
from packyard.tasks.host import gitfetch
from packyard.tasks.kinds.morloc.package import read_entries
from packyard.tasks.kinds.morloc.sources import Provided

_IN_PLANE = re.compile(r"src/morloc/plane/(?P<plane>[^/]+)/(?P<name>[^/]+)/(?P<path>.+)")


def read_plane_archive(path: Path) -> dict[str, tuple[Provided, str]]:
    """The packages of an archived plane, compared with the lock inside it, and why each is there ('explicit' or
    'auto'); FormatError when they differ from the lock."""
    with inside(os.fspath(path)):
        try:
            with path.open("rb") as stream:
                limit = 4 * gitfetch.LARGEST
                entries = gitfetch.read_files(BytesIO(Reader(stream, limit=limit).read(limit + 1)))
        except OSError as error:
            raise FormatError(f"cannot be read: {error.strerror}") from None
        found: dict[str, list[tuple[str, str]]] = {}
        files = {entry.path: entry for entry in entries}
        planes = {match["plane"] for entry in entries if (match := _IN_PLANE.fullmatch(entry.path))}
        if len(planes) != 1:
            raise FormatError("is not the archive of a single plane")
        paths = PlanePaths(read_plane_name(planes.pop()))
        if paths.lock not in files:
            raise FormatError(f"contains no {paths.lock}")
        content = files[paths.lock].content
        assert isinstance(content, bytes)
        locked = read_lock(content.decode("utf-8", "replace"), paths.lock).packages
        for file in files:
            if match := _IN_PLANE.fullmatch(file):
                found.setdefault(match["name"], []).append((match["path"], file))
        provided = {}
        for name, inner in sorted(found.items()):
            if name not in locked:
                raise FormatError(f"{name} is not in its lock")
            package = read_entries([replace(files[file], path=path) for path, file in inner], name, name)
            digest, wanted = content_digest(package.entries()), locked[name].installed or locked[name].content
            if digest != wanted:
                raise FormatError(f"{name}: its content is {digest}, but {wanted} is locked")
            reason = ""
            if (record := files.get(paths.record(name))) is not None and isinstance(record.content, bytes):
                reason = str(read_record(record.content.decode("utf-8", "replace")).get("install_reason"))
            provided[name] = Provided(package=package, locked=locked[name]), reason
    return provided
