"""Clean rooms of morloc packages: what is shown without a compiler and with one, and what is told of a wrong package.

No compiler of morloc can be had for tests; stand-ins answer as it does.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import pytest
from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import LEVELS, compressing
from packyard.formats.archive.tarball import write_tar
from packyard.tasks.engine.graph.graph import build_graph
from packyard.tasks.errors import ActionError
from packyard.tasks.kinds import TABLE
from packyard.tasks.kinds.cleanroom.make_cleanroom import MorlocProofParams, prove_morloc
from packyard.tasks.kinds.cleanroom.morloc import NOT_SHOWN
from packyard.tasks.kinds.cleanroom.verify import Verified, verify_artifact
from packyard.tasks.kinds.morloc.make_plane import PlaneParams, make_plane
from packyard.tasks.target.params import read_params
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Use
from packyard.tasks.workspace.workspace import read_workspace

from tests.tasks.kinds.morloc.corpus import manifest, module, plain, write_package

P = TypeVar("P")

BASE = plain("base")
SHAPES = {
    "package.yaml": manifest("shapes", "base"),
    "main.loc": module("shapes", "base", more='source Py from "shapes.py" ("area" as area)\n').replace("*", "area"),
    "shapes.py": "def area(r): return r\n",
}
PASSED = [
    "shapes-0.1.0.morloc.tar.gz unpacks, as shapes 0.1.0",
    "its name matches its manifest",
    "shapes and its dependencies install from their archives alone",
    "2 packages as locked, file by file",
    "no error in shapes and its dependencies",
    "the module shapes exports area",
]
COMPILER = """\
#!/bin/sh
# Takes every package, and like the real one installs folders given by name.
case $1 in
typecheck) [ -f "$2" ] ;;
install)
    shift
    for folder; do
        mkdir -p "$MORLOC_HOME/src/morloc/plane/default" "$MORLOC_HOME/fdb"
        cp -r "$folder" "$MORLOC_HOME/src/morloc/plane/default/"
        name=$(basename "$folder")
        echo "{\\"name\\": \\"$name\\"}" >"$MORLOC_HOME/fdb/$name.module"
    done
    ;;
esac
"""


def archive(folder: Path, name: str, files: Mapping[str, str], version: str = "0.1.0", top: str = "") -> Path:
    """The archive of a package, as the kind `morloc` makes it."""
    path = folder / f"{name}-{version}.morloc.tar.gz"
    entries = [Entry(f"{top or name}/{file}", text.encode()) for file, text in files.items()]
    with path.open("wb") as stream, compressing(stream, level=LEVELS["fast"]) as packed:
        write_tar(entries, packed, epoch=0)
    return path


def outcome(found: Verified) -> dict[str, str]:
    """What failed of a verification, and why; nothing when it passed."""
    return {} if found.passed else dict(line.split(": ", 1) for line in found.text.splitlines()[1:] if line[0] != " ")


@pytest.fixture(autouse=True)
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")


@pytest.fixture
def shapes(tmp_path: Path) -> Path:
    """The archive of a package, with the one that it needs beside it."""
    archive(tmp_path, "base", BASE)
    return archive(tmp_path, "shapes", SHAPES)


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the compiler, on PATH."""
    program = tmp_path / "bin/morloc"
    program.parent.mkdir()
    program.write_text(COMPILER)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return program


def test_package_is_shown_to_work_but_for_its_types(shapes: Path) -> None:
    found = verify_artifact(shapes, (), None)
    assert [check.what for check in found.report.checks] == PASSED
    assert found.report.not_shown == NOT_SHOWN
    assert found.text.endswith(
        "  passed  the module shapes exports area\n"
        "not checked:  that its types agree, and that the compiler's own installer accepts it: there was no morloc "
        "compiler\n\n6 of 6 checks passed"
    )


def test_package_without_what_it_needs_names_it(tmp_path: Path) -> None:
    found = verify_artifact(archive(tmp_path, "shapes", SHAPES), (), None)
    assert outcome(found) == {PASSED[2]: "missing dependency 'base': no archive here contains it"}


def test_package_takes_what_it_needs_from_a_plane(tmp_path: Path, shapes: Path) -> None:
    root = tmp_path / "w"
    write_package(root / "m/base", BASE)
    (root / "packyard.toml").write_text('[workspace]\nname = "w"\nmembers = ["m/*"]\n')
    graph = build_graph(read_workspace(root), TABLE)
    (shapes.parent / "base-0.1.0.morloc.tar.gz").rename(tmp_path / "base.tar.gz")
    room = make_room(tmp_path / "plane", read_params(PlaneParams, graph.targets["plane:default"].params))
    (room.inputs / "packages/base.morloc.tar.gz").write_bytes((tmp_path / "base.tar.gz").read_bytes())
    make_plane(room)
    (room.outputs / "w-default.plane.tar.gz").rename(tmp_path / "w-default.plane.tar.gz")
    assert outcome(verify_artifact(shapes, (), None)) == {}


