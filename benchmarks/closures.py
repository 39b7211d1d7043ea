"""How much of Packyard has a part in each action: the lines in the closure of its module, and what they cost to find.

    python benchmarks/closures.py

A key that covers less survives more upgrades. `then` are the lines that all imports of the same functions reached in
November 2026, before planning and making were taken apart.
"""

from __future__ import annotations

import time

from packyard.tasks.host.closure import closure_of
from packyard.tasks.host.own import TASKS, own_digest, own_files

KINDS = "packyard.tasks.kinds"
THEN = {
    "archive.make_archive": 13_106, "bundle.make_bundle": 14_415, "bundle.make_slot": 13_461,
    "docs.make_docs": 11_858, "interpreter.make_runtime": 12_286, "python.make_env": 12_620,
    "python.make_hook": 12_187, "python.make_wheel": 12_233, "bundle.launcher": 0, "cleanroom.make_cleanroom": 0,
    "delivery.make_guide": 0, "delivery.make_installer": 0, "mojo.make_mojo": 0, "mojo.make_toolchain": 0,
    "morloc.make_morloc": 0, "morloc.make_plane": 0, "python.buildenv": 0, "python.dist": 0,
}  # fmt: skip


def main() -> None:
    """Print a row for each module that makes something, and the cost of all."""
    print(f"{'module':<26} {'lines':>7} {'files':>6} {'then':>7}  libraries")
    start = time.perf_counter()
    found = {name: closure_of(f"{KINDS}.{name}") for name in THEN}
    middle = time.perf_counter()
    own_digest()
    end = time.perf_counter()
    for name, closure in found.items():
        lines = sum(_lines(file) for file in closure.files)
        share = f"{lines / THEN[name]:.0%}" if THEN[name] else ""
        libraries = ", ".join(library for library, _ in closure.libraries)
        print(f"{name:<26} {lines:>7,} {len(closure.files):>6} {share:>7}  {libraries}")
    whole = sum(_lines(path.relative_to(TASKS.parent).as_posix()) for path in own_files())
    print(f"{'all of Packyard':<26} {whole:>7,}")
    print(f"\nclosures of all {len(found)}: {1000 * (middle - start):.0f} ms; digest of all files: ", end="")
    print(f"{1000 * (end - middle):.0f} ms")


def _lines(file: str) -> int:
    return (TASKS.parent / file).read_bytes().count(b"\n")


if __name__ == "__main__":
    main()
