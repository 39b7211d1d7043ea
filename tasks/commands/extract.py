"""`packyard extract`: the files in a bundle, without running anything of it."""

from __future__ import annotations

import argparse
from pathlib import Path

from packyard.formats.units import count_text
from packyard.tasks.console.output import say
from packyard.tasks.kinds.bundle.inspection import extract


def run(words: list[str]) -> int:
    """Unpack the bundle that `words` name; the exit status. FormatError when it is damaged or the folder exists."""
    parser = argparse.ArgumentParser(
        prog="packyard extract", description="Unpack a bundle's slots into a new folder. The bundle is verified first."
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="the same as the second word")
    parser.add_argument("--slot", default="", metavar="ID", help="only this one (default: all)")
    options = parser.parse_args(words)
    if (options.folder is None) == (options.output is None):
        parser.error("one folder was expected: 'packyard extract FILE -o DIR'")
    folder = options.output or options.folder
    files = extract(options.file, folder, options.slot)
    say(f"wrote    {folder}  {count_text(len(files), 'file')}")
    return 0
