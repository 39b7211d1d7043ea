"""What of Packyard can have a part in what a module does: the files that it reaches by imports, and the libraries.

Every import statement counts, wherever in a file it stands, and the `__init__` of each package on the way. Those under
`if TYPE_CHECKING` are never run; those in a package's `__getattr__` serve names that nothing in Packyard imports. What
is imported by name, or read as a file, is declared where that is done, by a line `# closure: MODULE`.

Imports are found by a pattern, in a fraction of the time that parsing takes: a text that looks like one counts too, and
a test compares with the syntax tree of every file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from packyard.tasks.host.own import TASKS, own_files

# The distributions behind each library that Packyard imports, with those that they import in turn.
LIBRARIES = {
    "cryptography": ("cryptography", "cffi"),
    "doit": ("doit",),
    "networkx": ("networkx",),
    "packaging": ("packaging",),
    "platformdirs": ("platformdirs",),
    "rich": ("rich", "pygments", "markdown-it-py"),
    "semver": ("semver",),
    "tomlkit": ("tomlkit",),
    "uv": ("uv",),
    "watchfiles": ("watchfiles", "anyio"),
    "xxhash": ("xxhash",),
    "yaml": ("PyYAML",),
    "zlib_ng": ("zlib-ng",),
}
_ROOT = TASKS.parent  # the folder of `packyard`, installed or in a checkout
_NOT_RUN = re.compile(r"^(?:if TYPE_CHECKING:|def __getattr__\(.*)\n(?:[ \t]+.*\n|\n)+", re.M)
_IMPORT = re.compile(
    r"^[ \t]*(?:import[ \t]+(?P<names>[^\n]+)"
    r"|from[ \t]+(?P<module>[\w.]+)[ \t]+import[ \t]+(?P<parts>\([^)]*\)|[^\n]+))"
    r"|^# closure: (?P<declared>[\w.]+)$",
    re.M,
)
_INFO = re.compile(r"(.+?)-([^-]+)\.dist-info")
_COMMENT = re.compile(r"#.*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """What a module reaches: `files` below the folder of Packyard, sorted, and the version of each library, '' for one
    that is not installed. `digest` is over both, in hexadecimal."""

    digest: str
    files: tuple[str, ...]
    libraries: tuple[tuple[str, str], ...]


@cache
def closure_of(module: str) -> Closure:
    """The closure of a module by its full name; of one that is not Packyard's own, all of Packyard."""
    files = _reached(module) or {path.relative_to(_ROOT).as_posix() for path in own_files()}
    tops = {top for file in files for top in _look(file).libraries}
    libraries = {name: _version(name) for top in tops for name in LIBRARIES[top]}
    digests = {file: _look(file).digest for file in files}
    text = json.dumps([digests, libraries], sort_keys=True)
    return Closure(
        digest=hashlib.sha256(text.encode()).hexdigest(),
        files=tuple(sorted(files)),
        libraries=tuple(sorted(libraries.items())),
    )


def records() -> Iterator[Path]:
    """A file of each library that may be in a closure, which goes when another version is installed."""
    for name in dict.fromkeys(name for names in LIBRARIES.values() for name in names):
        if found := _installed().get(_plain(name)):
            yield found[1] / "METADATA"


def module_of(run: str) -> str:
    """The module in which the function 'module:name' stands."""
    return run.partition(":")[0]


@dataclass(frozen=True, slots=True)
class _Looked:
    """One file: the digest of its bytes, the modules of Packyard that it imports, and the libraries."""

    digest: str
    modules: frozenset[str]
    libraries: frozenset[str]


def _reached(module: str) -> set[str]:
    found: set[str] = set()
    waiting = [module]
    while waiting:
        for file in _files(waiting.pop()):
            if file not in found:
                found.add(file)
                waiting.extend(_look(file).modules)
    return found


@cache
def _files(module: str) -> tuple[str, ...]:
    """The files that run when a module is imported: its packages', and its own."""
    words = module.split(".")
    parts = (".".join(words[:end]) for end in range(2, len(words) + 1))
    return tuple(file for part in parts if (file := _file(part)))


@cache
def _file(module: str) -> str | None:
    """The file of a module of Packyard, below its folder; None for what is none."""
    top, _, rest = module.partition(".")
    if top != "packyard" or not rest.startswith(("tasks", "formats")):
        return None
    path = rest.replace(".", "/")
    folder, _, name = path.rpartition("/")
    there = _listed(folder)
    if f"{name}.py" in there:
        return f"{path}.py"
    return f"{path}/__init__.py" if name in there and "__init__.py" in _listed(path) else None


@cache
def _listed(folder: str) -> frozenset[str]:
    """The names in a folder of Packyard; none for what is no folder."""
    try:
        return frozenset(os.listdir(_ROOT / folder))
    except OSError:
        return frozenset()


@cache
def _look(file: str) -> _Looked:
    content = (_ROOT / file).read_bytes()
    names = set(imported(content.decode()))
    return _Looked(
        hashlib.sha256(content).hexdigest(),
        frozenset(name for name in names if name.startswith("packyard.")),
        frozenset(name.partition(".")[0] for name in names) & LIBRARIES.keys(),
    )


def imported(text: str) -> Iterator[str]:
    """The full name of everything that a text of Python may import, and of what it declares."""
    if "TYPE_CHECKING" in text or "__getattr__" in text:  # few files
        text = _NOT_RUN.sub("", text)
    for found in _IMPORT.finditer(text):
        if found["declared"]:
            yield found["declared"]
        elif found["names"]:
            yield from _names(found["names"])
        else:
            yield found["module"]
            yield from (f"{found['module']}.{name}" for name in _names(found["parts"]))


def _names(text: str) -> Iterator[str]:
    for part in _COMMENT.sub("", text).strip("() \t").split(","):
        if words := part.strip("() \t\n;").split():
            yield words[0]


@cache
def _version(distribution: str) -> str:
    """The version of a distribution as its folder is named, which costs a hundredth of importing what reads it."""
    if found := _installed().get(_plain(distribution)):
        return found[0]
    from importlib import metadata  # installed in an unusual way, or not at all

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


@cache
def _installed() -> dict[str, tuple[str, Path]]:
    """The version and the folder of each distribution on the path of modules, by its plain name; of two, those of the
    first."""
    versions: dict[str, tuple[str, Path]] = {}
    for folder in sys.path:
        with contextlib.suppress(OSError):
            for name in os.listdir(folder or "."):
                if found := _INFO.fullmatch(name):
                    versions.setdefault(_plain(found[1]), (found[2], Path(folder, name)))
    return versions


def _plain(name: str) -> str:
    """The name of a distribution, normalized as PEP 503 says."""
    return re.sub(r"[-_.]+", "-", name).lower()
