"""`packyard trust`: the public keys whose bundles are authentic on this machine, for this user."""

from __future__ import annotations

import argparse

from packyard.formats.errors import FormatError
from packyard.formats.naming import read_member_name
from packyard.tasks.console.output import say, say_json
from packyard.tasks.console.parser import Parser
from packyard.tasks.kinds.bundle import trustedkeys

_EXAMPLES = (
    "packyard trust add keys/public.pem --name release",
    "packyard trust list",
    "packyard trust remove release",
)


def run(words: list[str]) -> int:
    """Add, list or remove trusted keys, as `words` say; the exit status."""
    options = parser().parse_args(words)
    match options.action:
        case "add":
            one = trustedkeys.add(options.key, options.name or "")
            say(f"trusted  {one.name}  {one.fingerprint}")
        case "remove":
            one = trustedkeys.remove(options.key)
            say(f"removed  {one.name}  {one.fingerprint}")
        case _:
            found = trustedkeys.trusted()
            if options.json:
                say_json(
                    [{"name": one.name, "fingerprint": one.fingerprint, "public": one.public.hex()} for one in found]
                )
            elif found:
                width = max(len(one.name) for one in found)
                say(*(f"{one.name:{width}}  {one.fingerprint}" for one in found))
            else:
                say(f"no key is trusted ({trustedkeys.folder()} is empty)")
    return 0


def parser() -> Parser:
    """The options of the command."""
    add, show, remove = _EXAMPLES
    parser = Parser(
        prog="packyard trust",
        description="The keys you trust: to 'packyard verify', what is signed with one of them is authentic.",
        examples=(add, show, remove),
    )
    actions = parser.add_subparsers(dest="action", required=True)
    adding = actions.add_parser("add", help="trust a key", examples=(add,))
    adding.add_argument("key", help="a PEM file, or 64 hexadecimal digits")
    adding.add_argument("--name", type=_name, help="a name for it (default: the start of its fingerprint)")
    listing = actions.add_parser("list", help="show the trusted keys", examples=(show,))
    listing.add_argument("--json", action="store_true", help="as JSON")
    removing = actions.add_parser("remove", help="stop trusting a key", examples=(remove,))
    removing.add_argument("key", help="its name, or the start of its fingerprint")
    return parser


def _name(text: str) -> str:
    try:
        return read_member_name(text)
    except FormatError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
