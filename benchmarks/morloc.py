"""morloc packages: lint, lock, a plane and its installation, over generated packages of ten modules.

python benchmarks/morloc.py [--packages 100,1000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from timing import Contender, machine, measure, race, table

MODULES = 10


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packages", default="100,1000")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"Measured on {machine()}; medians of {options.rounds} interleaved rounds.\n")
    for count in map(int, options.packages.split(",")):
        with tempfile.TemporaryDirectory(prefix="packyard-bench-") as folder:
            figures = race(contenders(Path(folder), count), options.rounds)
            print(table(f"{count} packages of {MODULES} modules", figures, "lint, cold"))


def contenders(folder: Path, count: int) -> list[Contender]:
    """The commands, each brought into its state before it is measured."""
    root = write(folder / "w", count)
    home = folder / "home"
    packyard = str(Path(sys.executable).parent / "packyard")

    def command(name: str, *words: str, cold: tuple[Path, ...] = ()) -> Contender:
        def forget() -> None:
            for path in cold:
                shutil.rmtree(path, ignore_errors=True)

        environment = {"PACKYARD_CACHE_DIR": str(folder / "cache")}
        return Contender(name=name, argv=[packyard, *words], cwd=root, env=environment, before=forget)

    answers = (root / ".packyard" / "answers",)
    install = ["install", "dist/bench-default.plane.tar.gz", "--to", str(home)]
    for contender in (command("lock", "lock"), command("plane", "plane:default"), command("install", *install)):
        measure(contender)
    return [
        command("lint, cold", "lint", cold=answers),
        command("lint, unchanged", "lint"),
        command("lock, cold", "lock", cold=answers),
        command("lock, unchanged", "lock"),
        command("install a plane, by links", *install, cold=(home,)),
        command("install it again", *install),
        command("verify it", "verify", "--plane", str(home)),
    ]


def write(root: Path, count: int) -> Path:
    """A workspace of packages, each of which imports up to three before it."""
    root.mkdir(parents=True)
    (root / "packyard.toml").write_text('[workspace]\nname = "bench"\nmembers = ["m/*"]\n')
    for number in range(count):
        name = f"p{number}"
        needs = list(dict.fromkeys(f"p{n}" for n in (number // 2, number - 1, number - 7) if 0 <= n < number))
        folder = root / "m" / name
        folder.mkdir(parents=True)
        (folder / "package.yaml").write_text(f"name: {name}\nversion: 0.1.0\ndependencies: [{', '.join(needs)}]\n")
        inner = [f"{name}.m{n}" for n in range(MODULES - 1)]
        imports = "".join(f"import {other}\n" for other in (*needs, *inner))
        source = 'source Py from "f.py" ("f" as f)\n'
        (folder / "main.loc").write_text(f"module {name} (*)\n{imports}{source}" + "f :: Int -> Int\n" * 20)
        (folder / "f.py").write_text("def f(x):\n    return x\n" * 5)
        for n in range(MODULES - 1):
            text = "-- a comment\ng :: Real -> Real\n{- another -}\ng x = x + 1.0\n" * 20
            (folder / f"m{n}.loc").write_text(f"module m{n} (*)\n{text}")
    return root


if __name__ == "__main__":
    main()
