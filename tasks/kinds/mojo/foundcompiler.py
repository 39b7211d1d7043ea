"""Where a Mojo compiler that somebody else installed keeps its parts: from PATH, a conda or pixi prefix, a virtual
environment, or a tree of ours."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from packyard.tasks.errors import ActionError
from packyard.tasks.kinds.mojo.compiler import Compiler


def find_compiler(text: str) -> Compiler:
    """The compiler at `text`, a folder or the program itself; ActionError when there is none."""
    path = Path(text)
    for tree in _trees(path if path.is_dir() else path.resolve().parent.parent):
        if _is_tree(tree):
            return Compiler("", tree)
    raise ActionError(
        f"{text}: no Mojo compiler found there",
        hint="give the program 'mojo', or the folder of an environment that has it in bin/",
    )


def find_mojo(where: str, root: Path) -> Compiler:
    """The compiler that `mojo_from` of packyard.toml means: 'PATH', or a place as seen from `root`; ActionError when
    there is none."""
    if where != "PATH":
        return find_compiler(os.path.abspath(root / where))
    program = shutil.which("mojo")
    if program is None:
        raise ActionError("there is no 'mojo' on PATH")
    return find_compiler(program)


def compiler_on_path() -> Compiler | None:
    """The compiler that the word `mojo` means here, when its parts can be found."""
    program = shutil.which("mojo")
    if program is None:
        return None
    try:
        return find_compiler(program)
    except ActionError:
        return None


def _trees(prefix: Path) -> Iterator[Path]:
    """Where below a prefix a tree with `bin/mojo` and `lib/mojo` may stand."""
    yield prefix
    yield prefix / "modular"
    for name in ("lib", "lib64"):
        yield from sorted(prefix.glob(f"{name}/python3*/site-packages/modular"))
    yield prefix / "Lib" / "site-packages" / "modular"


def _is_tree(tree: Path) -> bool:
    library = tree / "lib" / "mojo"
    return os.access(tree / "bin" / "mojo", os.X_OK) and any(library.glob("std*.mojo*"))
