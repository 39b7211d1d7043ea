"""Packyard's commands as plug-ins of stock doit: `doit plan` is `packyard plan`.

doit finds the classes through the workspace's own configuration, which `packyard init` writes, and not through
entry points, which would reach every doit project of the environment.
"""

from __future__ import annotations

from doit.cmd_base import Command
from packyard.tasks.console import cli, names


class _Plugin(Command):  # type: ignore[misc]
    """Hands its words to Packyard's command line, which parses them, speaks to the user and gives the status."""

    def parse_execute(self, words: list[str]) -> int:
        """What doit calls with the words after the command's name."""
        return cli.run([self.name, *words])


def _plugin(name: str) -> type[_Plugin]:
    purpose = {**names.COMMANDS, **names.TRACE_COMMANDS}[name]
    return type(name, (_Plugin,), {"name": name, "doc_purpose": purpose, "doc_usage": "... ('--help' tells more)"})


Pack = _plugin("pack")
Plan = _plugin("plan")
Why = _plugin("why")
Log = _plugin("log")
Affected = _plugin("affected")
Repro = _plugin("repro")
Watch = _plugin("watch")
Serve = _plugin("serve")
Cache = _plugin("cache")
Graph = _plugin("graph")
Lock = _plugin("lock")
Inspect = _plugin("inspect")
Extract = _plugin("extract")
Verify = _plugin("verify")
Diff = _plugin("diff")
Trust = _plugin("trust")
Keygen = _plugin("keygen")
Lint = _plugin("lint")
Install = _plugin("install")
Uninstall = _plugin("uninstall")
Installed = _plugin("installed")
Check = _plugin("check")
Ci = _plugin("ci")
Bump = _plugin("bump")
Forget = _plugin("forget")
Dumpdb = _plugin("dumpdb")
Ignore = _plugin("ignore")
ResetDep = _plugin("reset-dep")
Strace = _plugin("strace")
