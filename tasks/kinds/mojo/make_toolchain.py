"""Make the tree of a Mojo compiler: install it from its lock, or wrap the one that is on this machine."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from packyard.tasks.errors import ActionError
from packyard.tasks.index.installtree import install_as_is
from packyard.tasks.kinds.mojo.compiler import Compiler, agrees
from packyard.tasks.target.params import Params
from packyard.tasks.target.room import Room

# The distribution `mojo` is this one with a debugger, a formatter and notebooks, which are two thirds of its size.
DISTRIBUTION = "mojo-compiler"
_TREE = "modular"  # where the distribution keeps everything but its Python launchers


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolchainParams(Params):
    """The parameters of a compiler of the package index: its version, and the platform ('linux_amd64') it runs on."""

    version: str
    platform: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentParams(Params):
    """The parameters of a compiler that is here already: the version it must be and the file that says so, the full
    path of its program, and the variables that tell the program where its parts are."""

    version: str
    said_by: str
    program: str
    environment: Mapping[str, str]


def make_toolchain(room: Room[ToolchainParams]) -> None:
    """Install what the lock lists, each file checked against its hash, and keep the compiler's own tree of it."""
    site = room.scratch / "site"
    install_as_is(room, room.inputs / "pylock.toml", site, python=sys.executable, what="the compiler")
    version = room.params.version
    tree = room.outputs / "toolchain"
    if not (site / _TREE).is_dir():
        raise ActionError(f"{DISTRIBUTION} {version} contains no folder '{_TREE}'; this version is not supported")
    shutil.move(site / _TREE, tree)
    compiler = Compiler(version, tree)
    compiler.library()
    room.run([compiler.program, "--version"], env=compiler.environment())


def make_present(room: Room[PresentParams]) -> None:
    """A tree whose program calls the compiler that is there, and that holds its standard library for comparison."""
    params = room.params
    tree = room.outputs / "toolchain"
    (tree / "bin").mkdir(parents=True)
    shutil.copytree(room.inputs / "lib", tree / "lib")
    words = [f"{name}={value}" for name, value in sorted(params.environment.items())]
    compiler = Compiler(params.version, tree)
    compiler.program.write_text(f'#!/bin/sh\nexec env {shlex.join([*words, params.program])} "$@"\n', encoding="utf-8")
    compiler.program.chmod(0o755)
    compiler.library()
    room.run([compiler.program, "--version"])
    said = re.findall(r"(?im)^mojo (\S+)", room.log.read_text(encoding="utf-8", errors="replace"))
    if said and not agrees(said[-1], params.version):
        raise ActionError(f"{params.program}: is Mojo {said[-1]}, but {params.said_by} says {params.version}")
