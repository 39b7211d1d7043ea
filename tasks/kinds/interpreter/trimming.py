"""What a bundle does not need of an installed Python, by paths relative to its prefix (`lib/python3.12/...`)."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

# Standard-library packages for tests, for windows on a screen, for installing, and what needs those.
_FOLDERS = frozenset(
    {
        "__pycache__", "dist-packages", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "site-packages", "test",
        "tests", "tkinter", "turtledemo",
    }
)  # fmt: skip
_FILES = (
    "*.pyc", "*.a", "*.exe", "turtle.py", "sitecustomize.py", "usercustomize.py", "EXTERNALLY-MANAGED", "BUILD",
)  # fmt: skip
# Extension modules: tests; and those whose libraries are under the GPL (readline, gdbm) or the Sleepycat licence
# (dbm), which a bundle may not want to pass on, or drag in Kerberos (nis).
_EXTENSIONS = re.compile(r"(_tkinter|_test\w*|_ctypes_test|_xxtestfuzz|xx\w*|readline|_gdbm|_dbm|nis)\.[\w.-]*so")
_STDLIB = re.compile(r"lib/python3\.\d+/|Lib/")
_LIBRARY = re.compile(r"lib/lib[^/]+\.(so(\.[\w.]+)?|dylib)")
_PROGRAM = re.compile(r"bin/python3\.\d+")
_WINDOWS = re.compile(r"python\.exe|\w+\.dll|DLLs/(?!_test|_tkinter|tcl|tk)[\w-]+\.(pyd|dll)")


def entered(folder: str) -> bool:
    """Whether anything below a folder, given by its name or any path to it, can be kept."""
    name = folder.rpartition("/")[2]
    return name not in _FOLDERS and not name.startswith("config-")


def is_binary(path: str) -> bool:
    """Whether a kept path is one of a program or a library."""
    return path.startswith("bin/") or ".so" in path.rpartition("/")[2]


def kept(path: str) -> bool:
    """Whether a bundle carries this file of a Python's prefix: program, libraries, a trimmed standard library."""
    if _WINDOWS.fullmatch(path):
        return True
    if _PROGRAM.fullmatch(path) or _LIBRARY.fullmatch(path):
        return "libpython3.so" not in path
    stdlib = _STDLIB.match(path)
    if not stdlib:
        return False
    folders = path[stdlib.end() :].split("/")
    name = folders.pop()
    return not (
        not all(entered(folder) for folder in folders)
        or any(fnmatchcase(name, pattern) for pattern in _FILES)
        or _EXTENSIONS.fullmatch(name)
    )
