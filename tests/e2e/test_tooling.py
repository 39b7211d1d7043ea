"""Tooling as an archive: what the guide to the package phase asks of one, from a workspace of scripts alone."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Space

RUN_ALL = '#!/bin/sh\nset -eu\ncd "$(dirname "$0")"\n./run_benchmark.sh ../../benchmarks/cases.txt\n'
RUN_ONE = '#!/bin/sh\nset -eu\ncat "$1" >/dev/null\nwc -l <"$1" | tr -d " "\n'
WORKSPACE = """\
[workspace]
name = "ml-odyssey"

[[archive]]
name = "benchmarks"
version = "0.1.0"
include = ["scripts/benchmarks/", "benchmarks/", "README.md", "LICENSE"]
smoke = ["./scripts/benchmarks/run_all.sh"]
"""


@pytest.fixture
def tooling(make_space: Callable[[str], Space]) -> Space:
    space = make_space("tooling")
    space.write("packyard.toml", WORKSPACE)
    for path, text in (
        ("scripts/benchmarks/run_all.sh", RUN_ALL),
        ("scripts/benchmarks/run_benchmark.sh", RUN_ONE),
    ):
        space.write(path, text).chmod(0o755)
    space.write("scripts/benchmarks/README.md", "# Benchmarks\n\nRun `run_all.sh`.\n")
    space.write("benchmarks/cases.txt", "one\ntwo\n")
    space.write("README.md", "# ML Odyssey\n")
    space.write("LICENSE", "BSD-3-Clause\n")
    return space


def test_archive_holds_all_and_runs_where_it_is_unpacked(tooling: Space, tmp_path: Path) -> None:
    done = tooling.packyard("cleanroom:benchmarks")
    assert done.ran == ["archive:benchmarks", "cleanroom:benchmarks"]
    with tarfile.open(tooling.root / "dist/benchmarks-0.1.0.tar.gz") as archive:
        assert {member.name: oct(member.mode) for member in archive} == {
            "LICENSE": "0o644",
            "README.md": "0o644",
            "benchmarks/cases.txt": "0o644",
            "scripts/benchmarks/README.md": "0o644",
            "scripts/benchmarks/run_all.sh": "0o755",
            "scripts/benchmarks/run_benchmark.sh": "0o755",
        }
        archive.extractall(tmp_path, filter="data")
    assert subprocess.check_output(["./scripts/benchmarks/run_all.sh"], cwd=tmp_path) == b"2\n"
    report = json.loads(tooling.text("dist/benchmarks-0.1.0.tar.gz.cleanroom.json"))
    assert report["passed"]
    assert [check["what"] for check in report["checks"]] == [
        "benchmarks-0.1.0.tar.gz unpacks",
        "./scripts/benchmarks/run_all.sh runs",
    ]
    assert tooling.packyard("cleanroom:benchmarks").out.startswith("nothing to do: ")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        # a file that only the workspace has: the shipped copy is what runs
        (lambda space: space.replace("packyard.toml", '"benchmarks/", ', ""), "cases.txt"),
        (lambda space: os.chmod(space.root / "scripts/benchmarks/run_benchmark.sh", 0o644), "ermission denied"),
    ],
    ids=["left out", "not executable"],
)
def test_archive_that_does_not_run_is_refused(tooling: Space, change: Callable[[Space], None], said: str) -> None:
    change(tooling)
    done = tooling.packyard("cleanroom:benchmarks", status=1)
    assert done.failed == ["cleanroom:benchmarks"]
    assert "benchmarks-0.1.0.tar.gz: 1 of 2 checks failed in the clean room" in done.out
    assert said in done.out
