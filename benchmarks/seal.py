"""What the seal costs: first and next starts of a bundle, and of the same one without its seal, with both launchers.

    python benchmarks/seal.py [--rounds 15] [--in FOLDER]

The application is the example `hello`. A next start finds everything unpacked, so it should not tell the two apart.
What a launcher needs at least is told by a third bundle, which has as many bytes in one file and runs nothing.
"""

from __future__ import annotations

import argparse
import gzip
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from packyard.formats.archive.entry import Entry
from packyard.formats.archive.piece import write_piece
from packyard.formats.pspf import Metadata, key_from_seed, open_bundle, open_slot, write_bundle
from timing import Contender, machine, race, table

HELLO = Path(__file__).resolve().parent.parent / "examples/apps/hello"


def main() -> None:
    """Print a table for each launcher."""
    parser = argparse.ArgumentParser(description="Measure what the seal of a bundle costs.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--in", dest="folder", help="where to unpack; the disk decides the first start")
    options = parser.parse_args()
    rounds = options.rounds
    print(f"{machine()}\n")
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        for launcher in ("rust", "go"):
            folder = Path(name) / launcher
            shutil.copytree(HELLO, folder / "app")
            argv = [sys.executable, "-m", "packyard.tasks", "pack", "--launcher", launcher, "--key-seed", "s1"]
            subprocess.run([*argv, "--output", folder / "sealed.psp"], cwd=folder / "app", check=True)
            unseal(folder / "sealed.psp", folder / "unsealed.psp")
            join_files(folder / "sealed.psp", folder / "one file.psp")
            for when in ("first", "next"):
                kinds = ("unsealed", "sealed", "one file")
                figures = race([start(folder / f"{kind}.psp", when) for kind in kinds], rounds)
                print(table(f"{launcher}: {when} start", figures, "unsealed"))


def unseal(sealed: Path, out: Path) -> None:
    """Write the same bundle without the command that compares its content and gives it a place."""
    launcher, metadata, slots = parts(sealed, out.parent)
    command = re.sub(r"/\.packyard-[0-9a-f]+", "", metadata.execution.command)
    plain = replace(
        metadata,
        execution=replace(metadata.execution, command=command),
        setup_commands=(),
        cache_validation=None,
        coverage=None,
    )
    write_bundle(out, launcher=launcher, metadata=plain, slots=slots, key=key_from_seed("s1"))


def join_files(sealed: Path, out: Path) -> None:
    """Write a bundle with the same unpacked bytes in one file, which runs nothing of its own."""
    launcher, metadata, slots = parts(sealed, out.parent)
    content = b"".join(gzip.decompress(slot.read_bytes()) for slot in slots)
    with slots[0].open("wb") as stream:
        write_piece([Entry("content", content)], stream)
    plain = replace(
        metadata,
        slots=metadata.slots[:1],
        execution=replace(metadata.execution, command="/bin/true"),
        setup_commands=(),
        cache_validation=None,
        coverage=None,
    )
    write_bundle(out, launcher=launcher, metadata=plain, slots=slots[:1], key=key_from_seed("s1"))


def parts(sealed: Path, folder: Path) -> tuple[Path, Metadata, list[Path]]:
    """The launcher of a bundle, its metadata and its slots, those that are files in `folder`."""
    bundle = open_bundle(sealed)
    metadata, slots = bundle.metadata, []
    launcher = folder / "launcher"
    launcher.write_bytes(sealed.read_bytes()[: metadata.launcher.size])
    for position in range(len(metadata.table)):
        slots.append(folder / f"slot{position}")
        with open_slot(bundle, position) as stored, slots[-1].open("wb") as stream:
            while chunk := stored.read(1 << 20):
                stream.write(chunk)
    return launcher, metadata, slots


def start(bundle: Path, when: str) -> Contender:
    """The bundle, started with nothing unpacked, or a second time."""
    home = bundle.with_name(f"home of {bundle.stem}")
    env = {"FLAVOR_CACHE_DIR": str(home), "FLAVOR_LOG_LEVEL": "error"}

    def before() -> None:
        if when == "first":
            shutil.rmtree(home, ignore_errors=True)

    return Contender(name=bundle.stem, argv=[str(bundle), "you"], cwd=bundle.parent, env=env, before=before)


if __name__ == "__main__":
    main()
