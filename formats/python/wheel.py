"""Wheels (PyPA "Binary distribution format", PEP 427): written reproducibly, and laid out as installers do."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from email.parser import Parser
from typing import BinaryIO

from packaging.utils import canonicalize_name
from packyard.formats.archive.entry import Entry
from packyard.formats.archive.zipball import EARLIEST, entries, write_zip
from packyard.formats.errors import FormatError
from packyard.formats.python.record import recorded, write_record

LARGEST = 1 << 33  # bytes that a wheel may unpack to
# What installers write to a .dist-info about how and from where they installed: no program needs it.
INSTALLER_FILES = frozenset({"INSTALLER", "REQUESTED", "RECORD.jws", "RECORD.p7s", "direct_url.json", "uv_cache.json"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """A wheel in memory. `files` are by path, without RECORD and compiled Python."""

    name: str  # as its METADATA spells it
    version: str
    tags: tuple[str, ...]
    info: str  # the .dist-info folder
    files: dict[str, Entry]

    @property
    def file_name(self) -> str:
        """The name that this wheel must have (compressed tag sets, PEP 425)."""
        parts = [tag.split("-") for tag in self.tags]
        tag = "-".join(".".join(sorted({part[place] for part in parts})) for place in range(3))
        return f"{self.info.removesuffix('.dist-info')}-{tag}.whl"


def read_wheel(stream: BinaryIO) -> Wheel:
    """Read a wheel; FormatError if it is not one, or not safe to unpack."""
    files = {entry.path: entry for entry in entries(stream, limit=LARGEST)}
    infos = sorted({path.partition("/")[0] for path in files if path.partition("/")[0].endswith(".dist-info")})
    if len(infos) != 1 or f"{infos[0]}/WHEEL" not in files or f"{infos[0]}/METADATA" not in files:
        raise FormatError("this is not a wheel (expected one .dist-info with METADATA and WHEEL)")
    about = Parser().parsestr(_text(files[f"{infos[0]}/WHEEL"]))
    metadata = Parser().parsestr(_text(files[f"{infos[0]}/METADATA"]), headersonly=True)
    kept = {
        path: entry
        for path, entry in files.items()
        if not path.endswith(".pyc") and "__pycache__" not in path.split("/") and path != f"{infos[0]}/RECORD"
    }
    tags = tuple(sorted(about.get_all("Tag", [])))
    if not tags or any(tag.count("-") != 2 for tag in tags):
        raise FormatError(f"the wheel's tags are {', '.join(tags) or 'missing'}; expected some like 'py3-none-any'")
    return Wheel(
        name=metadata["Name"] or "", version=metadata["Version"] or "", tags=tags, info=infos[0], files=kept
    )  # fmt: skip


def write_wheel(wheel: Wheel, out: BinaryIO, *, epoch: int = EARLIEST) -> None:
    """Write a wheel: the same bytes for the same files, with a RECORD of them."""
    at = f"{wheel.info}/RECORD"
    record = write_record([recorded(path, _bytes(entry)) for path, entry in wheel.files.items()], at=at)
    write_zip([*wheel.files.values(), Entry(at, record)], out, epoch=epoch)


def placed(wheel: Wheel, *, site: str, left_out: Iterable[str] = ()) -> list[Entry]:
    """The files of a wheel as they are below a Python's prefix, except for its RECORD; `site` is the folder of modules
    there (`lib/python3.12/site-packages`). What comes from the wheel has its bytes in memory.

    `left_out` are paths in the wheel to leave out. Headers and Python scripts are left out too: a bundle starts its
    commands itself. Nothing records how the files were installed.
    """
    dropped = frozenset(left_out)
    found: list[Entry] = []
    for path, entry in wheel.files.items():
        at = None if path in dropped else position(path, info=wheel.info, site=site)
        if at is None:
            continue
        script = path.startswith(f"{_data(wheel.info)}scripts/")
        if script and is_python_script(_bytes(entry)):
            continue
        found.append(Entry(at, entry.content, entry.executable or script))
    return found


def position(path: str, *, info: str, site: str) -> str | None:
    """Where a file of a wheel goes below a Python's prefix; None for headers, and for what installers record.
    FormatError for a file that has the name of a folder for files (`NAME-VERSION.data/scripts`).

    `info` is the wheel's .dist-info folder, `site` the folder of modules; scripts of every kind stand in `bin/`.
    """
    if path.startswith(f"{info}/") and path.rpartition("/")[2] in INSTALLER_FILES:
        return None
    if not path.startswith(_data(info)):
        return f"{site}/{path}"
    scheme, _, rest = path.removeprefix(_data(info)).partition("/")
    folders = {"purelib": f"{site}/", "platlib": f"{site}/", "data": "", "scripts": "bin/"}
    if scheme in folders and not rest:
        raise FormatError(f"{path!r} is a file; expected a folder of that name")
    return f"{folders[scheme]}{rest}" if scheme in folders else None


def _data(info: str) -> str:
    return info.removesuffix(".dist-info") + ".data/"


def record_of(wheel: Wheel, files: Iterable[Entry], *, site: str) -> Entry:
    """The RECORD of a wheel whose files are below a Python's prefix."""
    record = f"{wheel.info}/RECORD"
    rows = [recorded(posixpath.relpath(entry.path, site), _bytes(entry)) for entry in files]
    return Entry(f"{site}/{record}", write_record(rows, at=record))


def is_python_script(start: bytes) -> bool:
    """Whether a script, by its first bytes, is run by a Python: `#!python` in a wheel, the path of one when it is
    installed, which is on the second line, behind a shell, when it is long."""
    first, _, rest = start.partition(b"\n")
    return first.startswith(b"#!") and (b"python" in first or rest.startswith(b"'''exec'"))


def info_folder(name: str, version: str) -> str:
    """The .dist-info folder of a distribution (name and version as the format escapes them)."""
    return f"{canonicalize_name(name).replace('-', '_')}-{version.replace('-', '_')}.dist-info"


def _bytes(entry: Entry) -> bytes:
    assert isinstance(entry.content, bytes)
    return entry.content


def _text(entry: Entry) -> str:
    return _bytes(entry).decode("utf-8", "replace")
