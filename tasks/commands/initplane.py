"""`packyard init --morloc`: a morloc home with the standard set, so that programs can be compiled."""

from __future__ import annotations

import argparse

from packyard.formats.morloc.reference import STANDARD, STANDARD_SET
from packyard.tasks.commands.install import add_options, install_morloc


def run(words: list[str]) -> int:
    """Make the plane and install the standard set; the exit status."""
    parser = argparse.ArgumentParser(
        prog="packyard init", description=f"Make a morloc plane and install the standard set: {', '.join(STANDARD)}."
    )
    parser.add_argument("--morloc", action="store_true", required=True, help="make a morloc plane, no workspace")
    parser.add_argument(
        "-f", "--force", dest="upgrade", action="store_true", help="fetch the packages anew even if they are there"
    )
    add_options(parser)
    return install_morloc([STANDARD_SET], parser.parse_args(words))
