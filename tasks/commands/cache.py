"""`packyard cache`: what the store holds, and keeping it small and whole."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from packyard.formats.errors import FormatError, Problem
from packyard.formats.units import count_text, read_size, size_text
from packyard.formats.workspace.manifest import read_workspace
from packyard.tasks import nullpath
from packyard.tasks.console.output import say, say_json
from packyard.tasks.console.parser import Parser
from packyard.tasks.console.status import ERRORS
from packyard.tasks.engine.store import upkeep
from packyard.tasks.engine.store.store import Store
from packyard.tasks.errors import UsageError
from packyard.tasks.host.cachefolder import store_folder


def run(words: list[str]) -> int:
    """Do what `words` ask of the store; the exit status, 1 when `verify` found damage."""
    options = parser().parse_args(words)
    folder, limit = _settings()
    store = Store(folder)
    if options.what == "stats":
        return _stats(store, limit, json=options.json)
    if options.what == "verify":
        return _verify(store, json=options.json)
    if options.what == "clear":
        return _say_removed(upkeep.clear(store), json=options.json)
    given = options.limit if options.limit is not None else limit
    if not given:
        hint = "set [cache] limit in packyard.toml, or give --limit"
        raise UsageError(Problem("no size limit is set", hint=hint))
    return _say_removed(upkeep.collect(store, given), json=options.json)


def _settings() -> tuple[Path, int]:
    """The store's folder and limit: those of the workspace around the current folder, or the user's own."""
    root = nullpath.find_root(os.getcwd())
    if root is None:
        return store_folder(), 0
    try:
        text = (Path(root) / nullpath.MANIFEST).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(Problem(f"cannot be read: {error}", place=nullpath.MANIFEST)) from None
    cache = read_workspace(text, nullpath.MANIFEST).cache
    return store_folder(Path(root), cache.directory), cache.limit


def _stats(store: Store, limit: int, *, json: bool) -> int:
    found = upkeep.census(store)
    if json:
        say_json({"folder": os.fspath(store.folder), "limit": limit, **asdict(found)})
        return 0

    def lines() -> Iterator[str]:
        yield f"folder   {store.folder}"
        yield f"size     {size_text(found.size)}" + (f" of {size_text(limit)}" if limit else ", no limit")
        yield f"results  {found.results}"
        yield f"blobs    {found.blobs}"
        yield f"trees    {found.trees}"
        if found.oldest:
            yield f"oldest   last used {time.strftime('%Y-%m-%d %H:%M', time.localtime(found.oldest))}"
        if found.downloads:
            yield f"files    {found.downloads} downloaded"

    say(*lines())
    return 0


def _verify(store: Store, *, json: bool) -> int:
    found = upkeep.verify(store)
    if json:
        say_json(asdict(found))
    else:
        say(*(f"corrupt  {name}, removed" for name in found.damaged))
        whole = "all intact" if not found.damaged else f"{len(found.damaged)} corrupt: the next build makes them again"
        say(f"read {count_text(found.files, 'file')}, {size_text(found.size)}: {whole}")
    return ERRORS if found.damaged else 0


def _say_removed(removed: upkeep.Removed, *, json: bool) -> int:
    if json:
        say_json(asdict(removed))
    else:
        say(
            f"removed {count_text(removed.results, 'result')}, {count_text(removed.blobs, 'blob')}, "
            f"{count_text(removed.trees, 'tree')}, {count_text(removed.downloads, 'download')}: "
            f"{size_text(removed.freed)}; {size_text(removed.left)} left"
        )
    return 0


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard cache",
        description="Look after the store. Nothing is removed while a build is using it.",
        examples=("packyard cache stats", "packyard cache gc --limit '10 GB'", "packyard cache verify"),
    )
    commands = parser.add_subparsers(dest="what", required=True, metavar="stats|gc|verify|clear")
    for name, purpose, example in (
        ("stats", "show how much it holds", "packyard cache stats --json"),
        (
            "gc",
            "remove the least recently used entries until it is below its limit",
            "packyard cache gc --limit '10 GB'",
        ),
        ("verify", "read everything and remove what is corrupt", "packyard cache verify"),
        ("clear", "remove everything", "packyard cache clear"),
    ):
        one = commands.add_parser(name, help=purpose, description=f"{purpose.capitalize()}.", examples=(example,))
        one.add_argument("--json", action="store_true", help="as JSON")
        if name == "gc":
            one.add_argument("--limit", type=_size, metavar="SIZE", help="overrides [cache] limit: '10 GB'")
    return parser


def _size(text: str) -> int:
    try:
        return read_size(text)
    except FormatError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
