"""`packyard init --morloc`: a morloc home with the standard set, so that programs can be compiled."""

from __future__ import annotations

from packyard.formats.morloc.reference import STANDARD, STANDARD_SET
from packyard.tasks.commands.install import add_options, install_morloc
from packyard.tasks.console.parser import Parser


def run(words: list[str]) -> int:
    """Make the plane and install the standard set; the exit status."""
    return install_morloc([STANDARD_SET], parser().parse_args(words))


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard init",
        description=f"Make a morloc plane and install the standard set: {', '.join(STANDARD)}.",
        examples=("packyard init --morloc", "packyard init --morloc --to home --plane default"),
    )
    parser.add_argument(
        "--morloc", action="store_true", required=True, help="make a morloc plane instead of a workspace"
    )
    parser.add_argument(
        "-f", "--force", dest="upgrade", action="store_true", help="fetch the packages again even if they are present"
    )
    add_options(parser)
    return parser
