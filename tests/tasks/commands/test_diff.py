"""`packyard diff`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from packyard.formats.archive.entry import Entry
from packyard.formats.archive.piece import write_piece
from packyard.formats.pspf import Build, Execution, Metadata, Slot, key_from_seed, write_bundle

from tests.tasks.commands.conftest import Space


def write(space: Space, name: str, files: dict[str, bytes], *, version: str = "1.0", seed: str = "s1") -> Path:
    (space.root / "launcher").write_bytes(b"launcher")
    with (space.root / "piece").open("wb") as out:
        write_piece([Entry(path, content) for path, content in files.items()], out)
    metadata = Metadata(
        name="app",
        version=version,
        slots=(Slot(id="app", target="{workenv}", operations="tgz"),),
        execution=Execution(command="/bin/true"),
        build=Build(tool="packyard", os="linux", arch="amd64"),
    )
    path = space.root / name
    write_bundle(
        path, launcher=space.root / "launcher", metadata=metadata, slots=[space.root / "piece"], key=key_from_seed(seed)
    )
    return path


@pytest.fixture
def one(space: Space) -> Path:
    return write(space, "one.psp", {"same": b"same", "changed": b"1", "gone": b"gone"})


def test_equal_bundles_have_no_difference(space: Space, one: Path) -> None:
    assert space.output("diff", "one.psp", "one.psp") == "no difference in slots, files and metadata\n"


def test_differences_are_a_table_of_slots_and_files(space: Space, one: Path) -> None:
    write(space, "two.psp", {"same": b"same", "changed": b"2", "new": b"new"}, version="2.0", seed="s2")
    status, out, err = space.run("diff", "one.psp", "two.psp")
    assert (status, err) == (1, "")
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["slot", "what", "one.psp", "two.psp"]
    assert ["(bundle)", "version", "1.0", "2.0"] in lines
    assert [line[:2] for line in lines[1:]] == [
        ["(bundle)", "version"], ["(bundle)", "key"], ["app", "changed"], ["app", "gone"], ["app", "new"],
        ["5", "differences"],
    ]  # fmt: skip
    assert lines[-2][2] == "-"
    found = json.loads(space.run("diff", "one.psp", "two.psp", "--json")[1])
    assert found[0] == {"slot": "", "what": "version", "before": "1.0", "after": "2.0"}


def test_file_that_is_no_bundle_is_named(space: Space, one: Path) -> None:
    status, _, err = space.run("diff", "one.psp", "README.md")
    assert (status, err) == (1, "error: README.md: is not a bundle: 6 bytes is less than a trailer\n")
