"""A large store: looking up, collecting; and ten thousand files out of it, by copy, by hard link, by reflink.

    python benchmarks/store.py [--blobs 1000000] [--files 10000]

The store is filled with files as a build leaves them: four small blobs and a run for each result. It lies below TMPDIR;
a disk of its own, or one in memory, shows what the disk's share is.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from packyard.tasks.engine.store import upkeep
from packyard.tasks.engine.store.runs import Run, remember
from packyard.tasks.engine.store.store import Result, Store
from packyard.tasks.target.target import Made
from timing import machine

_PER_RESULT = 4  # three artifacts and a log
_Given = TypeVar("_Given")
_FICLONE = 0x40049409  # of linux/fs.h


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blobs", type=int, default=1_000_000)
    parser.add_argument("--files", type=int, default=10_000)
    options = parser.parse_args()
    print(f"Measured on {machine()}.\n\n| a store of {options.blobs} blobs | |\n|---|---:|")
    with tempfile.TemporaryDirectory(prefix="packyard-bench-") as folder:
        store = Store(Path(folder))
        keys, seconds = timed(lambda: fill(store, options.blobs))
        row("filled in", f"{seconds:.0f} s")
        looked = [timed(lambda key=key: store.result(key))[1] for key in keys[:: max(1, len(keys) // 2000)]]
        missed = [timed(lambda n=n: store.result(digest(f"none {n}")))[1] for n in range(2000)]
        row("look-up of a result that is there, median", f"{statistics.median(looked) * 1000:.3f} ms")
        row("look-up of one that is not, median", f"{statistics.median(missed) * 1000:.3f} ms")
        start = time.process_time()
        census, seconds = timed(lambda: upkeep.census(store))
        row("`cache stats`", f"{seconds:.1f} s, {time.process_time() - start:.1f} s of a processor")
        start = time.process_time()
        removed, seconds = timed(lambda: upkeep.collect(store, census.size // 2))
        took = f"{seconds:.1f} s, {time.process_time() - start:.1f} s of a processor"
        row(f"`cache gc` to half of it ({removed.blobs} blobs removed)", took)
        row("peak of memory", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    print(f"\n| {options.files} files of 1 kB out of the store | |\n|---|---:|")
    with tempfile.TemporaryDirectory(prefix="packyard-bench-", dir=".") as folder:
        restore(Path(folder), options.files)


def fill(store: Store, blobs: int) -> list[str]:
    """Blobs and results, as if they had been put; the keys."""
    for kind in ("blob", "result"):
        for number in range(256):
            (store.folder / kind / f"{number:02x}").mkdir()
    keys: list[str] = []
    for number in range(blobs // _PER_RESULT):
        made: list[str] = []
        for part in range(_PER_RESULT):
            data = f"{number} {part}".encode()
            made.append(hashlib.sha256(data).hexdigest())
            write(store.folder / "blob" / made[-1][:2] / made[-1][2:], data)
        keys.append(digest(f"key {number}"))
        outputs = {str(part): Made(digest=one, size=8) for part, one in enumerate(made[:-1])}
        store.keep(keys[-1], Result(outputs=outputs, seconds=0.1, log=made[-1]))
        ingredients = {"inputs": {f"src/{part}": f"- {one}" for part, one in enumerate(made)}, "uses": {}, "params": {}}
        remember(store, f"x:{number % 1000}", Run(key=keys[-1], at=0.0, where="/w", ingredients=ingredients))
    return keys


def restore(folder: Path, files: int) -> None:
    """The ways in which a file can come out of the store."""
    store = Store(folder / "store")
    digests = [store.put_bytes(f"{number}\n".encode() * 200) for number in range(files)]
    blobs = [store.folder / "blob" / one[:2] / one[2:] for one in digests]

    def ways() -> dict[str, Callable[[int, Path], object]]:
        return {
            "`copy_out`, which checks every byte": lambda n, to: store.copy_out(digests[n], to),
            "hard link": lambda n, to: os.link(blobs[n], to),
            "reflink": lambda n, to: reflink(blobs[n], to),
        }

    for name, bring in ways().items():
        place = folder / "out" / name.split()[0].strip("`,")
        place.mkdir(parents=True)
        try:
            _, seconds = timed(lambda bring=bring, place=place: [bring(n, place / str(n)) for n in range(files)])
        except OSError as error:
            row(name, f"not here: {error.strerror}")
        else:
            row(name, f"{seconds:.2f} s")


def reflink(source: Path, target: Path) -> None:
    """Share the blocks of a file with a new one; OSError where the file system cannot."""
    with source.open("rb") as reading, target.open("wb") as writing:
        fcntl.ioctl(writing, _FICLONE, reading.fileno())


def write(path: Path, data: bytes) -> None:
    """A small file."""
    with open(path, "wb", buffering=0) as stream:
        stream.write(data)


def digest(text: str) -> str:
    """A digest like those of blobs and keys."""
    return hashlib.sha256(text.encode()).hexdigest()


def timed(work: Callable[[], _Given]) -> tuple[_Given, float]:
    """What it gave, and how long it took in seconds."""
    start = time.perf_counter()
    found = work()
    return found, time.perf_counter() - start


def row(what: str, figure: str) -> None:
    """One row of the table."""
    print(f"| {what} | {figure} |")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
