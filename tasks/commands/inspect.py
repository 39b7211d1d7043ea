"""`packyard inspect`: what a bundle or a compiled Mojo package says of itself."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from packyard.formats.errors import FormatError, Problem, inside
from packyard.formats.mojo.package import is_package, read_package
from packyard.formats.units import size_text
from packyard.tasks.console.output import say, say_json
from packyard.tasks.console.parser import Parser
from packyard.tasks.kinds.bundle.inspection import inspect_file, inspection_text
from packyard.tasks.kinds.mojo.packagefile import ENDS


def run(words: list[str]) -> int:
    """Print what the file that `words` name contains; the exit status. FormatError when it is of no known kind."""
    options = parser().parse_args(words)
    mojo = _is_mojo(options.file)
    values = _mojo_values(options.file) if mojo else inspect_file(options.file)
    if options.json:
        say_json(values)
    else:
        say(_mojo_text(values) if mojo else inspection_text(values))
    return 0


def _is_mojo(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return is_package(stream) or path.name.endswith(ENDS)
    except OSError as error:
        raise FormatError(Problem(f"cannot be read: {error.strerror}", place=os.fspath(path))) from None


def _mojo_values(path: Path) -> dict[str, Any]:
    with inside(os.fspath(path)), path.open("rb") as stream:
        package = read_package(stream)
    return {
        "file": os.fspath(path),
        "size": path.stat().st_size,
        **asdict(package),
        "accepted_by": package.accepted_by,
    }


def _mojo_text(values: dict[str, Any]) -> str:
    facts = {
        "package": f"{size_text(values['size'])}, {size_text(values['unpacked'])} of bytecode",
        "container": "none" if values["container"] == 0 else str(values["container"]),
        "producer": values["producer"],
        "compiler": values["identity"],
        "imports": f"by {values['accepted_by']}",
    }
    return "\n".join(f"{name:9} {fact}" for name, fact in facts.items() if fact)


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard inspect",
        description="Show what a bundle or a Mojo package contains. Use 'packyard verify' to check that it is true.",
        examples=("packyard inspect dist/greet-0.1.0.psp", "packyard inspect dist/tensor-0.1.0.mojopkg --json"),
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--json", action="store_true", help="as JSON")
    return parser
