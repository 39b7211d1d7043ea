"""The words of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


# Each with what it does, for --help, for stock doit and for shells. Those of the trace share one module.
COMMANDS = {
    "pack": "pack one application into a bundle, in a workspace or without",
    "plan": "show what would run, and why; nothing is made",
    "why": "tell why one target would run, or what it was last made from",
    "log": "print what the action of a target wrote, also when its result came out of the store",
    "affected": "show the targets that changes since a revision of git touch",
    "repro": "build twice under different circumstances, and show the first byte that differs",
    "watch": "build again whenever a file changes",
    "serve": "build a site, and show it to the browsers of this machine",
    "cache": "tell what the store holds; keep it small and whole",
    "graph": "show the targets and what they are made from",
    "lock": "pin dependencies, with hashes",
    "inspect": "show what a bundle or a Mojo package contains",
    "extract": "unpack a bundle into a new folder",
    "verify": "check bundles against their signatures, and try other artifacts in clean rooms",
    "diff": "show which slots and files differ between two bundles",
    "trust": "add, list or remove the keys whose bundles are authentic",
    "keygen": "make a pair of signing keys",
    "lint": "show what is wrong or doubtful with morloc packages",
    "install": "install morloc packages into a home, or Mojo packages into a library folder",
    "uninstall": "take packages out of a home or a library folder",
    "installed": "show the packages of a home or a library folder",
    "check": "tell whether everything is truly packaged, and what is left to do",
    "bump": "take a member to its next version, wherever it stands",
    "ci": "write the workflows that build, try and publish this workspace",
    "init": "write a starter workspace; files that exist are kept",
    "completion": "print a completion script for bash, zsh or fish",
}
DOIT_COMMANDS = {
    "list": "list the targets",
    "info": "show one target as doit sees it",
    "clean": "remove artifacts; the store keeps them",
    "help": "show this, or more about a command",
}
TRACE_COMMANDS = {
    "forget": "drop what is remembered of targets; a build restores them from the store, or makes them again",
    "dumpdb": "print what targets were made from, one JSON object a line",
    "ignore": "refused: name the targets to build instead",
    "reset-dep": "refused: a build restores what the store has",
    "strace": "refused: actions see their declared inputs alone",
}
