"""Where Python keeps a module's bytecode (PEP 3147)."""

from __future__ import annotations


def cached_path(source: str, version: str) -> str:
    """The bytecode file of a module by the path of its source: for CPython 3.12 `a/b.py` has
    `a/__pycache__/b.cpython-312.pyc`."""
    folder, slash, name = source.rpartition("/")
    return f"{folder}{slash}__pycache__/{name.removesuffix('.py')}.cpython-{version.replace('.', '')}.pyc"
