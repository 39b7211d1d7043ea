"""Clean rooms of archives, whose smoke command needs no compiler, and reports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from packyard.formats.entry import Entry
from packyard.formats.gzipped import compressing
from packyard.formats.tarball import write_tar
from packyard.formats.zipball import write_zip
from packyard.tasks.cleanroom import prove_archive
from packyard.tasks.errors import ActionError
from packyard.tasks.proof import Check, Proof
from packyard.tasks.room import Room

SCRIPT = Entry("bench/run.sh", b'#!/bin/sh\n[ -z "$SECRET" ] && [ -z "$(ls "$HOME")" ] && cat bench/data.txt\n', True)
DATA = Entry("bench/data.txt", b"1\n")


def room_with(root: Path, file: str, *entries: Entry, smoke: tuple[str, ...] = ("./bench/run.sh",)) -> Room:
    room = Room(
        inputs=root / "in", outputs=root / "out", scratch=root / "tmp", home=root / "empty", log=root / "log",
        params={"file": file, "compiler": "", "layout": "", "top": "", "smoke": list(smoke)},
    )  # fmt: skip
    for folder in (room.inputs, room.outputs, room.scratch, room.home):
        folder.mkdir()
    with (room.inputs / file).open("wb") as out:
        if file.endswith(".zip"):
            write_zip(entries, out)
        else:
            with compressing(out) as packed:
                write_tar(entries, packed)
    return room


@pytest.mark.parametrize("file", ["bench-0.1.0.tar.gz", "bench-0.1.0.zip"])
def test_cleanroom_runs_the_smoke_command_of_an_archive(
    tmp_path: Path, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "1")
    room = room_with(tmp_path, file, SCRIPT, DATA)
    prove_archive(room)
    report = json.loads((room.outputs / "cleanroom.json").read_text())
    assert report["passed"]
    assert report["checks"] == [
        {"passed": True, "what": f"{file} unpacks", "cause": "", "detail": ""},
        {"passed": True, "what": "./bench/run.sh runs", "cause": "", "detail": ""},
    ]
    text = (room.outputs / "cleanroom.txt").read_text()
    assert text.startswith(f"{file}, in a clean room with no compiler\n\n  present  {file}  ")


@pytest.mark.parametrize(
    ("entries", "smoke", "message"),
    [
        (
            (SCRIPT,),
            ("./bench/run.sh",),
            "./bench/run.sh runs: it ended with status 1\n"
            "    cat: bench/data.txt: No such file or directory\n    'run.sh' ended with status 1",
        ),
        (
            (Entry("bench/run.sh", SCRIPT.content),),
            ("./bench/run.sh",),
            "./bench/run.sh runs: it is not executable: chmod +x, and build the archive again\n"
            "    './bench/run.sh' cannot be started: Permission denied",
        ),
        (
            (DATA,),
            ("./bench/run.sh", "-x"),
            "./bench/run.sh -x runs: it cannot be started: No such file or directory\n"
            "    './bench/run.sh' cannot be started: No such file or directory",
        ),
    ],
    ids=["file missing", "not executable", "script missing"],
)
def test_cleanroom_says_why_the_smoke_command_fails(
    tmp_path: Path, entries: tuple[Entry, ...], smoke: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ActionError) as caught:
        prove_archive(room_with(tmp_path, "bench-0.1.0.tar.gz", *entries, smoke=smoke))
    assert str(caught.value) == f"bench-0.1.0.tar.gz: 1 of 2 checks failed in the clean room\n{message}"


def test_cleanroom_of_a_damaged_archive_says_so(tmp_path: Path) -> None:
    room = room_with(tmp_path, "bench-0.1.0.tar.gz", SCRIPT)
    path = room.inputs / "bench-0.1.0.tar.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ActionError) as caught:
        prove_archive(room)
    assert str(caught.value).splitlines()[1] == "bench-0.1.0.tar.gz unpacks: damaged file"


def test_proof_shows_what_failed_and_why() -> None:
    checks = (Check(what="a is whole"), Check(what="b runs", cause="it ended with status 2", detail="one\ntwo"))
    proof = Proof(subject="a 1.0.0", compiler="Mojo 1.0.0", present={"a.mojopkg": "0123456789abcdef"}, checks=checks)
    assert proof.table() == (
        "a 1.0.0, in a clean room with Mojo 1.0.0\n\n  present  a.mojopkg  0123456789ab\n\n"
        "  passed  a is whole\n  FAILED  b runs  it ended with status 2\n\n1 of 2 checks passed, 1 failed\n"
    )
    assert proof.failure() == "b runs: it ended with status 2\n    one\n    two"
    assert json.loads(proof.json())["passed"] is False
