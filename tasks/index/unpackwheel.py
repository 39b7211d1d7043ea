"""A third-party wheel: what of it goes into a bundle, and where below a Python's prefix.

Its files are held in memory, except for large ones: writing a thousand small files and reading them again takes longer
than everything that is done with them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.utils import canonicalize_name
from packyard.formats.archive.entry import Entry
from packyard.formats.archive.zipball import Member, contents, read_zip
from packyard.formats.errors import FormatError
from packyard.formats.python.wheel import LARGEST, is_python_script, position
from packyard.formats.relpath import read_relpath

# Below the prefix, but not needed by a program that runs from a bundle.
_LEFT_OUT = re.compile(r"include/|.*\.pyc$|(.*/)?__pycache__/")
_LARGE = 1 << 20  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """One installed distribution: its name, its .dist-info folder, and what of it goes into a bundle."""

    owner: str
    info: str
    entries: list[Entry]


def read_distribution(
    file: Path, aside: Path, *, name: str, site: str, chosen: re.Pattern[str] = re.compile(".*", re.DOTALL)
) -> Distribution:
    """What goes into a bundle of the wheel of `name`, `site` being the folder of modules; large files are in the folder
    `aside`, which exists. `chosen` are the paths in the wheel to use.

    FormatError if it is not a wheel of this distribution or not safe to unpack (a path that leaves it, a link).
    """
    with file.open("rb") as stream:
        members = read_zip(stream, limit=LARGEST)
        info = _info(members, name)
        entries = []
        for number, member in enumerate(members):
            at = position(member.path, info=info, site=site)
            if at is None or member.path == f"{info}/RECORD" or _LEFT_OUT.match(at):
                continue
            if not chosen.fullmatch(member.path):
                continue
            content = contents(stream, member)
            script = at.startswith("bin/")
            if script and is_python_script(content[:4096]):
                continue
            kept = _kept(content, aside / f"{name}-{number}") if len(content) > _LARGE else content
            entries.append(Entry(at, kept, member.executable or script))
    return Distribution(owner=name, info=info, entries=entries)


def unpack_wheel(file: Path, tree: Path, *, name: str) -> None:
    """Write what `read_distribution` gives of a wheel into a folder of modules; FormatError as there, with nothing
    written, and if another wheel wrote one of its files with different bytes."""
    with TemporaryDirectory(prefix=".unpacking-", dir=tree) as aside:
        for entry in read_distribution(file, Path(aside), name=name, site=".").entries:
            place = tree / read_relpath(entry.path)
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.exists():
                if place.read_bytes() != entry.data():
                    raise FormatError(
                        f"{entry.path!r} is in {name!r} and in another distribution, with different contents"
                    )
            else:
                place.write_bytes(entry.data())


def _kept(content: bytes, place: Path) -> Path:
    place.write_bytes(content)
    return place


def _info(members: list[Member], name: str) -> str:
    """The .dist-info folder."""
    files = {member.path for member in members}
    infos = sorted({path.partition("/")[0] for path in files if path.partition("/")[0].endswith(".dist-info")})
    if len(infos) != 1 or not {f"{infos[0]}/{part}" for part in ("METADATA", "WHEEL", "RECORD")} <= files:
        raise FormatError("this is not a wheel (expected one .dist-info with METADATA, WHEEL and RECORD)")
    if (found := canonicalize_name(infos[0].partition("-")[0])) != name:
        raise FormatError(f"it is the wheel of {found!r}; expected {name!r}")
    return infos[0]
