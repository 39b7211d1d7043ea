"""The table of commands: command line, help, completion, doit's plug-ins and the README's table are made from it."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Literal

Group = Literal["build", "look", "package", "trust", "keep", "doit's own"]


@dataclass(frozen=True, slots=True)
class Command:
    """One row: `packyard NAME WORDS` does what `summary` says. Its module has `parser()`, the options and examples of
    the command, and `run(words)`, which returns the exit status."""

    name: str
    group: Group
    words: str
    summary: str
    _: KW_ONLY
    file: str = ""  # the name of the module when it is not that of the command
    builds: str = ""  # the kind of target that the command makes: it alone may bear the command's name
    refused: bool = False  # doit has it, and here it would lie: it says why, and is proposed to nobody
    stock: bool = False  # stock doit has a command of this name for its users' tasks, which stays as it is

    @property
    def module(self) -> str:
        """The full name of the module."""
        return f"packyard.tasks.commands.{self.file or self.name.replace('-', '')}"

    @property
    def plugin_class(self) -> str:
        """The name of the class that stock doit loads: 'reset-dep' is ResetDep."""
        return "".join(part.capitalize() for part in self.name.split("-"))


COMMANDS = (
    Command("run", "build", "[TARGET...]",
            "build everything, or the targets named; 'run' may be left out", file="build", stock=True),
    Command("pack", "build", "", "pack one application into a bundle, in a workspace or without"),
    Command("watch", "build", "[TARGET...]", "build again whenever a file changes"),
    Command("serve", "build", "[docs:NAME]", "build a site, and show it to the browsers of this machine"),
    Command("lock", "build", "[NAME...]", "pin dependencies and tools, with hashes"),
    Command("plan", "look", "[TARGET...]", "show what would run, and why; nothing is made"),
    Command("why", "look", "TARGET", "tell why one target would run, or what it was last made from"),
    Command("log", "look", "TARGET...",
            "print a target's build log, even if it was restored from the store"),
    Command("affected", "look", "--since REV", "list targets affected by changes since a git revision"),
    Command("graph", "look", "[TARGET...]", "show the targets and what they are made from"),
    Command("inspect", "look", "FILE", "show what a bundle or a Mojo package contains"),
    Command("extract", "look", "FILE -o DIR", "unpack a bundle into a new folder"),
    Command("diff", "look", "FILE FILE", "show which slots and files differ between two bundles"),
    Command("check", "package", "[NAME...]", "tell whether everything is truly packaged, and what is left to do"),
    Command("lint", "package", "[NAME...]", "show what is wrong or doubtful with morloc packages"),
    Command("bump", "package", "STEP NAME", "take a member to its next version, wherever it stands"),
    Command("ci", "package", "", "write the workflows that build, try and publish this workspace"),
    Command("install", "package", "PACKAGE...",
            "install morloc packages into a home, or Mojo packages into a library folder"),
    Command("uninstall", "package", "NAME...", "take packages out of a home or a library folder"),
    Command("installed", "package", "", "show the packages of a home or a library folder"),
    Command("verify", "trust", "FILE...",
            "check bundles against their signatures, and try other artifacts in clean rooms"),
    Command("repro", "trust", "TARGET...",
            "build twice under different circumstances, and show the first byte that differs"),
    Command("keygen", "trust", "", "make a pair of signing keys"),
    Command("trust", "trust", "add|list|remove", "add, list or remove the keys whose bundles are authentic"),
    Command("init", "keep", "[DIR]", "write a starter workspace; files that exist are kept"),
    Command("cache", "keep", "stats|gc|verify|clear", "tell what the store holds; keep it small and whole"),
    Command("completion", "keep", "SHELL", "print a completion script for bash, zsh or fish"),
    Command("list", "doit's own", "[TARGET...]", "list the targets", stock=True),
    Command("info", "doit's own", "TARGET", "show one target as doit sees it", stock=True),
    Command("clean", "doit's own", "[TARGET...]", "remove artifacts; the store keeps them", stock=True),
    Command("help", "doit's own", "[COMMAND]", "show all commands, or the options and examples of one", stock=True),
    Command("forget", "doit's own", "TARGET...",
            "drop what is remembered of targets; a build restores them from the store, or makes them again"),
    Command("dumpdb", "doit's own", "[TARGET...]", "print what targets were made from, one JSON object a line"),
    Command("ignore", "doit's own", "", "refused: name the targets to build instead", refused=True),
    Command("reset-dep", "doit's own", "", "refused: a build restores what the store has", refused=True),
    Command("strace", "doit's own", "", "refused: actions see their declared inputs alone", refused=True),
)  # fmt: skip
BY_NAME = {command.name: command for command in COMMANDS}
PROPOSED = [command.name for command in COMMANDS if not command.refused]


def plugins() -> dict[str, str]:
    """The commands that stock doit gets from its configuration, each with the place of the class that it loads."""
    return {
        command.name: f"packyard.tasks.commands.plugin:{command.plugin_class}"
        for command in COMMANDS
        if not command.stock
    }
