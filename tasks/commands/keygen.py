"""`packyard keygen`: a new pair of signing keys."""

from __future__ import annotations

from pathlib import Path

from packyard.tasks.console.output import say
from packyard.tasks.console.parser import Parser
from packyard.tasks.kinds.bundle import signing
from packyard.tasks.workspace.workspace import MANIFEST


def run(words: list[str]) -> int:
    """Write a key pair to the folder that `words` name; the exit status. A key is never overwritten."""
    private, public = signing.write_keys(Path(parser().parse_args(words).out_dir))
    say(f"wrote    {private}  (keep it secret, and out of version control)", f"wrote    {public}")
    return 0


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard keygen",
        description=f"Make a pair of Ed25519 keys. The private one signs: name it in [sign] of {MANIFEST}, or give it "
        "by --private-key. The public one shows whether a bundle is yours: give it to 'packyard verify --trust'.",
        examples=("packyard keygen", "packyard keygen --out-dir secrets"),
    )
    parser.add_argument("--out-dir", default="keys", metavar="DIR", help="default: keys")
    return parser
