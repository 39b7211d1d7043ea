"""The command line: builds by default, dispatches to commands, and speaks to people in one voice."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from packyard.formats.errors import FormatError, Problem
from packyard.tasks.console.names import COMMANDS, DOIT_COMMANDS, TRACE_COMMANDS
from packyard.tasks.console.selection import choose_targets
from packyard.tasks.errors import ActionError, UsageError

if TYPE_CHECKING:
    from doit.doit_cmd import DoitMain
    from packyard.tasks.engine.build.session import Front
    from packyard.tasks.engine.graph.graph import Graph
    from packyard.tasks.nullpath import Early

ERRORS, USAGE, INTERRUPTED = 1, 2, 130
_DOIT_REFUSED = 3  # doit's status for a command line it does not understand


def run(words: Sequence[str], early: Early | None = None) -> int:
    """Run one command line; returns the exit status. `early` is what its start found out already."""
    words = list(words)
    try:
        if words[:1] == ["help"]:
            return _help(words[1:])
        if words and words[0] in (*COMMANDS, *TRACE_COMMANDS):
            name = "trace" if words[0] in TRACE_COMMANDS else words[0]
            command = importlib.import_module(f"packyard.tasks.commands.{name}")
            return int(command.run(words if name == "trace" else words[1:]))
        if words and words[0] in DOIT_COMMANDS:
            return _doit(words)
        return _build(words[1:] if words[:1] == ["run"] else words, early)
    except UsageError as error:
        complain(error)
        return USAGE
    except (FormatError, ActionError) as error:
        return complain(error)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output is gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ERRORS


def complain(error: FormatError | ActionError) -> int:
    """Say what is wrong on standard error; the exit status for it."""
    problems = error.problems if isinstance(error, FormatError) else (error,)
    for problem in problems:
        sys.stderr.write(f"error: {problem}\n")
    return ERRORS


def _build(words: list[str], early: Early | None) -> int:
    options = _parser().parse_args(words)
    for option, variable in (("key_seed", "PACKYARD_KEY_SEED"), ("private_key", "PACKYARD_PRIVATE_KEY")):
        value = getattr(options, option)
        if value is not None:
            os.environ[variable] = os.path.abspath(value) if option == "private_key" else value
    if options.offline:
        os.environ["UV_OFFLINE"] = "1"
    from packyard.tasks.engine.build.opening import find_workspace
    from packyard.tasks.engine.build.session import Front, choose_display

    root = find_workspace(Path.cwd())
    if options.sandbox == "strict":
        from packyard.tasks.engine.execute.strict import bubblewrap

        bubblewrap()  # say at once when it is not there
    elif options.sandbox == "audit":
        from packyard.tasks.engine.execute.audit import strace

        strace()
    debug = options.debug or debugging()
    display = choose_display(json=options.json)
    front = Front(
        root, display, locked=options.locked, mode=options.sandbox, jobs=options.jobs, debug=debug, early=early
    )
    front.profile = options.profile and Path(options.profile).absolute()
    try:
        front.lock()
        if options.locked:
            from packyard.tasks.kinds.morloc.lock import refuse_drift  # with all that reads morloc packages

            refuse_drift(root)
        graph = front.graph
        chosen = choose_targets(options.target, graph.nodes, graph.owners, root)
        names = [name for word in chosen or ["all"] for name in (graph.final if word == "all" else (word,))]
        os.chdir(root)
        status = carry_out(front, names, keep_going=options.keep_going)
    finally:
        front.close()
    return status or (_ask_links(root, graph, names) if options.online else 0)


def carry_out(front: Front, names: Sequence[str], *, keep_going: bool = True) -> int:
    """Make what is stale of `names` and of all that they need; the exit status."""
    remaining = front.start(names)
    if not remaining:
        front.finish()
        return 0
    from doit.doit_cmd import DoitMain  # costs 0.1 s, only what runs needs it
    from packyard.tasks.console.doit import Loader

    arguments = ["run", "-n", str(front.gate.threads), *([] if keep_going else ["--no-continue"])]
    return ERRORS if DoitMain(Loader(front, remaining), config_filenames=()).run(arguments) else 0


def _ask_links(root: Path, graph: Graph, names: Sequence[str]) -> int:
    """Ask for every address that the sites among these targets link on other hosts; the exit status."""
    from packyard.tasks.kinds.docs.onlinelinks import ask_links
    from packyard.tasks.kinds.docs.site import site_folders

    asked, dead = ask_links(root, [path for name in names for path in site_folders(graph.targets[name])])
    for one in dead:
        sys.stderr.write(f"error: {one}\n")
    sys.stdout.write(f"{asked - len(dead)} of {asked} addresses on other hosts answer\n")
    return ERRORS if dead else 0


def debugging() -> bool:
    """Whether the environment asks for details, by the names that FlavorPack has."""
    return "debug" in (os.environ.get(name, "").lower() for name in ("FOUNDATION_LOG_LEVEL", "FLAVOR_LOG_LEVEL"))


def _doit(words: list[str]) -> int:
    from doit.doit_cmd import DoitMain
    from packyard.tasks.console.doit import Loader
    from packyard.tasks.engine.build.opening import find_workspace
    from packyard.tasks.engine.build.session import Front

    if not {"-h", "--help"}.isdisjoint(words[1:]):
        words = ["help", words[0]]
    if words[0] == "help" and words[1] in DOIT_COMMANDS:  # asks for no workspace
        return _said(DoitMain(Loader(Front(Path.cwd())), config_filenames=()), words)
    root = find_workspace(Path.cwd())
    os.chdir(root)
    front = Front(root)
    try:
        graph = front.graph  # what is wrong with the workspace is said by us
        main = DoitMain(Loader(front), config_filenames=())
        if words[0] == "help":
            choose_targets(words[1:], graph.nodes, {}, root)
        else:
            _check_words(main, words, graph)
        if words[0] == "clean" and {"-n", "--dry-run"}.isdisjoint(words):
            front.lock()  # what hinders it is said by us
        status = _said(main, words)
        return USAGE if status == _DOIT_REFUSED else ERRORS if status else 0
    finally:
        front.close()


def _said(main: DoitMain, words: list[str]) -> int:
    """Run a command of doit, which shows its insides when it cleans, when its reader is gone, or when the disk is full;
    its status."""
    from packyard.tasks.console.output import say

    with redirect_stdout(StringIO()) as out:
        status = int(main.run(words) or 0)
    say(*(line for line in out.getvalue().splitlines() if not line.endswith(" - executing 'Python: function _clean'")))
    return status


def _check_words(main: DoitMain, words: list[str], graph: Graph) -> None:
    """Refuse what doit would answer with its own insides: unknown options, and targets that are none."""
    from doit.cmdparse import CmdParseError

    command = main.get_cmds().get_plugin(words[0])(task_loader=main.task_loader)
    try:
        _, named = command.cmdparser.parse(words[1:])
    except CmdParseError as error:
        what = str(error).removeprefix("Error parsing Command: ").partition(" (parsing options")[0]
        raise UsageError(Problem(what, place=words[0], hint=f"'packyard help {words[0]}' shows its options")) from None
    choose_targets([name for name in named if "*" not in name], graph.nodes, {}, Path())
    if words[0] == "info" and len(named) != 1:
        raise UsageError(Problem("one target was expected", place="info", hint="'packyard list' shows them"))


def _help(words: list[str]) -> int:
    if not words:
        _parser().print_help()
        return 0
    return run([words[0], "--help"]) if words[0] in (*COMMANDS, *TRACE_COMMANDS) else _doit(["help", *words])


def _parser() -> argparse.ArgumentParser:
    known = {**COMMANDS, **DOIT_COMMANDS, **TRACE_COMMANDS}
    lines = [f"  {name:12}{purpose}" for name, purpose in known.items()]
    parser = argparse.ArgumentParser(
        prog="packyard",
        description="Build targets of this workspace (all final artifacts when none is named).",
        epilog="\n".join(["commands ('packyard COMMAND --help' tells more):", *lines]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("target", nargs="*", help="KIND:NAME, or the path of an artifact")
    parser.add_argument(
        "-n", "--jobs", type=_jobs, default=os.cpu_count() or 1, metavar="N", help="actions that compute at once"
    )
    going = parser.add_mutually_exclusive_group()
    going.add_argument("--keep-going", action="store_true", default=True, help="build what else can be (the default)")
    going.add_argument("--fail-fast", dest="keep_going", action="store_false", help="start nothing after a failure")
    parser.add_argument("--json", action="store_true", help="events as JSON lines")
    parser.add_argument("-v", "--debug", action="store_true", help="show actions, their keys and what they run")
    parser.add_argument("--locked", action="store_true", help="refuse what has no committed lock")
    parser.add_argument("--online", action="store_true", help="ask for the addresses that sites link on other hosts")
    parser.add_argument("--offline", action="store_true", help="download nothing: take what is in caches, or fail")
    parser.add_argument("--profile", metavar="FILE", help="what ran when, for Perfetto; default: .packyard/trace.json")
    parser.add_argument(
        "--sandbox", choices=("plain", "strict", "audit"), default="plain",
        help="strict: actions see their declared inputs alone (by bubblewrap); audit: they run, are never restored, "
        "and what they read and write undeclared is listed (by strace)",
    )  # fmt: skip
    parser.add_argument("--key-seed", metavar="TEXT", help="sign with the key made from this text")
    parser.add_argument("--private-key", metavar="FILE", help="sign with this key (PKCS#8 PEM)")
    parser.add_argument("--version", action="version", version=f"packyard {version()}")
    return parser


def version() -> str:
    """The version of this Packyard."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("packyard")
    except PackageNotFoundError:
        return "0 (not installed)"


def _jobs(text: str) -> int:
    if text == "auto":
        return os.cpu_count() or 1
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of jobs (1 or more, or 'auto')")
    return int(text)
