"""Packyard's commands as plug-ins of stock doit: `doit plan` is `packyard plan`.

doit finds the classes through the workspace's own configuration, which `packyard init` writes, and not through
entry points, which would reach every doit project of the environment.
"""

from __future__ import annotations

from doit.cmd_base import Command
from packyard.tasks.commands import cli
from packyard.tasks.commands.table import COMMANDS


class _Plugin(Command):  # type: ignore[misc]
    """Hands its words to Packyard's command line, which parses them, speaks to the user and gives the status."""

    def parse_execute(self, words: list[str]) -> int:
        """What doit calls with the words after the command's name."""
        return cli.run([self.name, *words])


def __getattr__(attribute: str) -> type[_Plugin]:
    """The class of a command, made from its row of the table when doit asks for it."""
    for row in COMMANDS:
        if row.plugin_class == attribute:
            usage = "... ('--help' shows more)"
            return type(attribute, (_Plugin,), {"name": row.name, "doc_purpose": row.summary, "doc_usage": usage})
    raise AttributeError(f"module {__name__!r} has no attribute {attribute!r}")
