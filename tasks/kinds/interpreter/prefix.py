"""Where things stand in the Python that a bundle carries: Windows has another layout than all others."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefix:
    """Paths below the prefix: the interpreter, and the folder of modules."""

    program: str
    site: str

    @property
    def up(self) -> str:
        """The way from a package in `site` to the prefix."""
        return posixpath.relpath(".", f"{self.site}/package")


def prefix_of(python: str, platform: str) -> Prefix:
    """The layout of Python 'X.Y' on a platform."""
    if platform.startswith("windows"):
        return Prefix(program="python.exe", site="Lib/site-packages")
    return Prefix(program=f"bin/python{python}", site=f"lib/python{python}/site-packages")
