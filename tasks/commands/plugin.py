"""Packyard's commands as plug-ins of stock doit: `doit plan` is `packyard plan`.

doit finds the classes through the workspace's own configuration, which `packyard init` writes, and not through
entry points, which would reach every doit project of the environment.
"""

from __future__ import annotations

from importlib import import_module

from doit.cmd_base import Command
from packyard.tasks import cli


class _Plugin(Command):  # type: ignore[misc]
    """Hands its words to Packyard's command line, which parses them, speaks to the user and gives the status."""

    def parse_execute(self, words: list[str]) -> int:
        """What doit calls with the words after the command's name."""
        return cli.run([self.name, *words])


def _plugin(name: str) -> type[_Plugin]:
    module = "trace" if name in cli.TRACE_COMMANDS else name
    purpose = import_module(f"packyard.tasks.commands.{module}").HELP
    described = {
        "name": name,
        "doc_purpose": purpose[name] if isinstance(purpose, dict) else purpose,
        "doc_usage": "... ('--help' tells more)",
    }
    return type(name, (_Plugin,), described)


Plan = _plugin("plan")
Why = _plugin("why")
Graph = _plugin("graph")
Forget = _plugin("forget")
Ignore = _plugin("ignore")
ResetDep = _plugin("reset-dep")
Dumpdb = _plugin("dumpdb")
Strace = _plugin("strace")
