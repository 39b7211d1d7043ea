"""What only `verify --deep` sees: bundles whose every byte is signed, and which are no good all the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from packyard.formats.archive.entry import Entry
from packyard.formats.archive.piece import write_piece
from packyard.formats.pspf import (
    Coverage,
    Execution,
    Metadata,
    Slot,
    Verdict,
    contents_digest,
    key_from_seed,
    seal,
    write_bundle,
)
from packyard.formats.python.record import recorded, write_record
from packyard.tasks.kinds.bundle.verification import verify_file

SITE = "lib/python3.12/site-packages"
FACTS = {"name": "app", "version": "1", "default": "app", "commands": {"app": "app:main"}, "slots": {}, "root": "x"}
FILES = {
    "bin/python3.12": b"ELF",
    f"{SITE}/app.py": b"def main():\n    pass\n",
    f"{SITE}/app-1.dist-info/RECORD": write_record(
        [recorded("app.py", b"def main():\n    pass\n")], at="app-1.dist-info/RECORD"
    ),
    f"{SITE}/packyard_runtime/program.json": json.dumps(FACTS).encode(),
}
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def make(files: dict[str, bytes] | None = None, **changes: object) -> Path:
        files = FILES if files is None else files
        tree = contents_digest({path: hashlib.sha256(data).hexdigest() for path, data in files.items()})
        with (tmp_path / "piece").open("wb") as out:
            write_piece([Entry(path, data, path.startswith("bin/")) for path, data in files.items()], out)
        (tmp_path / "launcher").write_bytes(b"launcher")
        metadata = Metadata(
            name="app",
            version="1",
            slots=(Slot(id="app", target="{workenv}", operations="tgz", content=str(tree)),),
            execution=Execution(command='/bin/sh -c x "{workenv}/.packyard-12/bin/python3.12" -sP'),
            setup_commands=(seal(tree, place=".packyard-12"),),
            coverage=Coverage(tree=str(tree), sealed=True),
        )
        out_path = tmp_path / "app.psp"
        write_bundle(
            out_path,
            launcher=tmp_path / "launcher",
            metadata=replace(metadata, **changes),  # type: ignore[arg-type]
            slots=[tmp_path / "piece"],
            key=key_from_seed("s1"),
        )
        return out_path

    return make


def test_whole_application_passes(make: Make) -> None:
    assert verify_file(make(), deep=True).verdict is Verdict.INTACT


@pytest.mark.parametrize(
    ("files", "finding"),
    [
        (
            {f"{SITE}/app.py": b"def main():\n    evil()\n"},
            f"record: {SITE}/app-1.dist-info/RECORD: 'app.py' is not the file that it lists",
        ),
        ({f"{SITE}/app.py": None}, f"record: {SITE}/app-1.dist-info/RECORD: 'app.py' is not in the bundle"),
        (
            {f"{SITE}/app.py": b"", f"{SITE}/app-1.dist-info/RECORD": None},
            "command: app: the module 'app' has no 'main'",
        ),
        (
            {f"{SITE}/app.py": None, f"{SITE}/app-1.dist-info/RECORD": None},
            "command: app: no module 'app' is in the bundle",
        ),
        ({"bin/python3.12": None}, "command: 'bin/python3.12', which the launcher runs, is not in the bundle"),
        (
            {f"{SITE}/packyard_runtime/program.json": json.dumps(FACTS | {"default": "x"}).encode()},
            "command: the default command 'x' is not one of its commands",
        ),
        (
            {f"{SITE}/packyard_runtime/program.json": b"{"},
            "content: the application cannot be read: Expecting",
        ),
        (
            {f"{SITE}/app-1.dist-info/RECORD": b"a,b"},
            "content: the application cannot be read: line 1",
        ),
    ],
)
def test_application_that_does_not_hold_together_is_found(
    make: Make, files: dict[str, bytes | None], finding: str
) -> None:
    path = make({at: data for at, data in {**FILES, **files}.items() if data is not None})
    assert verify_file(path).verdict is Verdict.INTACT
    found = verify_file(path, deep=True)
    assert found.verdict is Verdict.DAMAGED
    assert any(str(one).startswith(finding) for one in found.findings), found.findings


def test_seal_of_no_tree_is_found(make: Make) -> None:
    path = make(coverage=Coverage(tree="", sealed=True))
    assert [str(one) for one in verify_file(path, deep=True).findings] == [
        "seal: it is marked as sealed, but '' is not a digest; expected sha256: and 64 hexadecimal digits"
    ]


def test_seal_of_another_tree_is_found(make: Make) -> None:
    tree = contents_digest({})
    path = make(setup_commands=(seal(tree, place=".packyard-12"),))
    assert verify_file(path).verdict is Verdict.INTACT
    assert [str(one) for one in verify_file(path, deep=True).findings] == [
        "seal: the first set-up command is not the seal of the signed tree"
    ]
