"""What the seal costs: first and next starts of a bundle, and of the same one without its seal, with both launchers.

    python benchmarks/seal.py [--rounds 15]

The application is the example `hello`. A next start finds everything unpacked, so it should not tell the two apart.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from packyard.formats.pspf import key_from_seed, open_bundle, open_slot, write_bundle
from timing import Contender, machine, race, table

HELLO = Path(__file__).resolve().parent.parent / "examples/apps/hello"


def main() -> None:
    """Print a table for each launcher."""
    parser = argparse.ArgumentParser(description="Measure what the seal of a bundle costs.")
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    print(f"{machine()}\n")
    with tempfile.TemporaryDirectory() as name:
        for launcher in ("rust", "go"):
            folder = Path(name) / launcher
            shutil.copytree(HELLO, folder / "app")
            argv = [sys.executable, "-m", "packyard.tasks", "pack", "--launcher", launcher, "--key-seed", "s1"]
            subprocess.run([*argv, "--output", folder / "sealed.psp"], cwd=folder / "app", check=True)
            unseal(folder / "sealed.psp", folder / "unsealed.psp")
            for when in ("first", "next"):
                figures = race([start(folder / f"{kind}.psp", when) for kind in ("unsealed", "sealed")], rounds)
                print(table(f"{launcher}: {when} start", figures, "unsealed"))


def unseal(sealed: Path, out: Path) -> None:
    """Write the same bundle without the command that compares its content and gives it a place."""
    bundle = open_bundle(sealed)
    metadata, slots = bundle.metadata, []
    launcher = out.with_name("launcher")
    launcher.write_bytes(sealed.read_bytes()[: metadata.launcher.size])
    for position in range(len(metadata.table)):
        slots.append(out.with_name(f"slot{position}"))
        with open_slot(bundle, position) as stored, slots[-1].open("wb") as stream:
            while chunk := stored.read(1 << 20):
                stream.write(chunk)
    command = re.sub(r"/\.packyard-[0-9a-f]+", "", metadata.execution.command)
    plain = replace(
        metadata,
        execution=replace(metadata.execution, command=command),
        setup_commands=(),
        cache_validation=None,
        coverage=None,
    )
    write_bundle(out, launcher=launcher, metadata=plain, slots=slots, key=key_from_seed("s1"))


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
