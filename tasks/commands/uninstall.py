"""`packyard uninstall`: takes packages out of a plane or a library folder, not without asking when others need them."""

from __future__ import annotations

import argparse
import sys

from packyard.formats.errors import Problem
from packyard.tasks.commands.install import add_place, find_here, plane_of
from packyard.tasks.commands.mojolibrary import is_mojo_place, uninstall_mojo
from packyard.tasks.console.output import say
from packyard.tasks.console.parser import Parser
from packyard.tasks.errors import ActionError, UsageError
from packyard.tasks.kinds.morloc.install import dependants, orphans, remove
from packyard.tasks.kinds.morloc.planechange import changing, finish
from packyard.tasks.kinds.morloc.planefolder import Plane


def run(words: list[str]) -> int:
    """Remove what `words` name; the exit status."""
    options = parser().parse_args(words)
    if is_mojo_place(options):
        return uninstall_mojo(options)
    plane = plane_of(options, find_here())
    if not plane.home.is_dir():
        raise ActionError(f"{plane.home}: no such home")
    if options.dry_run:
        for name in _chosen(options, plane):
            say(f"would remove {name}")
        return 0
    with changing(plane.home):
        finish(plane)
        names = _chosen(options, plane)
        if not _agreed(names, plane, yes=options.yes):
            return 1
        remove(names, plane)
    for name in names:
        say(f"removed {name}")
    return 0


def _chosen(options: argparse.Namespace, plane: Plane) -> list[str]:
    """The packages that words name, with their orphans when those are to go too."""
    there = set(plane.names()) | set(plane.locked)
    unknown = [name for name in options.package if name not in there]
    if unknown:
        raise UsageError(*(Problem("is not installed", place=name) for name in unknown))
    names = list(dict.fromkeys(options.package))
    return [*names, *orphans(names, plane)] if options.orphans else names


def _agreed(names: list[str], plane: Plane, *, yes: bool) -> bool:
    """Whether packages may go although others need them: by --yes, or by the answer to a question."""
    needed = dependants(names, plane)
    if not needed or yes:
        return True
    lines = [f"{name} is needed by {', '.join(others)}" for name, others in needed.items()]
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ActionError("other packages need them", detail="\n".join(lines), hint="--yes removes them anyway")
    say(*lines)
    sys.stdout.write("Remove them anyway? [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard uninstall",
        description="Remove packages from a morloc plane or a library folder.",
        examples=("packyard uninstall math --orphans", "packyard uninstall tensor --to lib"),
    )
    parser.add_argument("package", nargs="+", metavar="NAME")
    add_place(parser)
    parser.add_argument("--orphans", action="store_true", help="also remove what was installed only for them")
    parser.add_argument("--yes", action="store_true", help="do not ask, even if other packages need them")
    parser.add_argument("--dry-run", action="store_true", help="show what would be removed")
    return parser
