from __future__ import annotations

from pathlib import Path

from packyard.formats.archive.entry import Entry
from packyard.formats.elf import strip_elf
from packyard.tasks.kinds.python.stripping import strip_entries

PROGRAM = Path("/bin/ls").read_bytes()


def test_strip_takes_symbols_of_compiled_code_alone(tmp_path: Path) -> None:
    (tmp_path / "lib.so").write_bytes(PROGRAM)
    damaged, small = b"\x7fELF\2\1" + bytes(30), b"\x7fELF\1\1" + bytes(200)
    entries = [
        Entry("bin/ls", PROGRAM, True),
        Entry("text", b"text"),
        Entry("lib.so", tmp_path / "lib.so"),
        Entry("damaged", damaged),
        Entry("small", small),
        Entry("empty", b""),
    ]
    stripped = strip_elf(PROGRAM)
    assert strip_entries(entries) == 2 * (len(PROGRAM) - len(stripped))
    assert entries == [
        Entry("bin/ls", stripped, True),
        Entry("text", b"text"),
        Entry("lib.so", stripped),
        Entry("damaged", damaged),
        Entry("small", small),
        Entry("empty", b""),
    ]
    assert strip_entries(entries) == 0
