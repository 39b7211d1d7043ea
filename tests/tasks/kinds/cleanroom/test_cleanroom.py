"""Clean rooms of archives and bundles, which need no compiler, and reports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import compressing
from packyard.formats.archive.tarball import write_tar
from packyard.formats.archive.zipball import write_zip
from packyard.formats.mojo.packagemanifest import Needed, PackageManifest, Stamp
from packyard.formats.pspf import Execution, Launcher, Metadata, Slot, key_from_seed, write_bundle
from packyard.formats.workspace.cleanroom import Check
from packyard.tasks.errors import ActionError
from packyard.tasks.kinds.cleanroom import bundle
from packyard.tasks.kinds.cleanroom.cleanroom import targets
from packyard.tasks.kinds.cleanroom.make_cleanroom import (
    ArchiveProofParams,
    BundleProofParams,
    prove_archive,
    prove_bundle,
)
from packyard.tasks.kinds.cleanroom.mojo import check_dependencies
from packyard.tasks.target.room import Room
from packyard.tasks.workspace.workspace import read_workspace

SCRIPT = Entry("bench/run.sh", b'#!/bin/sh\n[ -z "$SECRET" ] && [ -z "$(ls "$HOME")" ] && cat bench/data.txt\n', True)
DATA = Entry("bench/data.txt", b"1\n")


def room_with(
    root: Path, file: str, *entries: Entry, smoke: tuple[str, ...] = ("./bench/run.sh",)
) -> Room[ArchiveProofParams]:
    room = Room(
        inputs=root / "in", outputs=root / "out", scratch=root / "tmp", home=root / "empty", log=root / "log",
        params=ArchiveProofParams(file=file, compiler="", layout="", top="", smoke=smoke),
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
    assert text.startswith(f"{file}, in a clean room\n\n  present  {file}  ")


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
    assert str(caught.value).splitlines()[1] == "bench-0.1.0.tar.gz unpacks: corrupt file"


# bundles -----------------------------------------------------------------------------------------------------------

# What begins a bundle is run by the system, whatever follows it: so a script can stand in for a launcher.
STARTER = """#!/bin/sh
[ "$1" = --packyard-run ] || exit 9
[ -z "$SECRET" ] && [ -z "$(ls "$HOME")" ] && [ -w "$TMPDIR" ] || exit 8
case "$2" in
lost) echo "ModuleNotFoundError: No module named 'stranger'" >&2; exit 1 ;;
words) [ "$3 $4" = "one two words" ]; exit ;;
serve) exec python3 -m http.server "$PORT" --bind 127.0.0.1 ;;
sleeper) exec sleep 60 ;;
esac
exit 0
"""


def bundle_room(root: Path, commands: dict[str, tuple[str, ...]], *, launcher: str = "rust") -> Room[BundleProofParams]:
    room = Room(
        inputs=root / "in", outputs=root / "out", scratch=root / "tmp", home=root / "empty", log=root / "log",
        params=BundleProofParams(file="app-1.0.psp", commands=commands),
    )  # fmt: skip
    for folder in (room.inputs, room.outputs, room.scratch, room.home):
        folder.mkdir()
    for language in ("rust", "go"):
        (room.inputs / language).write_text(STARTER + ("exit 7\n" if language == "go" else ""))
    (room.inputs / "notes").write_text("a file of its own\n")
    metadata = Metadata(
        name="app", version="1.0", execution=Execution(command="/bin/true"), launcher=Launcher(tool=launcher),
        slots=(Slot(id="notes", target="{workenv}/notes", purpose="data"),),
    )  # fmt: skip
    write_bundle(
        room.inputs / "app-1.0.psp", launcher=room.inputs / "rust", metadata=metadata,
        slots=[room.inputs / "notes"], key=key_from_seed("s1"),
    )  # fmt: skip
    return room


def test_cleanroom_starts_each_command_of_a_bundle_by_each_launcher(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "1")
    room = bundle_room(tmp_path, {"app": ("--help",), "words": ("one", "two words"), "serve": ()})
    prove_bundle(room)
    report = json.loads((room.outputs / "cleanroom.json").read_text())
    assert [check["what"] for check in report["checks"]] == [
        "app-1.0.psp is as signed",
        "app --help starts with the rust launcher",
        "words one 'two words' starts with the rust launcher",
        "serve starts with the rust launcher",
        "app --help starts with the go launcher",
        "words one 'two words' starts with the go launcher",
        "serve starts with the go launcher",
    ]
    assert list(room.scratch.iterdir()) == []


@pytest.mark.parametrize("launcher", ["../escaped", "", "."])
def test_cleanroom_gives_no_folder_the_name_that_a_bundle_gives_its_launcher(tmp_path: Path, launcher: str) -> None:
    """The folder is removed in the end."""
    room = bundle_room(tmp_path, {}, launcher=launcher)
    kept = tmp_path / "escaped" / "mine"
    kept.parent.mkdir()
    kept.write_text("mine")
    checks = list(bundle.check_starts(room, room.inputs / "app-1.0.psp", {}, {"app": []}))
    assert [(check.what, check.passed) for check in checks] == [(f"app starts with the {launcher} launcher", True)]
    assert kept.read_text() == "mine"
    assert list(room.scratch.iterdir()) == []


def test_cleanroom_names_the_command_of_a_bundle_that_fails_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "_PATIENCE", 0.5)
    room = bundle_room(tmp_path, {"lost": ("--help",), "words": (), "sleeper": ()})
    with pytest.raises(ActionError) as caught:
        prove_bundle(room)
    said = []
    for language in ("rust", "go"):
        said += [
            f"lost --help starts with the {language} launcher: missing dependency 'stranger': "
            "no module in the bundle has that name",
            "    ModuleNotFoundError: No module named 'stranger'",
            f"words starts with the {language} launcher: it ended with status 1",
            f"sleeper starts with the {language} launcher: it neither exited nor listened on $PORT within 0.50 s",
        ]
    assert str(caught.value).splitlines() == ["app-1.0.psp: 6 of 7 checks failed in the clean room", *said]


def test_cleanroom_of_a_damaged_bundle_starts_nothing(tmp_path: Path) -> None:
    room = bundle_room(tmp_path, {"app": ()})
    path = room.inputs / "app-1.0.psp"
    path.write_bytes(path.read_bytes().replace(b"a file of its own", b"a file of another"))
    with pytest.raises(ActionError, match=r"app-1\.0\.psp is as signed: corrupt file\n"):
        prove_bundle(room)
    assert "starts" not in room.log.read_text()


def test_cleanroom_is_there_for_each_bundle_of_this_machine(tmp_path: Path) -> None:
    write = {
        "packyard.toml": '[workspace]\nname = "w"\nmembers = ["*"]\n[toolchain]\nmojo = "1.0.0"\n',
        "app/pyproject.toml": '[project]\nname = "app"\nversion = "1.0"\n[project.scripts]\nmore = "app:more"\n'
        '[tool.flavor]\nentry_point = "app:main"\n[tool.flavor.smoke]\nmore = ["-x"]\n',
        "app/app.py": "",
        "both/pyproject.toml": '[project]\nname = "both"\nversion = "1.0"\n[tool.flavor]\nentry_point = "app:main"\n',
        "both/mojo.toml": '[package]\nname = "both"\nversion = "1.0.0"\n',
        "both/__init__.mojo": "",
        "far/pyproject.toml": '[project]\nname = "far"\nversion = "1.0"\n[tool.flavor]\nentry_point = "app:main"\n'
        'platforms = ["windows_arm64"]\n',
    }
    for path, text in write.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    workspace = read_workspace(tmp_path)
    found = {target.name: target for target in targets(workspace)}
    assert list(found) == ["cleanroom:both", "cleanroom:app", "cleanroom:both.psp"]
    assert found["cleanroom:app"].params == {"file": "app-1.0.psp", "commands": {"more": ["-x"], "app": ["--help"]}}
    assert [use.target for use in found["cleanroom:app"].uses] == [
        "bundle:app", f"launcher:rust-{workspace.platform}", f"launcher:go-{workspace.platform}",
    ]  # fmt: skip


def test_cleanroom_of_a_package_names_each_dependency_that_is_missing_or_stale() -> None:
    stamp = Stamp(version="1.0.0", identity="a" * 64, producer="", container=2)
    needed = [Needed(name=name, distribution=name, version="0.1.0", sha256=name * 64) for name in "abc"]
    manifest = PackageManifest(
        name="p", distribution="p", version="0.1.0", file="p-0.1.0.mojopkg", installed_as="p.mojopkg", size=1,
        sha256="", compiler=stamp, dependencies=tuple(needed), exports={},
    )  # fmt: skip
    present = {"p.mojopkg": "", "a.mojopkg": "a" * 64, "b.mojopkg": "0" * 64}
    assert list(check_dependencies(manifest, present)) == [
        Check(what="a is what p was compiled against"),
        Check(
            what="b is what p was compiled against",
            cause="stale package: its dependency was rebuilt",
            detail="rebuild both",
        ),
        Check(
            what="c is what p was compiled against",
            cause="missing dependency 'c': no package here provides it",
        ),
    ]
