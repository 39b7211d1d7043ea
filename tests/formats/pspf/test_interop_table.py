"""The table of docs/interoperation.md, run: three builders, four readers, and every case of `interop_cases`.

What the page lists is all in which they differ: a difference that is not listed fails, and so does one that is listed
and is none.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.pspf import (
    Environment,
    Execution,
    Metadata,
    Slot,
    key_from_seed,
    open_bundle,
    public_key,
    write_bundle,
)
from packyard.formats.pspf.signature import sign
from packyard.tasks.kinds.bundle.verification import verify_file

from tests.conftest import Figures
from tests.formats.pspf.conftest import helper
from tests.formats.pspf.interop_cases import CASES, READ, REFUSED, TEXT, Case

pytestmark = [pytest.mark.real, pytest.mark.long]

PAGE = Path(__file__).parents[3] / "docs/interoperation.md"
BUILDERS = {"Packyard": "", "Rust builder": "rs", "Go builder": "go"}
LAUNCHERS = {"Rust launcher": "rs", "Go launcher": "go"}
# FlavorPack reads a list of files in one process: to start it takes a second.
FLAVOR = """
import sys
from pathlib import Path
from flavor import verify_package
for line in sys.stdin:
    print(verify_package(Path(line.rstrip("\\n")))["valid"])
"""


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """What came of a case with a builder and a reader."""

    case: str
    builder: str
    reader: str
    result: str


@pytest.mark.parametrize("builder", BUILDERS)
def test_builder_and_readers_differ_only_as_listed(
    builder: str, flavorpack: Path, tmp_path: Path, figures: Figures
) -> None:
    cells: list[Cell] = []
    wanted: dict[tuple[str, str], str] = {}
    for_flavor: dict[str, Path] = {}
    for number, case in enumerate(CASES):
        for reader, language in LAUNCHERS.items():
            folder = tmp_path / f"{number}-{language}"
            folder.mkdir(parents=True)
            bundle = build(case, builder, helper(flavorpack, language, "launcher"), folder, flavorpack)
            wanted[case.name, "all"] = "built" if case.built else "not built"
            if bundle is None or not case.built:
                cells.append(Cell(case.name, builder, "all", "built" if bundle else "not built"))
                break
            cells.append(Cell(case.name, builder, reader, start(bundle, case)))
            wanted[case.name, reader] = case.runs
            for_flavor[case.name] = bundle
        else:
            cells.append(Cell(case.name, builder, "Packyard", READ if reads(for_flavor[case.name]) else REFUSED))
            wanted[case.name, "Packyard"] = wanted[case.name, "FlavorPack"] = case.reads
    done = subprocess.run(
        [flavorpack / "python", "-c", FLAVOR], input="\n".join(map(str, for_flavor.values())), capture_output=True,
        text=True, check=True, env={**os.environ, "HOME": str(tmp_path), "FLAVOR_LOG_LEVEL": "error"},
    )  # fmt: skip
    for name, said in zip(for_flavor, done.stdout.split(), strict=True):
        cells.append(Cell(name, builder, "FlavorPack", {"True": READ, "False": REFUSED}[said]))
    differing = {cell for cell in cells if cell.result != wanted[cell.case, cell.reader]}
    figures(f"{len(cells)} cells of {len(CASES)} cases, {len(differing)} of them differ as listed")
    assert sorted(differing) == sorted(listed(builder))


def listed(builder: str) -> Iterator[Cell]:
    """The differences on the page. A row names cases, builders and readers, each a list or 'all'."""
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| (.+?) \| .+? \|$", PAGE.read_text(encoding="utf-8"), re.M)
    assert len(rows) > 10
    for cases, builders, readers, result in rows:
        if builders == "all" or builder in builders.split(", "):
            for case in re.findall(r"`(.+?)`", cases):
                yield from (Cell(case, builder, reader, result) for reader in readers.split(", "))


def build(case: Case, builder: str, launcher: Path, folder: Path, flavorpack: Path, seed: str = "s1") -> Path | None:
    """The bundle; None when the builder does not take the case."""
    out = folder / "app.psp"
    command = '/bin/sh "{workenv}/probe"'
    entries = [
        {
            "purpose": "data",
            "lifecycle": "runtime",
            "operations": "raw",
            "permissions": "0644",
            "source": f"{n}",
            **slot,
        }
        for n, slot in enumerate((*case.slots, {"id": "probe", "target": "probe", "permissions": "0755"}))
    ]
    probe = f'cd "${{0%/*}}"\n{case.script}\n'.encode()
    for number, data in enumerate((*(case.stored or [TEXT] * len(case.slots)), probe)):
        (folder / str(number)).write_bytes(data)
    if builder == "Packyard":
        rules = {key + "_" * (key == "pass"): tuple(v) if isinstance(v, list) else v for key, v in case.rules.items()}
        metadata = Metadata(
            name="app",
            version="1.0",
            slots=tuple(Slot(**entry) for entry in entries),
            execution=Execution(command=command, env=case.env),
            environment=Environment(**rules),
            setup_commands=case.setup,
        )
        files = [folder / entry["source"] for entry in entries]
        try:
            write_bundle(out, launcher=launcher, metadata=metadata, slots=files, key=key_from_seed(seed))
        except FormatError:
            return None
        return out
    manifest = {
        "package": {"name": "app", "version": "1.0"},
        "execution": {"command": command, "env": case.env},
        "slots": entries,
        "runtime": {"env": case.rules},
        "setup_commands": list(case.setup),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    done = subprocess.run(
        [
            helper(flavorpack, BUILDERS[builder], "builder"), "--manifest", "manifest.json", "--output", out,
            "--launcher-bin", launcher, "--key-seed", seed,
        ],
        cwd=folder, capture_output=True, check=False, env={**os.environ, "FLAVOR_LOG_LEVEL": "error"},
    )  # fmt: skip
    return out if done.returncode == 0 else None


def start(bundle: Path, case: Case) -> str:
    """What the bundle prints, on one line; REFUSED when it does not start."""
    home = bundle.parent / "a home"
    env = {"PATH": "/usr/bin:/bin", "HOME": str(home), "FLAVOR_CACHE_DIR": str(home), "FLAVOR_LOG_LEVEL": "error"}
    done = subprocess.run([bundle], env={**env, **case.given}, capture_output=True, text=True, check=False, timeout=60)
    return " / ".join(done.stdout.split("\n")).removesuffix(" / ") if done.returncode == 0 else REFUSED


def reads(bundle: Path) -> bool:
    """Whether `packyard verify --deep` passes."""
    return verify_file(bundle, deep=True).passed()


SEEDS = ("s1", "a seed with spaces", " s1", "ключ 🔑", "x" * 1000)
PYTHON_KEYS = """
import sys
from flavor.psp.format_2025.keys import generate_deterministic_keys
for seed in sys.argv[1:]:
    print(generate_deterministic_keys(seed)[1].hex())
