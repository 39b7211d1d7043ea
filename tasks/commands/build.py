"""`packyard [run] [TARGET...]`: builds, which is what the command line means when its first word is not a command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from packyard.tasks.commands.table import COMMANDS, PROPOSED, Group
from packyard.tasks.console.parser import Parser
from packyard.tasks.console.run import carry_out, debugging
from packyard.tasks.console.selection import choose_targets
from packyard.tasks.console.status import ERRORS

if TYPE_CHECKING:
    from packyard.tasks.engine.graph.graph import Graph
    from packyard.tasks.nullpath import Early


def run(words: list[str], early: Early | None = None) -> int:
    """Make what is stale of the targets that `words` name; the exit status. `early` is what the start of the command
    found out already."""
    options = parser().parse_args(words)
    for option, variable in (("key_seed", "PACKYARD_KEY_SEED"), ("private_key", "PACKYARD_PRIVATE_KEY")):
        value = getattr(options, option)
        if value is not None:
            os.environ[variable] = os.path.abspath(value) if option == "private_key" else value
    if options.offline:
        os.environ["UV_OFFLINE"] = "1"
    from packyard.tasks.console.display import choose_display
    from packyard.tasks.engine.build.opening import find_workspace
    from packyard.tasks.engine.build.session import Session
    from packyard.tasks.kinds import TABLE

    root = find_workspace(Path.cwd())
    if options.sandbox == "strict":
        from packyard.tasks.engine.execute.strict import bubblewrap

        bubblewrap()  # say at once when it is not there
    elif options.sandbox == "audit":
        from packyard.tasks.engine.execute.audit import strace

        strace()
    debug = options.debug or debugging()
    display = choose_display(json=options.json)
    session = Session(
        root, TABLE, display, locked=options.locked, mode=options.sandbox, jobs=options.jobs, debug=debug, early=early
    )
    session.profile = options.profile and Path(options.profile).absolute()
    try:
        session.lock()
        if options.locked:
            from packyard.tasks.kinds.morloc.lock import refuse_drift  # with all that reads morloc packages

            refuse_drift(root)
        graph = session.graph
        chosen = choose_targets(options.target, graph.nodes, graph.owners, root, commands=PROPOSED)
        names = [name for word in chosen or ["all"] for name in (graph.final if word == "all" else (word,))]
        os.chdir(root)
        status = carry_out(session, names, keep_going=options.keep_going)
    finally:
        session.close()
    return status or (_ask_links(root, graph, names) if options.online else 0)


def _ask_links(root: Path, graph: Graph, names: Sequence[str]) -> int:
    """Ask for every address that the sites among these targets link on other hosts; the exit status."""
    from packyard.tasks.kinds.docs.onlinelinks import ask_links
    from packyard.tasks.kinds.docs.site import site_folders

    asked, dead = ask_links(root, [path for name in names for path in site_folders(graph.targets[name])])
    for one in dead:
        sys.stderr.write(f"error: {one}\n")
    sys.stdout.write(f"{asked - len(dead)} of {asked} addresses on other hosts answer\n")
    return ERRORS if dead else 0


def parser() -> Parser:
    """The options of a build, and all commands."""
    parser = Parser(
        prog="packyard",
        usage="packyard [OPTION...] [TARGET...]\n       packyard COMMAND [WORD...]",
        description="Build targets of this workspace (all final artifacts when none is named), or run a command: "
        "'packyard COMMAND --help' shows its options, with examples.",
        lists={group: {one.name: one.summary for one in COMMANDS if one.group == group} for group in get_args(Group)},
        examples=(
            "packyard",
            "packyard bundle:greet",
            "packyard dist/greet-0.1.0.psp --jobs 4 --fail-fast",
        ),
    )
    add_options(parser)
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version of Packyard, and end")
    return parser


def add_options(parser: Parser) -> None:
    """The targets and options of whatever builds."""
    parser.add_argument("target", nargs="*", help="KIND:NAME, or the path of an artifact")
    parser.add_argument(
        "-n", "--jobs", type=_jobs, default=os.cpu_count() or 1, metavar="N", help="how many actions compute at once"
    )
    going = parser.add_mutually_exclusive_group()
    going.add_argument(
        "--keep-going", action="store_true", default=True, help="build everything else that can be built (the default)"
    )
    going.add_argument("--fail-fast", dest="keep_going", action="store_false", help="start nothing new after a failure")
    parser.add_argument("--json", action="store_true", help="print events as JSON lines")
    parser.add_argument("-v", "--debug", action="store_true", help="show actions, their keys and what they run")
    parser.add_argument("--locked", action="store_true", help="fail if a committed lock is missing")
    parser.add_argument("--online", action="store_true", help="also check the links of sites to other hosts")
    parser.add_argument("--offline", action="store_true", help="download nothing: use what is cached, or fail")
    parser.add_argument(
        "--profile", metavar="FILE", help="write what ran when, for Perfetto (default: .packyard/trace.json)"
    )
    parser.add_argument(
        "--sandbox", choices=("plain", "strict", "audit"), default="plain",
        help="strict: actions see only their declared inputs (by bubblewrap); audit: actions run, are never "
            "restored, and what they read and write without declaring it is listed (by strace)",
    )  # fmt: skip
    parser.add_argument("--key-seed", metavar="TEXT", help="sign with the key derived from this text")
    parser.add_argument("--private-key", metavar="FILE", help="sign with this key (PKCS#8 PEM)")


class _Version(argparse.Action):
    """Prints the version, which is looked up for nobody else."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from packyard.tasks.host.own import version

        sys.stdout.write(f"packyard {version()}\n")
        parser.exit()


def _jobs(text: str) -> int:
    if text == "auto":
        return os.cpu_count() or 1
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of jobs; expected 1 or more, or 'auto'")
    return int(text)
