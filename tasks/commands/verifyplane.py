"""`packyard verify --plane HOME`: whether a morloc plane is what its lock says."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from packyard.formats.errors import Problem
from packyard.formats.morloc.lock import LockedPackage
from packyard.formats.units import count_text
from packyard.formats.workspace.lock import read_lock
from packyard.tasks.commands.install import find_here, plane_of
from packyard.tasks.console.output import say, say_json
from packyard.tasks.console.parser import Parser
from packyard.tasks.errors import ActionError, UsageError
from packyard.tasks.kinds.morloc.verify import morloc_program, typecheck, verify_plane


def run(words: list[str]) -> int:
    """Print what is wrong with the plane; the exit status, 1 when there is anything."""
    options = parser().parse_args(words)
    if not Path(options.to).is_dir():
        raise ActionError(f"{options.to}: no such home")
    plane = plane_of(options, find_here())
    if not plane.folder.is_dir() and not plane.locked:
        raise UsageError(
            Problem(f"has no plane {plane.paths.plane!r}", place=options.to, hint="choose one with --name")
        )
    problems = verify_plane(plane, _other(options.lock))
    morloc = morloc_program()
    if morloc and options.typecheck:
        problems += typecheck(plane, morloc)
    checked = count_text(len(plane.locked), "package")
    if options.json:
        say_json({"packages": len(plane.locked), "problems": [asdict(problem) for problem in problems]})
    else:
        say(*map(str, problems))
        typed = " and typecheck" if morloc and options.typecheck else ""
        say(f"{count_text(len(problems), 'problem')} in {checked}" if problems else f"{checked} as locked{typed}")
    return 1 if problems else 0


def _other(path: str | None) -> dict[str, LockedPackage] | None:
    if path is None:
        return None
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ActionError(f"{path}: cannot be read: {error.strerror}") from None
    return read_lock(text, path).packages


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard verify",
        description="Compare a morloc plane with its lock: every file, record and exposed file.",
        epilog="With a morloc compiler on PATH, each package is typechecked too.",
        examples=("packyard verify --plane ~/.local/share/morloc", "packyard verify --plane home --lock packyard.lock"),
    )
    parser.add_argument("--plane", dest="to", metavar="HOME", required=True, help="the morloc home")
    parser.add_argument(
        "--name", dest="plane", metavar="PLANE", help="the plane (default: the workspace's, or 'default')"
    )
    parser.add_argument("--lock", metavar="FILE", help="also compare it with this packyard.lock")
    parser.add_argument("--no-typecheck", dest="typecheck", action="store_false", help="do not run the compiler")
    parser.add_argument("--json", action="store_true", help="as JSON")
    return parser
