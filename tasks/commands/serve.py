"""`packyard serve`: builds a site and shows it in the browsers of this machine."""

from __future__ import annotations

import argparse
import os
import signal
from pathlib import Path

from packyard.formats.errors import Problem
from packyard.tasks.console.display import choose_display
from packyard.tasks.console.output import say
from packyard.tasks.console.parser import Parser
from packyard.tasks.console.run import carry_out
from packyard.tasks.console.selection import choose_targets
from packyard.tasks.engine.build.opening import find_workspace
from packyard.tasks.engine.build.session import Session
from packyard.tasks.engine.graph.graph import Graph
from packyard.tasks.errors import UsageError
from packyard.tasks.kinds import TABLE
from packyard.tasks.kinds.docs.site import site_folders
from packyard.tasks.web.siteserver import HOST, site_server


def run(words: list[str]) -> int:
    """Build the site that `words` name, and serve it until interrupted; the exit status."""
    options = parser().parse_args(words)
    root = find_workspace(Path.cwd())
    session = Session(root, TABLE, choose_display(json=False), jobs=os.cpu_count() or 1)
    try:
        session.lock()
        name = _chosen(session.graph, options.target, root)
        (folder,) = site_folders(session.graph.targets[name])
        os.chdir(root)
        # The port is taken first, so that nobody waits for a build to hear that it cannot be had.
        with site_server(root / folder, options.port, lambda path: say(f"not found: {path}")) as server:
            status = carry_out(session, [name])
            session.close()
            if status == 0:
                signal.signal(signal.SIGINT, signal.default_int_handler)  # a build takes it for itself
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                say(f"serving {folder}/ at http://{HOST}:{server.server_port}/ (Ctrl-C ends it)")
                server.serve_forever()
            return status
    finally:
        session.close()


def _chosen(graph: Graph, words: list[str], root: Path) -> str:
    sites = [name for name in graph.nodes if name.startswith("docs:")]
    if not sites:
        hint = "add '[[docs]]' with name and version to packyard.toml"
        raise UsageError(Problem("this workspace has no site", hint=hint))
    names = choose_targets(words, graph.nodes, graph.owners, root) if words else sites
    if len(names) != 1 or names[0] not in sites:
        raise UsageError(Problem(f"expected one site; there are: {', '.join(sites)}"))
    return names[0]


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard serve",
        description="Build a site, and serve it on 127.0.0.1 until interrupted.",
        examples=("packyard serve", "packyard serve docs:guide --port 0"),
    )
    parser.add_argument("target", nargs="*", help="docs:NAME (default: the only one)")
    parser.add_argument("--port", type=_port, default=8000, metavar="N", help="default: 8000; 0 picks a free one")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; expected 0 to 65535")
    return int(text)
