"""One generated graph, written for each tool: targets of ten files each, in a tree.

Target N is made from its own files and from target (N - 1) // 8; so everything depends on target 0, the root, and
nothing on the last ones, the leaves. Packyard makes archives or compiles Mojo packages (by a compiler that only
hashes its sources), the others concatenate.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

FILES = 10
BRANCHES = 8
_IDENTITY = "0123456789abcdef" * 4
_HEAD = bytes.fromhex("4d504b47 02 2e2e2e 010000 00 00 1a0500 00 00") + _IDENTITY.encode() + b"\0"
_FRAME = b"\x28\xb5\x2f\xfd\x20\x40" + (64 << 3 | 1).to_bytes(3, "little")  # one raw zstd block of 64 bytes
_BEFORE_DIGEST = (_HEAD + (64).to_bytes(8, "little")).ljust(96, b"\0") + _FRAME


def parent(target: int) -> int | None:
    """The target that this one is made from."""
    return None if target == 0 else (target - 1) // BRANCHES


def source(folder: Path, target: int) -> Path:
    """A file of the target, to be edited."""
    plain = folder / f"p{target}" / "f1.txt"
    return plain if plain.exists() else folder / "members" / f"m{target}" / "f1.mojo"


def archives(folder: Path, count: int) -> Path:
    """A workspace of archives."""
    _write_sources(folder, count)
    include = [[f"p{n}"] if parent(n) is None else [f"p{n}", f"archive:a{parent(n)}"] for n in range(count)]
    blocks = [f'[[archive]]\nname = "a{n}"\nversion = "0.1.0"\ninclude = {include[n]}\n' for n in range(count)]
    (folder / "packyard.toml").write_text('[workspace]\nname = "bench"\n' + "".join(blocks))
    (folder / "dodo.py").write_text("from packyard.tasks import *\n")
    return folder


def members(folder: Path, count: int) -> Path:
    """A workspace of Mojo members: a manifest and nine modules each, which import the parent's."""
    for target in range(count):
        place = folder / "members" / f"m{target}"
        place.mkdir(parents=True)
        above = parent(target)
        needs = "" if above is None else f'[dependencies]\nm{above} = "0.1.0"\n'
        (place / "mojo.toml").write_text(f'[package]\nname = "m{target}"\nversion = "0.1.0"\n{needs}')
        (place / "__init__.mojo").write_text("" if above is None else f"from m{above}.f1 import one\n")
        for number in range(1, FILES - 1):
            (place / f"f{number}.mojo").write_text(f"fn one() -> Int:\n    return {target * FILES + number}\n")
    _write_compiler(folder / "compiler")
    (folder / "packyard.toml").write_text(
        '[workspace]\nname = "bench"\nmembers = ["members/*"]\n[toolchain]\nmojo = "1.0.0"\nmojo_from = "compiler"\n'
    )
    (folder / "dodo.py").write_text("from packyard.tasks import *\n")
    return folder


def plain_doit(folder: Path, count: int) -> Path:
    """A dodo.py with file_dep and targets, as doit's documentation writes it."""
    _write_sources(folder, count)
    (folder / "out").mkdir()
    (folder / "dodo.py").write_text(
        f"def task_a():\n    for n in range({count}):\n"
        f"        files = [f'p{{n}}/f{{i}}.txt' for i in range({FILES})]\n"
        f"        if n: files.append(f'out/{{(n - 1) // {BRANCHES}}}')\n"
        "        yield {'name': str(n), 'file_dep': files, 'targets': [f'out/{n}'],"
        " 'actions': ['cat ' + ' '.join(files) + f' > out/{n}']}\n"
    )
    return folder


def ninja(folder: Path, count: int) -> Path:
    """A build.ninja."""
    _write_sources(folder, count)
    rules = [f"build out/{n}: cat {_inputs(n)}\n" for n in range(count)]
    (folder / "build.ninja").write_text("rule cat\n  command = cat $in > $out\n" + "".join(rules))
    return folder


def make(folder: Path, count: int) -> Path:
    """A Makefile."""
    _write_sources(folder, count)
    (folder / "out").mkdir()
    rules = [f"out/{n}: {_inputs(n)}\n\tcat {_inputs(n)} > out/{n}\n" for n in range(count)]
    (folder / "Makefile").write_text("all: " + " ".join(f"out/{n}" for n in range(count)) + "\n" + "".join(rules))
    return folder


WRITERS: dict[str, Callable[[Path, int], Path]] = {
    "archives": archives, "members": members, "doit": plain_doit, "ninja": ninja, "make": make,
}  # fmt: skip


def _write_sources(folder: Path, count: int) -> None:
    for target in range(count):
        (folder / f"p{target}").mkdir(parents=True)
        for number in range(FILES):
            (folder / f"p{target}" / f"f{number}.txt").write_text(f"{target} {number}\n")


def _write_compiler(prefix: Path) -> None:
    """A folder laid out as a Mojo environment is, whose program writes the digest of its sources as a package."""
    for folder in ("bin", "lib/mojo"):
        (prefix / folder).mkdir(parents=True)
    (prefix / "lib/mojo/std.mojopkg").write_bytes(_BEFORE_DIGEST + b"0" * 64)
    (prefix / "bin/before").write_bytes(_BEFORE_DIGEST)
    (prefix / "bin/mojo").write_text(
        "#!/bin/sh\n"
        '[ "$1" = --version ] && exec echo "mojo 1.0.0"\n'
        'sum=$(cat "$2"/*.mojo | sha256sum)\n'
        f'{{ cat {os.fspath(prefix.absolute())}/bin/before; printf %s "${{sum%% *}}"; }} >"$6"\n'
    )
    (prefix / "bin/mojo").chmod(0o755)


def _inputs(target: int) -> str:
    own = " ".join(f"p{target}/f{number}.txt" for number in range(FILES))
    return own if parent(target) is None else f"{own} out/{parent(target)}"
