from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from packyard.formats.archive.entry import Entry
from packyard.formats.archive.piece import write_piece
from packyard.formats.errors import FormatError
from packyard.formats.pspf import (
    Build,
    Execution,
    Launcher,
    Metadata,
    Policy,
    Slot,
    Verdict,
    key_from_seed,
    public_key,
    write_bundle,
)
from packyard.formats.pspf.signature import private_pem
from packyard.tasks.kinds.bundle.inspection import extract, inspect_file, inspection_text
from packyard.tasks.kinds.bundle.verification import verify_file

KEY = public_key(key_from_seed("s1"))
METADATA = Metadata(
    name="app",
    version="1.0",
    slots=(
        Slot(id="app", target="{workenv}", operations="tgz", purpose="code", permissions="0755"),
        Slot(id="notes", target="{workenv}/doc/notes.txt", permissions="0640"),
    ),
    execution=Execution(command="{workenv}/bin/run"),
    build=Build(tool="packyard", os="linux", arch="amd64"),
    launcher=Launcher(tool="rust", tool_version="0.5.4"),
)
MakeBundle = Callable[..., Path]


@pytest.fixture
def make_bundle(tmp_path: Path) -> MakeBundle:
    def make(tree: bytes | None = None, **changes: Any) -> Path:
        parts = tmp_path / "parts"
        parts.mkdir()
        (parts / "launcher").write_bytes(b"launcher")
        (parts / "notes").write_bytes(b"notes\n")
        with (parts / "tree").open("wb") as out:
            if tree is None:
                write_piece([Entry("bin/run", b"run", True), Entry("share/text", b"text")], out)
            else:
                out.write(tree)
        write_bundle(
            tmp_path / "app.psp",
            launcher=parts / "launcher",
            metadata=replace(METADATA, **changes),
            slots=[parts / "tree", parts / "notes"],
            key=key_from_seed("s1"),
        )
        return tmp_path / "app.psp"

    return make


def test_inspection_shows_what_the_bundle_says(make_bundle: MakeBundle) -> None:
    values = inspect_file(make_bundle(policy=Policy(require_env=("HOME",))))
    assert inspection_text(values).splitlines() == [
        "bundle    app 1.0, 10.2 kB",
        "built     packyard linux_amd64",
        "launcher  rust 0.5.4, 8 B",
        f"key       {KEY.hex()}",
        "signed    every byte",
        "seal      none: nothing checks the slots on the host but 'packyard verify'",
        "command   {workenv}/bin/run",
        "policy    require_env ['HOME']",
        "",
        "slot  id     stored  as   purpose  lifecycle  mode  target",
        "0     app    136 B   tgz  code     runtime    0755  {workenv}",
        "1     notes  6 B     raw  data     runtime    0640  {workenv}/doc/notes.txt",
    ]


def test_inspection_does_not_pass_control_characters_on(make_bundle: MakeBundle) -> None:
    text = inspection_text(inspect_file(make_bundle(name="\x1b[2Japp\nseal      yes")))
    assert text.splitlines()[0] == "bundle    \\x1b[2Japp\\nseal      yes 1.0, 10.1 kB"


def test_verification_of_an_intact_bundle(make_bundle: MakeBundle) -> None:
    path = make_bundle()
    plain, pinned = verify_file(path), verify_file(path, {KEY}, deep=True)
    assert plain.text() == f"{path}: intact (key {KEY.hex()[:16]}...)"
    assert (plain.verdict, pinned.verdict) == (Verdict.INTACT, Verdict.AUTHENTIC)
    assert plain.passed(strict=True)
    assert pinned.json() == {
        "file": str(path),
        "verdict": "authentic",
        "name": "app",
        "version": "1.0",
        "public_key": KEY.hex(),
        "findings": [],
    }


def test_verification_of_a_damaged_bundle_names_the_damage(make_bundle: MakeBundle) -> None:
    path = make_bundle()
    data = path.read_bytes()
    path.write_bytes(data.replace(b"notes\n", b"votes\n"))
    verification = verify_file(path)
    assert not verification.passed()
    assert verification.text().splitlines() == [
        f"{path}: damaged (key {KEY.hex()[:16]}...)",
        "  slot: slot 1 'notes': its bytes do not match the checksum in the slot table",
        "  slot: slot 1 'notes': its bytes do not match the signed digest",
    ]


