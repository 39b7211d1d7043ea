"""`packyard verify`: whether bundles are what was signed, and by whom."""

from __future__ import annotations

import argparse
from pathlib import Path

from packyard.formats.pspf import Verdict
from packyard.tasks import signing, truststore
from packyard.tasks.commands import verifyplane
from packyard.tasks.commands.output import say, say_json
from packyard.tasks.inspection import verify_file


def run(words: list[str]) -> int:
    """Print the verdict on each file that `words` name; the exit status, 1 when one of them does not pass."""
    if any(word == "--plane" or word.startswith("--plane=") for word in words):
        return verifyplane.run(words)
    parser = argparse.ArgumentParser(
        prog="packyard verify",
        description="Check the bytes of bundles against their signatures.",
        epilog="A bundle is authentic when it is signed with a key given by --trust or pinned by 'packyard trust add'; "
        "else it can only be shown that it is intact: as it was signed with the key that it names itself. "
        "'packyard verify --plane HOME' compares a morloc plane with its lock.",
    )
    parser.add_argument("file", nargs="+", type=Path)
    parser.add_argument("--strict", action="store_true", help="refuse bundles whose slots the signature does not cover")
    parser.add_argument("--deep", action="store_true", help="unpack every slot and compare what is in it, too")
    parser.add_argument(
        "--trust", action="append", default=[], metavar="KEY",
        help="a public key (PEM file, or 64 hexadecimal digits); a bundle signed with another one does not pass",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="the findings as JSON")
    options = parser.parse_args(words)
    given = [signing.read_trusted(text) for text in options.trust]
    trusted = given or [one.public for one in truststore.trusted()]
    found = [verify_file(path, trusted, deep=options.deep) for path in options.file]
    strangers = [one for one in found if given and one.passed() and one.verdict is not Verdict.AUTHENTIC]
    if options.json:
        say_json([one.json() for one in found])
    else:
        for one in found:
            say(one.text(), *(["  key: is none of those trusted"] if one in strangers else []))
    return 0 if not strangers and all(one.passed(strict=options.strict) for one in found) else 1
