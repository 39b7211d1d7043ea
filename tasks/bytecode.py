"""Bytecode that travels in a bundle, so that its first start need not compile what it imports.

Every file is compiled by the Python that the bundle carries, after the same others each time, under the path that
it has below the prefix. It is "unchecked-hash" bytecode (PEP 552), which holds neither time nor place: Python
takes it without a look at the source, and the same source gives the same bytes in every folder.

Not everything is worth its bytes: they are unpacked, and digested for the seal, at the same first start. Of the
standard library it is what programs commonly import, of the distributions all but their tests and pip.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from packyard.formats.pycache import cached_path
from packyard.tasks.room import Room

_PROCESSES = 4
_WORTH_A_PROCESS = 100  # files; how many processes there are depends on them alone, not on the machine
# Started without site-packages, but not isolated: the hash seed of an action's environment has to count.
_FLAGS = ("-s", "-S", "-W", "ignore")
_COMPILE = """
import json, py_compile, sys
root, mode = sys.argv[2], py_compile.PycInvalidationMode.UNCHECKED_HASH
with open(sys.argv[1], encoding="utf-8") as jobs:
    for source, target in json.load(jobs):
        try:
            py_compile.compile(f"{root}/{source}", f"{root}/{target}", f"/{source}", True, invalidation_mode=mode)
        except (py_compile.PyCompileError, SyntaxError, ValueError, RecursionError) as error:
            print(f"{source} is no module for this Python: {type(error).__name__}")
"""
# Imports modules, and keeps the bytecode of all that this loads: each is compiled once, for both. What was loaded
# before anything could be kept (the encodings) is compiled at the end.
_IMPORT = """
import importlib, importlib.util, json, os, sys
from importlib._bootstrap_external import _code_to_hash_pyc
from importlib.machinery import SourceFileLoader
names, root = json.loads(sys.argv[1]), sys.argv[2]
def compiled(self, name):
    data = self.get_data(self.path)
    code = self.source_to_code(data, self.path[len(root):])
    target = importlib.util.cache_from_source(self.path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "wb") as out:
        out.write(_code_to_hash_pyc(code, importlib.util.source_hash(data), False))
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


def compile_files(room: Room, python: Path, root: Path, paths: Iterable[str], version: str) -> set[str]:
    """Compile modules, given by their paths below `root`, each into the `__pycache__` beside it; returns the paths
    of what came out. A file that is no module for this Python is told in the log and left as it is."""
    jobs = [(path, cached_path(path, version)) for path in sorted(set(paths), key=str.encode)]
    if not jobs:
        return set()
    parts = min(_PROCESSES, 1 + len(jobs) // _WORTH_A_PROCESS)

    def compile_part(number: int) -> None:
        question = room.scratch / f"bytecode-{number}.json"
        question.write_text(json.dumps(jobs[number::parts]), encoding="utf-8")
        room.run([python, *_FLAGS, "-c", _COMPILE, question, root], cwd=room.scratch)

    with ThreadPoolExecutor(parts) as pool:
        list(pool.map(compile_part, range(parts)))
    return {target for _, target in jobs if (root / target).is_file()}


def compile_common(room: Room, root: Path, version: str) -> None:
    """Compile what programs commonly import of the standard library of the Python at `root`, which must run here."""
    python = root / "bin" / f"python{version}"
    room.run([python, *_FLAGS, "-c", _IMPORT, json.dumps(_COMMON), root], cwd=room.scratch)


def worth_compiling(path: str) -> bool:
    """Whether a file of a distribution, by its path below site-packages, is a module that a start may import."""
    *folders, name = path.split("/")
    return (
        name.endswith(".py")
        and (folders or [""])[0] != "pip"
        and all(folder.isidentifier() and folder not in ("tests", "test") for folder in folders)
        and name.removesuffix(".py").isidentifier()
    )