@pytest.mark.parametrize(
    ("files", "what", "cause"),
    [
        ({"shapes.py": None}, PASSED[2], "it cannot be installed"),
        ({"main.loc": module("other", "base")}, PASSED[2], "it cannot be installed"),
        (
            {"package.yaml": manifest("shapes", "base") + "licence: x\n"},
            "shapes-0.1.0.morloc.tar.gz unpacks",
            "corrupt file or wrong manifest",
        ),
        (
            {"main.loc": module("shapes", "base", "stranger")},
            PASSED[2],
            "missing dependency 'stranger': no archive here contains it",
        ),
        (
            {"package.yaml": manifest("shapes", "base").replace("0.1.0", "0.2.0")},
            PASSED[1],
            "it is shapes 0.2.0, whose file name is shapes-0.2.0.morloc.tar.gz",
        ),
        ({"package.yaml": manifest("shapes")}, PASSED[4], "1 found"),
    ],
    ids=["sourced file", "header", "unknown key", "absent", "file name", "undeclared"],
)
def test_package_that_is_wrong_is_told(tmp_path: Path, files: dict[str, str | None], what: str, cause: str) -> None:
    archive(tmp_path, "base", BASE)
    changed = {**SHAPES, **files}
    path = archive(tmp_path, "shapes", {file: text for file, text in changed.items() if text is not None})
    assert outcome(verify_artifact(path, (), None)) == {what: cause}


def test_package_that_is_damaged_is_told(shapes: Path) -> None:
    shapes.write_bytes(shapes.read_bytes()[:-9])
    assert outcome(verify_artifact(shapes, (), None)) == {
        "shapes-0.1.0.morloc.tar.gz unpacks": "corrupt file or wrong manifest"
    }


def test_package_is_shown_to_the_compiler_where_there_is_one(shapes: Path, compiler: Path) -> None:
    found = verify_artifact(shapes, (), None)
    assert [check.what for check in found.report.checks] == [
        *PASSED, "the types of base agree", "the types of shapes agree", "the compiler's own installer accepts them",
    ]  # fmt: skip
    assert found.report.not_shown == ()


def test_package_that_the_compiler_refuses_is_told(shapes: Path, compiler: Path) -> None:
    compiler.write_text('#!/bin/sh\ncase $1:$PWD in typecheck:*/shapes) echo "area :: ?" >&2; exit 1;; esac\n')
    found = verify_artifact(shapes, (), None)
    assert outcome(found) == {
        "the types of shapes agree": "it does not typecheck",
        "the compiler's own installer accepts them": "it succeeded but did not install base, shapes",
    }
    assert "\n    area :: ?\n" in found.text


# the target ------------------------------------------------------------------------------------------------------


def make_room(folder: Path, params: P) -> Room[P]:
    for name in ("in/packages", "out", "tmp", "home"):
        (folder / name).mkdir(parents=True)
    return Room(
        inputs=folder / "in", outputs=folder / "out", scratch=folder / "tmp", home=folder / "home",
        params=params, log=folder / "log",
    )  # fmt: skip


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = tmp_path / "w"
    write_package(root / "m/base", BASE)
    write_package(root / "m/shapes", SHAPES)
    (root / "packyard.toml").write_text('[workspace]\nname = "w"\nmembers = ["m/*"]\n')
    return root


def test_cleanroom_has_the_archives_of_what_is_needed_and_nothing_else(workspace: Path, tmp_path: Path) -> None:
    graph = build_graph(read_workspace(workspace), TABLE)
    target = graph.targets["cleanroom:shapes"]
    assert target.uses == (
        Use(target="morloc:shapes", at="shapes-0.1.0.morloc.tar.gz"),
        Use(target="morloc:base", at="packages/base.morloc.tar.gz"),
    )
    assert "cleanroom:shapes" not in graph.final
    room = make_room(tmp_path / "room", read_params(MorlocProofParams, target.params))
    archive(tmp_path, "base", BASE).rename(room.inputs / "packages/base.morloc.tar.gz")
    archive(room.inputs, "shapes", SHAPES)
    prove_morloc(room)
    report = json.loads((room.outputs / "cleanroom.json").read_text())
    assert [check["what"] for check in report["checks"]] == PASSED
    assert list(report["present"]) == ["shapes-0.1.0.morloc.tar.gz", "base.morloc.tar.gz"]
    assert report["not_shown"] == list(NOT_SHOWN)
    assert not os.listdir(room.home)


def test_cleanroom_of_what_is_not_locked_says_so(workspace: Path, tmp_path: Path) -> None:
    write_package(workspace / "m/base", plain("base", "root"))
    target = build_graph(read_workspace(workspace), TABLE).targets["cleanroom:shapes"]
    room = make_room(tmp_path / "room", read_params(MorlocProofParams, target.params))
    with pytest.raises(ActionError) as caught:
        prove_morloc(room)
    assert str(caught.value) == (
        "shapes-0.1.0.morloc.tar.gz: its dependencies are not locked\n"
        "packyard.lock: root, which base needs, is not in it\n"
        "  hint: run 'packyard lock'"
    )
