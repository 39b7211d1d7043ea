"""The shared libraries that ELF files need, found as the loader of this machine finds them."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator
from functools import cache
from glob import glob
from mmap import ACCESS_READ, mmap
from pathlib import Path

from packyard.formats.elf import GLIBC_LIBRARIES, Elf, read_elf
from packyard.formats.errors import FormatError, inside
from packyard.tasks.workspace.watch import Watch


def libraries_of(files: Iterable[str], watch: Watch) -> dict[str, str]:
    """Each library (name -> full path) that `files` need, and those need in turn, but for glibc's own.

    One that is not found is left out: the loader would not find it either.
    """
    found: dict[str, str] = {}
    waiting = list(files)
    while waiting:
        path = waiting.pop(0)
        with inside(path):
            elf = _mapped(path, watch)
        folders = [*_expand(elf.runpath, path), *_system_folders()]
        for name in elf.needed:
            if name in found or GLIBC_LIBRARIES.fullmatch(name):
                continue
            for folder in folders:
                if os.path.isfile(f"{folder}/{name}"):
                    found[name] = f"{folder}/{name}"
                    waiting.append(found[name])
                    break
    return dict(sorted(found.items()))


def _mapped(path: str, watch: Watch) -> Elf:
    """The file's header and tables, without reading its tens of megabytes of code."""
    try:
        watch.see(path)
        with open(path, "rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as data:
            return read_elf(data)
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror}") from None
    except ValueError:
        raise FormatError("is empty") from None


def _expand(run_path: str, file: str) -> Iterator[str]:
    origin = os.path.dirname(os.path.realpath(file))
    for folder in filter(None, run_path.split(":")):
        yield os.path.normpath(folder.replace("${ORIGIN}", origin).replace("$ORIGIN", origin))


@cache
def _system_folders() -> tuple[str, ...]:
    """Where ld.so looks: the folders of its configuration, then the standard ones."""
    triplet = f"{platform.machine()}-linux-gnu"
    standard = [f"/lib/{triplet}", f"/usr/lib/{triplet}", "/lib64", "/usr/lib64", "/lib", "/usr/lib"]
    return tuple(dict.fromkeys([*_configured("/etc/ld.so.conf"), *standard]))


def _configured(path: str) -> Iterator[str]:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        words = line.partition("#")[0].split()
        if len(words) == 2 and words[0] == "include":
            for included in sorted(glob(os.path.join(os.path.dirname(path), words[1]))):
                yield from _configured(included)
        elif words:
            yield words[0]
