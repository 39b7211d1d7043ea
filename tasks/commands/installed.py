"""`packyard installed`: what is in a morloc plane or a library folder of Mojo packages, and in which state."""

from __future__ import annotations

from collections.abc import Iterator

from packyard.tasks.commands.install import add_place, find_here, plane_of
from packyard.tasks.commands.mojolibrary import installed_mojo, is_mojo_place
from packyard.tasks.console.output import say, say_json
from packyard.tasks.console.parser import Parser
from packyard.tasks.kinds.morloc.planefolder import Plane


def run(words: list[str]) -> int:
    """List the packages of a plane or a library folder; the exit status."""
    options = parser().parse_args(words)
    if is_mojo_place(options):
        return installed_mojo(options)
    plane = plane_of(options, find_here())
    rows = list(_rows(plane))
    if options.json:
        say_json(rows)
    elif not rows:
        say(f"nothing is installed in {plane.folder}")
    else:
        widths = [max(len(str(row[key])) for row in rows) for key in ("name", "version", "state", "reason")]
        for row in rows:
            cells = [str(row[key]).ljust(width) for key, width in zip(("name", "version", "state", "reason"), widths)]
            say("  ".join([*cells, str(row["source"])]).rstrip())
    return 0


def _rows(plane: Plane) -> Iterator[dict[str, object]]:
    for name in sorted({*plane.names(), *plane.locked}):
        locked, record = plane.locked.get(name), plane.record(name) or {}
        yield {
            "name": name,
            "version": locked.version if locked else str(record.get("version", "")),
            "state": _state(plane, name),
            "reason": plane.reason(name) if record else "",
            "source": locked.source if locked else str(record.get("install_source", "")),
            "commit": locked.commit if locked else str(record.get("installed_hash") or ""),
        }


def _state(plane: Plane, name: str) -> str:
    """'whole'; 'altered' when its files are not those installed; 'foreign' when it was installed by other means;
    'half' when an installation of it did not end."""
    if not (plane.folder / name).is_dir() or plane.record(name) is None:
        return "half"
    if name not in plane.locked:
        return "foreign"
    return "whole" if plane.is_whole(name) else "altered"


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard installed",
        description="Show the packages installed in a morloc plane or a library folder.",
        examples=("packyard installed", "packyard installed --to lib --json"),
    )
    add_place(parser)
    parser.add_argument("--json", action="store_true", help="as JSON")
    return parser
