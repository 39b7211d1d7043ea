"""Wheels (PyPA "Binary distribution format", PEP 427): written with one result, and laid out as installers do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from email.parser import Parser
from typing import BinaryIO

from packaging.utils import canonicalize_name
from packyard.formats.entry import Entry
from packyard.formats.errors import FormatError
from packyard.formats.record import Recorded, recorded, write_record
from packyard.formats.zipball import EARLIEST, entries, write_zip

LARGEST = 1 << 33  # bytes that a wheel may unpack to
# What installers leave in a .dist-info about how and from where they installed: nothing a program needs.
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
    """Read a wheel; FormatError when it is none, or not safe to unpack."""
    files = {entry.path: entry for entry in entries(stream, limit=LARGEST)}
    infos = sorted({path.partition("/")[0] for path in files if path.partition("/")[0].endswith(".dist-info")})
    if len(infos) != 1 or f"{infos[0]}/WHEEL" not in files or f"{infos[0]}/METADATA" not in files:
        raise FormatError("this is not a wheel (one .dist-info with METADATA and WHEEL was expected)")
    about = Parser().parsestr(_text(files[f"{infos[0]}/WHEEL"]))
    metadata = Parser().parsestr(_text(files[f"{infos[0]}/METADATA"]), headersonly=True)
    kept = {
        path: entry
        for path, entry in files.items()
        if not path.endswith(".pyc") and "__pycache__" not in path.split("/") and path != f"{infos[0]}/RECORD"
    }
    tags = tuple(sorted(about.get_all("Tag", [])))
    if not tags or any(tag.count("-") != 2 for tag in tags):
        raise FormatError(
            f"the wheel's tags are {', '.join(tags) or 'missing'}, some like 'py3-none-any' were expected"
        )
    return Wheel(
        name=metadata["Name"] or "", version=metadata["Version"] or "", tags=tags, info=infos[0], files=kept
    )  # fmt: skip


def write_wheel(wheel: Wheel, out: BinaryIO, *, epoch: int = EARLIEST) -> None:
    """Write a wheel: the same bytes for the same files, with a RECORD of them."""
    at = f"{wheel.info}/RECORD"
    record = write_record([recorded(path, _bytes(entry)) for path, entry in wheel.files.items()], at=at)
    write_zip([*wheel.files.values(), Entry(at, record)], out, epoch=epoch)


def install(wheel: Wheel, *, python: str, left_out: Iterable[str] = ()) -> list[Entry]:
    """The files of a wheel as they stand below a Python's prefix (`lib/python3.12/site-packages/...`).

    `left_out` are paths in the wheel that do not go in. Scripts and headers do not either: a bundle starts
    its commands itself. The RECORD lists what is there, and nothing says how it came there.
    """
    site = f"lib/python{python}/site-packages"
    data = wheel.info.removesuffix(".dist-info") + ".data/"
    dropped = frozenset(left_out)
    placed: list[Entry] = []
    rows: list[Recorded] = []
    for path, entry in wheel.files.items():
        if path in dropped or (path.startswith(f"{wheel.info}/") and path.rpartition("/")[2] in INSTALLER_FILES):
            continue
        at, relative = f"{site}/{path}", path
        if path.startswith(data):
            scheme, _, rest = path.removeprefix(data).partition("/")
            if scheme in ("purelib", "platlib"):
                at, relative = f"{site}/{rest}", rest
            elif scheme == "data":
                at, relative = rest, f"../../../{rest}"
            else:
                continue
        placed.append(Entry(at, entry.content, entry.executable))
        rows.append(recorded(relative, _bytes(entry)))
    record = f"{wheel.info}/RECORD"
    return [*placed, Entry(f"{site}/{record}", write_record(rows, at=record))]


def info_folder(name: str, version: str) -> str:
    """The .dist-info folder of a distribution (name and version as the format escapes them)."""
    return f"{canonicalize_name(name).replace('-', '_')}-{version.replace('-', '_')}.dist-info"


def _bytes(entry: Entry) -> bytes:
    assert isinstance(entry.content, bytes)
    return entry.content


def _text(entry: Entry) -> str:
    return _bytes(entry).decode("utf-8", "replace")
