"""Mojo packages: what Packyard adds to the compiler's own time, and whether independent packages use all cores.

python benchmarks/mojo.py [--packages 40] [--modules 10] [--mojo 1.0.0] [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from timing import Contender, machine, measure, race, table


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packages", type=int, default=40)
    parser.add_argument("--modules", type=int, default=10)
    parser.add_argument("--mojo", default="1.0.0")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"Measured on {machine()}; medians of {options.rounds} interleaved rounds.\n")
    with tempfile.TemporaryDirectory(prefix="packyard-bench-") as folder:
        root = write(Path(folder) / "w", options.packages, options.modules, options.mojo)
        figures = race(contenders(Path(folder), root, options.packages, options.mojo), options.rounds)
    print(table(f"{options.packages} packages, each of {options.modules} modules", figures, "the compiler, one by one"))
    seconds = {figure.name: figure.median for figure in figures}
    alone = seconds["the compiler, one by one"]
    cores = os.cpu_count() or 1
    added = (seconds["packyard -n 1"] - alone) / options.packages
    faster = seconds["packyard -n 1"] / seconds[f"packyard -n {cores}"]
    print(f"Added to the compiler's time, for each package: {added:.3f} s.")
    print(f"With {cores} cores: {faster:.2f} times as fast as with one.")


def contenders(folder: Path, root: Path, count: int, version: str) -> list[Contender]:
    """The compiler called by hand, and `packyard`, each from the start; the compiler itself is installed before."""
    packyard = str(Path(sys.executable).parent / "packyard")
    env = {"PACKYARD_CACHE_DIR": str(folder / "cache")}
    measure(Contender(name="install", argv=[packyard, f"toolchain:mojo-{version}"], cwd=root, env=env))
    installed = folder / "installed"
    shutil.copytree(folder / "cache", installed, symlinks=True)
    program = next(installed.rglob("bin/mojo")).parent.parent
    variables = " ".join(
        f"{name}={value}"
        for name, value in {
            "MODULAR_MAX_PACKAGE_ROOT": program,
            "MODULAR_MOJO_MAX_PACKAGE_ROOT": program,
            "MODULAR_MOJO_MAX_DRIVER_PATH": program / "bin/mojo",
            "MODULAR_MOJO_MAX_IMPORT_PATH": program / "lib/mojo",
            "MODULAR_CRASH_REPORTING_ENABLED": "false",
        }.items()
    )
    by_hand = f"for n in $(seq 0 {count - 1}); do {variables} {program}/bin/mojo package p$n -o out/p$n.mojopkg; done"

    def forget() -> None:
        """Everything is compiled again, but the compiler is there."""
        for made in (root / ".packyard", root / "dist", root / "m/out", folder / "cache"):
            shutil.rmtree(made, ignore_errors=True)
        shutil.copytree(installed, folder / "cache", symlinks=True)
        (root / "m/out").mkdir()
        measure(Contender(name="toolchain", argv=[packyard, f"toolchain:mojo-{version}"], cwd=root, env=env))

    def settle() -> None:
        """The first look after a build still reads files that are too young to be trusted."""
        measure(Contender(name="settle", argv=[packyard], cwd=root, env=env))

    cores = os.cpu_count() or 1
    return [
        Contender(name="the compiler, one by one", argv=["sh", "-c", by_hand], cwd=root / "m", before=forget),
        Contender(name="packyard -n 1", argv=[packyard, "-n", "1"], cwd=root, env=env, before=forget),
        Contender(name=f"packyard -n {cores}", argv=[packyard, "-n", str(cores)], cwd=root, env=env, before=forget),
        Contender(name="packyard, unchanged", argv=[packyard], cwd=root, env=env, before=settle),
    ]


def write(root: Path, count: int, modules: int, version: str) -> Path:
    """A workspace of packages that import nothing of each other."""
    root.mkdir(parents=True)
    text = f'[workspace]\nname = "bench"\nmembers = ["m/p*"]\n[toolchain]\nmojo = "{version}"\n'
    (root / "packyard.toml").write_text(text)
    for number in range(count):
        folder = root / "m" / f"p{number}"
        folder.mkdir(parents=True)
        (folder / "mojo.toml").write_text(f'[package]\nname = "p{number}"\nversion = "0.1.0"\n')
        (folder / "__init__.mojo").write_text("".join(f"from .m{n} import f{n}\n" for n in range(modules)))
        for n in range(modules):
            body = "\n".join(f"\n\ndef g{n}_{k}(x: Int) -> Int:\n    return x * {k}" for k in range(10))
            (folder / f"m{n}.mojo").write_text(f"def f{n}() -> Int:\n    return {n}\n{body}\n")
    return root


if __name__ == "__main__":
    main()
