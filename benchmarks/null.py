"""Nothing to do, and one edited file: Packyard beside ninja, make and plain doit, over the same generated graph.

    python benchmarks/null.py [--targets 100,1000,10000] [--rounds 5]

Every target has ten files of its own. Packyard makes archives of them, the others concatenate them.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from timing import Contender, machine, measure, race, table

FILES = 10


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--targets", default="100,1000,10000")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(f"Measured on {machine()}; medians of {options.rounds} interleaved rounds.\n")
    for count in map(int, options.targets.split(",")):
        with tempfile.TemporaryDirectory(prefix="packyard-bench-") as folder:
            contenders = prepare(Path(folder), count)
            for contender in contenders:
                measure(contender)  # the full build
                measure(contender)  # a second look lets each settle its own records
            print(
                table(f"nothing to do, {count} targets of {FILES} files", race(contenders, options.rounds), "packyard")
            )
            edited = [edit(contender) for contender in contenders if "only" not in contender.name]
            print(table(f"one file edited, {count} targets", race(edited, options.rounds), "packyard"))


def prepare(folder: Path, count: int) -> list[Contender]:
    """The same graph for every tool that is here."""
    bin_folder = Path(sys.executable).parent
    cache = {"PACKYARD_CACHE_DIR": str(folder / "cache")}
    found = [
        Contender(
            name="packyard", argv=[str(bin_folder / "packyard")], cwd=packyard(folder / "packyard", count), env=cache
        ),
        Contender(name="doit over packyard", argv=[str(bin_folder / "doit")], cwd=folder / "packyard", env=cache),
        Contender(name="plain doit", argv=[str(bin_folder / "doit"), "-v0"], cwd=plain_doit(folder / "doit", count)),
    ]
    if ninja := shutil.which("ninja"):
        found.append(Contender(name="ninja", argv=[ninja], cwd=ninja_graph(folder / "ninja", count)))
    if make := shutil.which("make"):
        found.append(Contender(name="make", argv=[make, "-r", "-R", "-s"], cwd=make_graph(folder / "make", count)))
    return found


def edit(contender: Contender) -> Contender:
    """The same command after a line was added to one file."""

    def append() -> None:
        with (contender.cwd / "p0" / "f0.txt").open("a") as stream:
            stream.write("one more line\n")

    return Contender(name=contender.name, argv=contender.argv, cwd=contender.cwd, env=contender.env, before=append)


def sources(folder: Path, count: int) -> None:
    """The input files."""
    for target in range(count):
        (folder / f"p{target}").mkdir(parents=True)
        for number in range(FILES):
            (folder / f"p{target}" / f"f{number}.txt").write_text(f"{target} {number}\n")


def packyard(folder: Path, count: int) -> Path:
    """A workspace of archives."""
    sources(folder, count)
    archives = (f'[[archive]]\nname = "a{n}"\nversion = "0.1.0"\ninclude = ["p{n}"]\n' for n in range(count))
    (folder / "packyard.toml").write_text('[workspace]\nname = "bench"\n' + "".join(archives))
    (folder / "dodo.py").write_text("from packyard.tasks import *\n")
    return folder


def plain_doit(folder: Path, count: int) -> Path:
    """A dodo.py with file_dep."""
    sources(folder, count)
    (folder / "out").mkdir()
    (folder / "dodo.py").write_text(
        f"def task_a():\n    for n in range({count}):\n"
        f"        files = [f'p{{n}}/f{{i}}.txt' for i in range({FILES})]\n"
        "        yield {'name': str(n), 'file_dep': files, 'targets': [f'out/{n}'],"
        " 'actions': ['cat ' + ' '.join(files) + f' > out/{n}']}\n"
    )
    return folder


def ninja_graph(folder: Path, count: int) -> Path:
    """A build.ninja."""
    sources(folder, count)
    lines = ["rule cat\n  command = cat $in > $out\n"]
    lines += [f"build out/{n}: cat {_files(n)}\n" for n in range(count)]
    (folder / "build.ninja").write_text("".join(lines))
    return folder


def make_graph(folder: Path, count: int) -> Path:
    """A Makefile."""
    sources(folder, count)
    (folder / "out").mkdir()
    lines = ["all: " + " ".join(f"out/{n}" for n in range(count)) + "\n"]
    lines += [f"out/{n}: {_files(n)}\n\tcat {_files(n)} > out/{n}\n" for n in range(count)]
    (folder / "Makefile").write_text("".join(lines))
    return folder


def _files(target: int) -> str:
    return " ".join(f"p{target}/f{number}.txt" for number in range(FILES))


if __name__ == "__main__":
    main()
