"""A wheel of others, unpacked below a Python's prefix: what of it goes into a bundle, and where it stands there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name
from packyard.formats.entry import Entry
from packyard.formats.errors import FormatError
from packyard.formats.wheel import LARGEST, is_python_script, position
from packyard.formats.zipball import Member, contents, read_zip

# Below the prefix, and not for a program that runs from a bundle.
_LEFT_OUT = re.compile(r"include/|.*\.pyc$|(.*/)?__pycache__/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """One installed distribution: its name, its .dist-info folder, and what of it goes into a bundle."""

    owner: str
    info: str
    entries: list[Entry]


class Overlap(Exception):
    """Another wheel wrote the file `path` (below the prefix) with other bytes."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def unpack_wheel(file: Path, prefix: Path, *, name: str, site: str) -> Distribution:
    """Write what goes into a bundle of the wheel of `name` below `prefix`, `site` being the folder of modules there.

    FormatError when it is no wheel of this distribution or not safe to unpack (a path that leads out, a link), with
    nothing written. Overlap when another wheel wrote one of its files.
    """
    with file.open("rb") as stream:
        members = read_zip(stream, limit=LARGEST)
        info = _info(members, name)
        entries = []
        for member in members:
            at = position(member.path, info=info, site=site)
            if at is None or member.path == f"{info}/RECORD" or _LEFT_OUT.match(at):
                continue
            content = contents(stream, member)
            script = at.startswith("bin/")
            if script and is_python_script(content[:4096]):
                continue
            entries.append(Entry(at, _write(prefix, at, content), member.executable or script))
    return Distribution(owner=name, info=info, entries=entries)


def _info(members: list[Member], name: str) -> str:
    """The .dist-info folder."""
    files = {member.path for member in members}
    infos = sorted({path.partition("/")[0] for path in files if path.partition("/")[0].endswith(".dist-info")})
    if len(infos) != 1 or not {f"{infos[0]}/{part}" for part in ("METADATA", "WHEEL", "RECORD")} <= files:
        raise FormatError("this is not a wheel (one .dist-info with METADATA, WHEEL and RECORD was expected)")
    if (found := canonicalize_name(infos[0].partition("-")[0])) != name:
        raise FormatError(f"it is the wheel of {found!r}, {name!r} was expected")
    return infos[0]


def _write(prefix: Path, at: str, content: bytes) -> Path:
    place = prefix / at
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():
        if place.read_bytes() != content:
            raise Overlap(at)
    else:
        place.write_bytes(content)
    return place
