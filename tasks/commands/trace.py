"""doit's own commands about its database, answered from our trace: `forget` and `dumpdb`; the others are refused."""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from packyard.formats.units import count_text
from packyard.tasks.console.names import TRACE_COMMANDS
from packyard.tasks.console.output import say
from packyard.tasks.console.selection import choose_targets
from packyard.tasks.engine.build.opening import find_workspace, open_workspace
from packyard.tasks.engine.store.store import full_or
from packyard.tasks.engine.trace.trace import FOLDER, Trace
from packyard.tasks.errors import ActionError
from packyard.tasks.host.filelock import exclusive

_REFUSED = {
    "ignore": (
        "a target that is passed over would leave a stale artifact that looks fresh",
        "build others by name: 'packyard TARGET...'",
    ),
    "reset-dep": (
        "an artifact is fresh when it was made from its inputs, which cannot be declared afterwards",
        "run 'packyard': what the store has is restored, nothing runs twice",
    ),
    "strace": (
        "an action runs in a folder that holds its declared inputs alone, there is nothing to trace",
        "'packyard dumpdb TARGET' prints what it was made from",
    ),
}


def run(words: list[str]) -> int:
    """Run the command that is the first of `words`; the exit status. ActionError when it is one of those refused."""
    name, rest = words[0], words[1:]
    if name == "forget":
        return _forget(rest)
    if name == "dumpdb":
        return _dump(rest)
    argparse.ArgumentParser(prog=f"packyard {name}", description=f"{TRACE_COMMANDS[name]}.").parse_known_args(rest)
    reason, hint = _REFUSED[name]
    raise ActionError(f"{name}: {reason}", hint=hint)


def _forget(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="packyard forget", description=f"{TRACE_COMMANDS['forget']}.")
    parser.add_argument("target", nargs="*", help="KIND:NAME")
    parser.add_argument("-a", "--all", action="store_true", help="every target, also those that are no more")
    options = parser.parse_args(words)
    if bool(options.target) == options.all:
        parser.error("name targets, or give --all")
    root = find_workspace(Path.cwd())
    with ExitStack() as stack:
        try:
            (root / FOLDER).mkdir(exist_ok=True)
            lock = exclusive(root / FOLDER / "lock", keep=True, waiting=lambda: say("waiting for another build here"))
            stack.enter_context(lock)
        except OSError as error:
            raise full_or(error, f"{FOLDER}/lock") from None
        trace = Trace(root)
        stack.callback(trace.close)
        known = trace.records()
        if not options.all:
            graph = open_workspace(root, readonly=True).graph
            names = choose_targets(options.target, {*graph.nodes, *known}, {}, root)
            wanted = {name for word in names for name in (graph.closure(graph.final) if word == "all" else (word,))}
            known = {name: record for name, record in known.items() if name in wanted}
        trace.forget(known)
    say(f"forgot {count_text(len(known), 'target')}")
    return 0


def _dump(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="packyard dumpdb", description=f"{TRACE_COMMANDS['dumpdb']}.")
    parser.add_argument("target", nargs="*", help="KIND:NAME (default: all that was ever made)")
    options = parser.parse_args(words)
    root = find_workspace(Path.cwd())
    records = Trace(root, readonly=True).records()
    for name in choose_targets(options.target, records, {}, root) or records:
        say(json.dumps({"name": name, **asdict(records[name])}, sort_keys=True))
    return 0
