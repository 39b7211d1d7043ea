"""Calling a PEP 517 backend: the wheel of a project, made in a folder with only a build environment."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from packyard.formats.errors import FormatError
from packyard.formats.python.requirement import without_password
from packyard.formats.python.wheel import Wheel, read_wheel
from packyard.tasks.errors import ActionError
from packyard.tasks.target.room import Room

_NEUTRAL = b"/build"
_COMPILER = re.compile(r"([\w.]+-)*(gcc|g\+\+|cc|c\+\+|clang|clang\+\+|gfortran)(-[\d.]+)?")
# The note in which a linker names what it linked by a digest of its bytes: name and type, then the digest.
_BUILD_ID = re.compile(rb"(\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0).{20}", re.DOTALL)

_REQUIRED = re.compile(rb"^Requires-Dist:.*$", re.MULTILINE)

# Started with -I -S: nothing but the standard library and the build environment. What a backend asks for when it is run
# is not installed then, because a lock says what is there; it has to be there already.
_BUILD = r"""
import importlib, importlib.metadata, json, re, site, sys
tree, out, backend, path = sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4])
site.addsitedir(tree)
sys.path[:0] = path
module, _, attribute = backend.partition(":")
backend = importlib.import_module(module)
for name in filter(None, attribute.split(".")):
    backend = getattr(backend, name)
wanted = getattr(backend, "get_requires_for_build_wheel", lambda settings: [])(None)
plain = lambda name: re.sub(r"[-_.]+", "-", name).lower()
there = {plain(found.metadata["Name"]) for found in importlib.metadata.distributions(path=[tree])}
missing = [text for text in wanted if ";" not in text and plain(re.match(r"[\w.-]*", text)[0]) not in there]
if missing:
    with open(out + "/missing.json", "w") as answer:
        json.dump(missing, answer)
    sys.exit(1)
backend.build_wheel(out)
"""


def build_wheel(
    room: Room[object], python: Path, *, project: Path, tree: Path, backend: str, path: Sequence[str], out: Path
) -> Path:
    """The wheel that `backend` makes of `project`, left in the new folder `out`.

    `tree` holds what the backend needs, `path` are the folders of the project in which it is looked up first. The
    backend sees none of the user's settings. ActionError, with its own words, when it fails.
    """
    out.mkdir()
    folders = [str(project / folder) for folder in path]
    try:
        room.run(
            [python, "-I", "-S", "-c", _BUILD, tree, out, backend, json.dumps(folders)],
            cwd=project,
            env={"PATH": f"{tree}/bin:{_compilers(room)}:{room.constant()['PATH']}", "PYTHONPATH": str(tree)},
            reaching=False,
        )
    except ActionError as error:
        if not (out / "missing.json").exists():
            message = error.message.replace(repr(python.name), f"the backend {backend!r}", 1)
            raise ActionError(message, detail=error.detail, hint=error.hint) from None
        asked = ", ".join(map(repr, json.loads((out / "missing.json").read_text(encoding="utf-8"))))
        message = f"the backend {backend!r} also asks for {asked}, which [build-system] requires does not list"
        raise ActionError(message) from None
    wheels = list(out.glob("*.whl"))
    if len(wheels) != 1:
        raise ActionError(f"the backend {backend!r} succeeded but left no wheel")
    return wheels[0]


def _compilers(room: Room[object]) -> Path:
    """A folder with a wrapper for every compiler of the system, which tells it that it works in the neutral folder: its
    debug information would otherwise name the sandbox, and linkers sort by such names."""
    folder = room.scratch / "compilers"
    folder.mkdir(exist_ok=True)
    option = f"-fdebug-prefix-map={room.scratch.parent}={_NEUTRAL.decode()}"
    for place in room.constant()["PATH"].split(":"):
        for path in sorted(Path(place).glob("*")) if Path(place).is_dir() else ():
            shim = folder / path.name
            if _COMPILER.fullmatch(path.name) and not shim.exists() and os.access(path, os.X_OK):
                shim.write_text(f'#!/bin/sh\nexec {shlex.quote(os.fspath(path))} "$@" {shlex.quote(option)}\n', "utf-8")
                shim.chmod(0o755)
    return folder


def usable_wheel(file: Path, backend: str, folder: Path) -> Wheel:
    """The wheel that a backend left, which no longer says that it was made in `folder`; ActionError if it is not
    one."""
    with file.open("rb") as stream:
        try:
            wheel = read_wheel(stream)
        except FormatError as error:
            raise ActionError(f"the wheel that {backend!r} made cannot be used: {error}") from None
    files = {path: replace(entry, content=_hide(entry.data(), folder)) for path, entry in wheel.files.items()}
    metadata = files[path := f"{wheel.info}/METADATA"]
    files[path] = replace(metadata, content=_REQUIRED.sub(_unsigned, metadata.data()))
    return replace(wheel, files=files)


def _unsigned(line: re.Match[bytes]) -> bytes:
    """A line of the metadata without the password that the manifest has for a URL in it."""
    return without_password(line[0].decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def _hide(data: bytes, folder: Path) -> bytes:
    """Replace the build folder, wherever it appears, with one that is the same for every user: compilers put it into
    debug information, and build notes name it. Nothing moves in a binary."""
    path = os.fsencode(folder)
    if path not in data:
        return data
    if b"\0" not in data:
        return data.replace(path, _NEUTRAL)
    data = data.replace(path, _NEUTRAL.ljust(len(path), b"/"))
    blank = _BUILD_ID.sub(lambda found: found[1] + bytes(20), data)
    return _BUILD_ID.sub(lambda found: found[1] + hashlib.sha256(blank).digest()[:20], data)