"""


def test_seeds_give_the_keys_and_signatures_of_all_implementations(flavorpack: Path, tmp_path: Path) -> None:
    """As signing vectors: FlavorPack's Python, and what its builders wrote into bundles."""
    ours = [public_key(key_from_seed(seed)).hex() for seed in SEEDS]
    assert (ours[0][:16], ours[0][-8:]) == ("edcf7af5bd190357", "a9de8743")
    done = subprocess.run(
        [flavorpack / "python", "-c", PYTHON_KEYS, *SEEDS], capture_output=True, text=True, check=True,
        env={**os.environ, "HOME": str(tmp_path), "FLAVOR_LOG_LEVEL": "error"},
    )  # fmt: skip
    assert done.stdout.split() == ours
    (case,) = (case for case in CASES if case.name == "no slot")
    for builder in ("Rust builder", "Go builder"):
        for number, seed in enumerate(SEEDS):
            folder = tmp_path / f"{builder} {number}"
            folder.mkdir()
            path = build(case, builder, helper(flavorpack, "rs", "launcher"), folder, flavorpack, seed=seed)
            assert path is not None
            bundle = open_bundle(path)
            assert bundle.index.public_key.hex() == ours[number]
            assert bundle.signature == sign(key_from_seed(seed), bundle.metadata_json)
