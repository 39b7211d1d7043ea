"""Taking the symbols out of compiled code, as `--strip` and `[tool.flavor.build] strip` wish."""

from __future__ import annotations

from packyard.formats.archive.entry import Entry
from packyard.formats.elf import MAGIC, strip_elf
from packyard.formats.errors import FormatError


def strip_entries(entries: list[Entry]) -> int:
    """Replace each ELF file among `entries` by one without symbols; how many bytes they had.

    What only looks like such a file, or is one that `strip_elf` does not take, stays as it is.
    """
    saved = 0
    for position, entry in enumerate(entries):
        if _start(entry) != MAGIC:
            continue
        content = entry.content if isinstance(entry.content, bytes) else entry.content.read_bytes()
        try:
            stripped = strip_elf(content)
        except FormatError:
            continue
        saved += len(content) - len(stripped)
        entries[position] = Entry(entry.path, stripped, entry.executable)
    return saved


def _start(entry: Entry) -> bytes:
    if isinstance(entry.content, bytes):
        return entry.content[: len(MAGIC)]
    with entry.content.open("rb") as stream:
        return stream.read(len(MAGIC))
