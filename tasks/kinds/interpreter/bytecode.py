"""Bytecode that travels in a bundle, so that its first start need not compile what it imports.

Every file is compiled by the Python that the bundle carries, after the same others each time, under the path that
it has below the prefix. It is "unchecked-hash" bytecode (PEP 552), which holds neither time nor place: Python
takes it without a look at the source, and the same source gives the same bytes in every folder.

Not everything is worth its bytes: they are unpacked, and digested for the seal, at the same first start. Of the
standard library it is what programs commonly import, of the distributions all but pip, their tests, and what helps
others to test.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from packyard.formats.archive.entry import Entry
from packyard.formats.python.module import cached_path
from packyard.tasks.target.room import Room

_PROCESSES = 4
_NOT_AT_A_START = frozenset({"test", "testing", "tests"})
_WORTH_A_PROCESS = 100  # files; how many processes there are depends on them alone, not on the machine
# Started without site-packages, but not isolated: the hash seed of an action's environment has to count.
_FLAGS = ("-s", "-S", "-W", "ignore")
# Writes a line that says which bytecode follows, as JSON, and that bytecode.
_ANSWER = """
def answer(found, place):
    with open(place, "wb") as out:
        out.write(json.dumps([(path, len(data)) for path, data in found]).encode() + b"\\n")
        for _, data in found:
            out.write(data)
"""
# Reads the same of modules.
_COMPILE = f"""{_ANSWER}
import gc, json, sys
from importlib._bootstrap_external import _code_to_hash_pyc
from importlib.util import source_hash
gc.disable()
found = []
with open(sys.argv[1], "rb") as given:
    for path, size in json.loads(given.readline()):
        source = given.read(size)
        try:
            code = compile(source, "/" + path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError) as error:
            print(path, "is not a module for this Python:", type(error).__name__)
        else:
            found.append((path, _code_to_hash_pyc(code, source_hash(source), False)))
answer(found, sys.argv[2])
"""
# Imports modules, and keeps the bytecode of all that this loads: each is compiled once, for both. What was loaded
# before anything could be kept (the encodings) is compiled at the end.
_IMPORT = f"""{_ANSWER}
import importlib, json, sys
from importlib._bootstrap_external import _code_to_hash_pyc
from importlib.machinery import SourceFileLoader
from importlib.util import source_hash
names, root = json.loads(sys.argv[1]), sys.argv[2]
found = []
def compiled(self, name):
    data = self.get_data(self.path)
    code = self.source_to_code(data, self.path[len(root):])
    found.append((self.path[len(root) + 1:], _code_to_hash_pyc(code, source_hash(data), False)))
    return code
early = [module.__spec__ for module in sys.modules.values() if getattr(module, "__spec__", None)]
SourceFileLoader.get_code = compiled
for name in names:
    try:
        importlib.import_module(name)
    except ImportError:
        pass
for spec in sorted((spec for spec in early if isinstance(spec.loader, SourceFileLoader)), key=lambda spec: spec.origin):
    spec.loader.get_code(spec.name)
answer(found, sys.argv[3])
"""
# What programs import of the standard library on their way up: command lines, servers, clients, data.
_COMMON = (
    "__future__", "argparse", "ast", "asyncio", "base64", "bisect", "bz2", "calendar", "codecs", "collections.abc",
    "concurrent.futures", "contextlib", "contextvars", "copy", "csv", "ctypes", "dataclasses",
    "datetime", "decimal", "difflib", "email.message", "email.parser", "encodings.ascii", "encodings.idna",
    "encodings.latin_1", "fnmatch", "fractions", "functools", "getpass", "gettext", "glob", "gzip", "hashlib",
    "heapq", "hmac", "html.parser", "http.client", "http.cookiejar", "http.cookies", "http.server",
    "importlib.metadata", "importlib.resources", "inspect", "ipaddress", "json", "linecache", "locale",
    "logging.config", "logging.handlers", "lzma", "mimetypes", "numbers", "pathlib",
    "pickle", "pkgutil", "platform", "pprint", "queue", "random", "secrets", "selectors", "shlex", "shutil",
    "signal", "socketserver", "ssl", "string", "subprocess", "sysconfig",
    "tempfile", "textwrap", "threading", "tokenize", "tomllib", "traceback", "typing", "urllib.request", "uuid",
    "weakref", "wsgiref.simple_server", "zipfile", "zoneinfo",
)  # fmt: skip


def compile_modules(room: Room[object], python: Path, modules: Mapping[str, bytes], version: str) -> dict[str, Entry]:
    """The bytecode of modules, each a text under its path below the prefix, by this path: files that stand in the
    `__pycache__` beside it. A file that is not a module for this Python is told in the log and left out."""
    paths = sorted(modules, key=str.encode)
    if not paths:
        return {}
    parts = min(_PROCESSES, 1 + len(paths) // _WORTH_A_PROCESS)

    def compile_part(number: int) -> dict[str, bytes]:
        question, answer = (room.scratch / f"{what}-{number}" for what in ("modules", "bytecode"))
        with question.open("wb") as out:
            _write_framed(out, {path: modules[path] for path in paths[number::parts]})
        room.run([python, *_FLAGS, "-c", _COMPILE, question, answer], cwd=room.scratch)
        with answer.open("rb") as stream:
            return dict(_read_framed(stream))

    with ThreadPoolExecutor(parts) as pool:
        made = {path: data for part in pool.map(compile_part, range(parts)) for path, data in part.items()}
    return {path: Entry(cached_path(path, version), made[path]) for path in paths if path in made}


def compile_common(room: Room[object], root: Path, version: str) -> list[Entry]:
    """The bytecode of what programs commonly import of the standard library of the Python at `root`, which must run
    here, if need be with the libraries in its `lib`."""
    python, answer = root / "bin" / f"python{version}", room.scratch / "bytecode"
    env = {"LD_LIBRARY_PATH": os.fspath(root / "lib")}
    room.run([python, *_FLAGS, "-c", _IMPORT, json.dumps(_COMMON), root, answer], cwd=room.scratch, env=env)
    with answer.open("rb") as stream:
        return [Entry(cached_path(path, version), data) for path, data in _read_framed(stream)]


def modules_of(entries: Iterable[Entry], site: str) -> dict[str, bytes]:
    """The text of each file that is worth compiling, by its path below the prefix; `site` is the folder of modules."""
    start = f"{site}/"
    return {
        entry.path: entry.data()
        for entry in entries
        if entry.path.startswith(start) and worth_compiling(entry.path.removeprefix(start))
    }


def worth_compiling(path: str) -> bool:
    """Whether a file of a distribution, by its path below site-packages, is a module that a start may import."""
    *folders, name = path.split("/")
    return (
        name.endswith(".py")
        and (folders or [""])[0] != "pip"
        and all(folder.isidentifier() and folder not in _NOT_AT_A_START for folder in folders)
        and name.removesuffix(".py").isidentifier()
    )


def _write_framed(out: BinaryIO, files: Mapping[str, bytes]) -> None:
    out.write(json.dumps([(path, len(data)) for path, data in files.items()]).encode() + b"\n")
    out.writelines(files.values())


def _read_framed(stream: BinaryIO) -> Iterator[tuple[str, bytes]]:
    for path, size in json.loads(stream.readline()):
        yield path, stream.read(size)
