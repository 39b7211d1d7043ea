"""Nothing to do, one leaf edited, the root edited, one target selected: Packyard beside ninja, make and plain doit.

    python benchmarks/null.py [--targets 100,1000,10000] [--rounds 3] [--kinds archives,members]

All build one generated graph (benchmarks/graphs.py): targets of ten files in a tree, everything made from the root.
Plain doit and ninja are installed into an environment of their own. An edit of the root makes all targets again; where
that takes minutes (from --whole targets on) it is left out.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import graphs
from peers import environment
from timing import Contender, machine, measure, race, table

PEERS = ("doit==0.37.0", "ninja==1.13.0")


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", default="100,1000,10000")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kinds", default="archives,members", help="what Packyard makes")
    parser.add_argument("--whole", type=int, default=1001, help="below so many targets, the root is edited too")
    parser.add_argument("--members-up-to", type=int, default=1000, help="compiling ten thousand packages takes minutes")
    options = parser.parse_args()
    print(f"Measured on {machine()}; medians of {options.rounds} interleaved rounds.\n")
    with tempfile.TemporaryDirectory(prefix="packyard-bench-") as folder:
        peers = environment(Path(folder) / "peers", PEERS)
        for count in map(int, options.targets.split(",")):
            kinds = [kind for kind in options.kinds.split(",") if kind != "members" or count <= options.members_up_to]
            place = Path(folder) / str(count)
            contenders = prepare(place, count, kinds, peers)
            for contender in contenders:
                measure(contender)  # the full build
                measure(contender)  # and each settles its own records
            against = f"packyard, {kinds[0]}"

            def show(title: str, racing: Sequence[Contender], against: str = against, count: int = count) -> None:
                print(table(f"{title}, {count} targets of {graphs.FILES} files", race(racing, options.rounds), against))
                sys.stdout.flush()

            show("nothing to do", contenders)
            show("one leaf edited", [edited(contender, count - 1) for contender in contenders])
            if count < options.whole:
                show("the root edited", [edited(contender, 0) for contender in contenders])
            show("nothing to do for one target", [selected(contender, count - 1) for contender in contenders])
            shutil.rmtree(place)


def prepare(folder: Path, count: int, kinds: Sequence[str], peers: Path) -> list[Contender]:
    """The same graph for every tool."""
    own = Path(sys.executable).parent
    cache = {"PACKYARD_CACHE_DIR": str(folder / "cache")}
    found: list[Contender] = []
    for kind in kinds:
        root = graphs.WRITERS[kind](folder / kind, count)
        found.append(Contender(name=f"packyard, {kind}", argv=[str(own / "packyard")], cwd=root, env=cache))
        found.append(Contender(name=f"doit over packyard, {kind}", argv=[str(own / "doit")], cwd=root, env=cache))
    plain = [str(peers / "doit"), "-v0"]
    found.append(Contender(name="plain doit, file_dep", argv=plain, cwd=graphs.plain_doit(folder / "doit", count)))
    found.append(Contender(name="ninja", argv=[str(peers / "ninja")], cwd=graphs.ninja(folder / "ninja", count)))
    if program := shutil.which("make"):
        root = graphs.make(folder / "make", count)
        found.append(Contender(name="make", argv=[program, "-r", "-R", "-s"], cwd=root))
    return found


def edited(contender: Contender, target: int) -> Contender:
    """The same command after a comment was added to one file of a target."""

    def append() -> None:
        with graphs.source(contender.cwd, target).open("a") as stream:
            stream.write("# one more line\n")

    return replace(contender, before=append)


def selected(contender: Contender, target: int) -> Contender:
    """The same command for one target."""
    if contender.name.endswith("members"):
        name = f"mojo:m{target}"
    elif contender.name.endswith("archives"):
        name = f"archive:a{target}"
    else:
        name = f"a:{target}" if contender.name.startswith("plain") else f"out/{target}"
    return replace(contender, argv=[*contender.argv, name])


if __name__ == "__main__":
    main()