def test_verification_of_another_file_says_that_it_is_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    verification = verify_file(tmp_path / "x")
    assert verification.text().splitlines() == [
        f"{tmp_path / 'x'}: damaged",
        "  file: is not a bundle: 1 bytes is less than a trailer",
    ]
    assert verification.json()["name"] is None


def test_extract_unpacks_all_slots_or_one(make_bundle: MakeBundle, tmp_path: Path) -> None:
    path, out = make_bundle(), tmp_path / "out"
    assert extract(path, out) == [out / "bin/run", out / "doc/notes.txt", out / "share/text"]
    assert (out / "bin/run").stat().st_mode & 0o777 == 0o755
    assert (out / "doc/notes.txt").stat().st_mode & 0o777 == 0o640
    one = tmp_path / "one"
    assert extract(path, one, "notes") == [one / "doc/notes.txt"]


def test_extract_refuses_an_existing_folder_and_an_unknown_slot(make_bundle: MakeBundle, tmp_path: Path) -> None:
    path = make_bundle()
    with pytest.raises(FormatError) as caught:
        extract(path, tmp_path)
    assert str(caught.value) == f"{tmp_path}: already exists; expected a new folder"
    with pytest.raises(FormatError) as caught:
        extract(path, tmp_path / "out", "none")
    assert str(caught.value) == f"{path}: 'none' is not a slot of this bundle; expected one of app, notes"


def tar(name: str, kind: bytes = tarfile.REGTYPE) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("fine"))
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, "/etc/passwd"
        archive.addfile(entry)
    return gzip.compress(out.getvalue())


@pytest.mark.parametrize(
    "tree",
    [
        tar("../out"),
        tar("/tmp/out"),
        tar("link", tarfile.SYMTYPE),
        tar("link", tarfile.LNKTYPE),
        tar("fine"),
        tar("FINE"),
        tar("fifo", tarfile.FIFOTYPE),
    ],
    ids=["parent", "absolute", "symlink", "hardlink", "twice", "case", "fifo"],
)
def test_extract_of_a_hostile_slot_leaves_nothing(make_bundle: MakeBundle, tmp_path: Path, tree: bytes) -> None:
    path = make_bundle(tree)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(FormatError, match=r"app\.psp: slot 'app': "):
        extract(path, tmp_path / "new/out")
    assert [found for found in sorted(tmp_path.rglob("*")) if found not in before] == [tmp_path / "new"]


@pytest.mark.parametrize("ident", ["../escaped", "/tmp/escaped", "a/../../escaped", "."])
def test_extract_of_a_slot_named_like_a_path_out_leaves_nothing(
    make_bundle: MakeBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ident: str
) -> None:
    monkeypatch.setattr("packyard.formats.pspf.writer.check_metadata", lambda *_: None)  # somebody else's writer
    slots = (METADATA.slots[0], Slot(id=ident, target="{workenv}"))
    path = make_bundle(slots=slots)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(FormatError, match=r"app\.psp: slot '"):
        extract(path, tmp_path / "out")
    assert sorted(tmp_path.rglob("*")) == before


def test_inspection_notes_private_keys_that_distributions_bring(make_bundle: MakeBundle) -> None:
    """It is theirs, for their tests: nothing that a build could refuse, and something that its receiver may ask for."""
    pem = private_pem(key_from_seed("of a test"))
    tree = io.BytesIO()
    site = "lib/python3.12/site-packages"
    write_piece([Entry(f"{site}/web/test/test.key", pem), Entry(f"{site}/web/test/test.crt", b"text")], tree)
    path = make_bundle(tree.getvalue())
    values = inspect_file(path)
    assert values["private_keys"] == [{"slot": "app", "path": f"{site}/web/test/test.key", "kind": "PKCS#8"}]
    note = f"note      {site}/web/test/test.key in the slot 'app' is a private key (PKCS#8)"
    assert inspection_text(values).splitlines().count(note) == 1
    assert verify_file(path).verdict is Verdict.INTACT


def test_inspection_of_a_slot_that_cannot_be_read_notes_nothing(make_bundle: MakeBundle) -> None:
    values = inspect_file(make_bundle(b"no tar"))
    assert values["private_keys"] == []
    assert [slot["id"] for slot in values["slots"]] == ["app", "notes"]
