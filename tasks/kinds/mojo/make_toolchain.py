"""Install a Mojo compiler from its lock."""

from __future__ import annotations

import shutil
import sys
from typing import Any

from packyard.tasks.errors import ActionError
from packyard.tasks.index.installtree import install_as_is
from packyard.tasks.kinds.mojo.compiler import Compiler
from packyard.tasks.kinds.mojo.toolchain import _DISTRIBUTION, _TREE
from packyard.tasks.target.room import Room


def make_toolchain(room: Room[Any]) -> None:
    """Install what the lock lists, each file checked against its hash, and keep the compiler's own tree of it."""
    site = room.scratch / "site"
    install_as_is(room, room.inputs / "pylock.toml", site, python=sys.executable, what="the compiler")
    version = room.params["version"]
    tree = room.outputs / "toolchain"
    if not (site / _TREE).is_dir():
        raise ActionError(f"{_DISTRIBUTION} {version} holds no folder '{_TREE}', this version is not known")
    shutil.move(site / _TREE, tree)
    compiler = Compiler(version, tree)
    compiler.library()
    room.run([compiler.program, "--version"], env=compiler.environment())
