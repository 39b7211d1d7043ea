"""Bundles side by side with FlavorPack's: first build, one-line edit, unchanged, first and next start, size.

    python benchmarks/bundles.py [--rounds 3] [--app examples/apps/hello]

Both tools have warm download caches. Run it with Python 3.11, the version that FlavorPack bundles whatever is asked.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import flavorpack
from timing import Contender, machine, measure, race, table

HERE = Path(__file__).resolve().parent.parent
CACHE = Path(tempfile.gettempdir()) / "packyard-bench-flavorpack"


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--app", type=Path, default=HERE / "examples" / "apps" / "hello")
    options = parser.parse_args()
    flavor = flavorpack.install(CACHE)
    print(f"Measured on {machine()}; {options.app.name}, medians of {options.rounds} interleaved rounds.\n")
    with tempfile.TemporaryDirectory(prefix="packyard-bench-") as folder:
        ours, theirs = _contenders(Path(folder), options.app, flavor)
        for contender in (ours, theirs):
            measure(contender)  # fills the download caches
        for title, before in (
            ("first bundle, wheels cached", _forgotten),
            ("one line edited", _edited),
            ("unchanged", lambda contender: contender),
        ):
            print(table(title, race([before(ours), before(theirs)], options.rounds), "packyard"))
        files = {"packyard": next((ours.cwd / "dist").glob("*.psp")), "flavor pack": theirs.cwd / "out.psp"}
        starts = [_start(name, file, Path(folder)) for name, file in files.items()]
        print(table("first start", race([_uncached(start) for start in starts], options.rounds), "packyard"))
        print(table("next start", race(starts, options.rounds * 3), "packyard"))
        for name, file in files.items():
            print(f"{name}: {file.stat().st_size:,} bytes")


def _contenders(folder: Path, app: Path, flavor: Path) -> tuple[Contender, Contender]:
    workspace = folder / "workspace"
    shutil.copytree(app, workspace / "app")
    (workspace / "packyard.toml").write_text('[workspace]\nname = "bench"\nmembers = ["app"]\n')
    cache = {"PACKYARD_CACHE_DIR": str(folder / "cache"), "PACKYARD_KEY_SEED": "bench"}
    command = str(Path(sys.executable).parent / "packyard")
    project = folder / "project"
    shutil.copytree(app, project)
    pack = [
        str(flavor),
        "pack",
        "--manifest",
        "pyproject.toml",
        "--key-seed",
        "bench",
        "--output",
        "out.psp",
        "--quiet",
    ]
    return (
        Contender(name="packyard", argv=[command], cwd=workspace, env=cache),
        Contender(name="flavor pack", argv=pack, cwd=project, env=flavorpack.environment(CACHE)),
    )


def _forgotten(contender: Contender) -> Contender:
    """Everything Packyard remembers is gone; uv's cache of downloads stays, as FlavorPack's pip cache does."""

    def forget() -> None:
        if contender.name == "packyard":
            for path in (
                contender.cwd / ".packyard",
                contender.cwd / "dist",
                Path(contender.env["PACKYARD_CACHE_DIR"]),
            ):
                shutil.rmtree(path, ignore_errors=True)

    return _with(contender, forget)


def _edited(contender: Contender) -> Contender:
    def edit() -> None:
        source = next(path for path in sorted(contender.cwd.rglob("src/*/*.py")) if path.name != "__init__.py")
        with source.open("a") as stream:
            stream.write("# one more line\n")

    return _with(contender, edit)


def _start(name: str, file: Path, folder: Path) -> Contender:
    cache = folder / f"starts-{name.replace(' ', '-')}"
    return Contender(
        name=name,
        argv=[str(file), "--help"],
        cwd=folder,
        env={"FLAVOR_CACHE_DIR": str(cache), "FLAVOR_LOG_LEVEL": "error"},
    )


def _uncached(contender: Contender) -> Contender:
    return _with(contender, lambda: shutil.rmtree(contender.env["FLAVOR_CACHE_DIR"], ignore_errors=True))


def _with(contender: Contender, before: object) -> Contender:
    return Contender(name=contender.name, argv=contender.argv, cwd=contender.cwd, env=contender.env, before=before)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
