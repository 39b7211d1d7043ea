"""`packyard extract`: the files in a bundle, without running anything of it."""

from __future__ import annotations

from pathlib import Path

from packyard.formats.units import count_text
from packyard.tasks.console.output import say
from packyard.tasks.console.parser import Parser
from packyard.tasks.kinds.bundle.inspection import extract


def run(words: list[str]) -> int:
    """Unpack the bundle that `words` name; the exit status. FormatError when it is damaged or the folder exists."""
    options = parser().parse_args(words)
    if (options.folder is None) == (options.output is None):
        parser().error("expected one folder: 'packyard extract FILE -o DIR'")
    folder = options.output or options.folder
    files = extract(options.file, folder, options.slot)
    say(f"wrote    {folder}  {count_text(len(files), 'file')}")
    return 0


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard extract",
        description="Unpack a bundle's slots into a new folder. The bundle is verified first.",
        examples=(
            "packyard extract dist/greet-0.1.0.psp -o greet",
            "packyard extract dist/greet-0.1.0.psp -o greet --slot env",
        ),
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="same as the second argument")
    parser.add_argument("--slot", default="", metavar="ID", help="only this slot (default: all)")
    return parser
