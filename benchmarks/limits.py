"""What grows: a chain of targets, and one member with very many files.

    python benchmarks/limits.py [--chain 2500,5000,10000] [--files 100000]

The chain is built by the engine as `packyard` does, and then asked for by stock doit, whose work grows with the depth.
An archive's files are copied into a sandbox; beside that stands what `cp` and `rm` take for the same: a file system may
take much longer for new files while it remembers many that were removed just before (ext4 without a journal does).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from timing import Contender, machine, measure

HERE = Path(__file__).parent.absolute()
_DODO = """\
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
import synthetic
from packyard.tasks.console.display import Plain
from packyard.tasks.console.doit import DOIT_CONFIG, tasks

FRONT = synthetic.front(synthetic.chain({count}), Path.cwd(), Plain(sys.stdout), jobs=2)

def task_chain():
    yield from tasks(FRONT, list(FRONT.graph.nodes))
"""


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chain", default="2500,5000,10000")
    parser.add_argument("--files", type=int, default=100_000)
    options = parser.parse_args()
    print(f"Measured on {machine()}.\n\n| | seconds | peak MB |\n|---|---:|---:|")
    for count in map(int, options.chain.split(",")):
        with tempfile.TemporaryDirectory(prefix="packyard-bench-") as folder:
            chain(Path(folder), count)
    with tempfile.TemporaryDirectory(prefix="packyard-bench-") as folder:
        files(Path(folder), options.files)


def chain(folder: Path, count: int) -> None:
    """The last of a chain: made, fresh, and fresh by stock doit."""
    own = Path(sys.executable).parent
    (folder / "dodo.py").write_text(_DODO.format(here=str(HERE), count=count))
    build = [sys.executable, str(HERE / "synthetic.py"), "chain", str(count)]
    row(f"a chain of {count}, made", build, folder)
    row(f"a chain of {count}, fresh", build, folder)
    row(f"a chain of {count}, fresh, stock `doit NAME`", [str(own / "doit"), f"x:{count - 1:05}"], folder)


def files(folder: Path, count: int) -> None:
    """An archive of one folder with very many files."""
    for number in range(count):
        place = folder / "w" / "src" / f"d{number // 1000}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"f{number}.txt").write_text(f"{number}\n")
    (folder / "w" / "packyard.toml").write_text(
        '[workspace]\nname = "w"\n[[archive]]\nname = "a"\nversion = "1.0.0"\ninclude = ["src"]\n'
    )
    argv = [str(Path(sys.executable).parent / "packyard")]
    row(f"{count} files, made", argv, folder / "w")
    measure(Contender(name="settle", argv=argv, cwd=folder / "w", env=cache(folder / "w")))
    row(f"{count} files, fresh", argv, folder / "w")
    (folder / "w" / "src" / "d0" / "f0.txt").write_text("another\n")
    row(f"{count} files, one edited", argv, folder / "w")
    row(f"{count} files, copied and removed", ["sh", "-c", "cp -r src ../copy && rm -r ../copy"], folder / "w")


def row(what: str, argv: list[str], folder: Path) -> None:
    """Run a command, and print how long it took."""
    seconds, peak = measure(Contender(name=what, argv=argv, cwd=folder, env=cache(folder)))
    print(f"| {what} | {seconds:.2f} | {peak:.0f} |", flush=True)


def cache(folder: Path) -> dict[str, str]:
    """A store of its own, and the folder where actions of benchmarks are found."""
    return {"PACKYARD_CACHE_DIR": os.fspath(folder / "cache"), "PYTHONPATH": str(HERE)}


if __name__ == "__main__":
    main()
