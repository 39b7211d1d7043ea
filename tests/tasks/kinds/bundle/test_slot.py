from __future__ import annotations

import gzip
import tarfile
from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.tasks.errors import ActionError
from packyard.tasks.kinds.bundle.make_slot import SlotParams, make_slot
from packyard.tasks.kinds.bundle.slot import targets
from packyard.tasks.target.params import read_params
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Target
from packyard.tasks.workspace.workspace import read_workspace

HEAD = """[project]
name = "app"
version = "1.0"
[tool.flavor]
entry_point = "app:main"
[tool.flavor.build]
pip = false
"""
FILES = {"app/app.py": "def main(): ...\n", "app/static/a.css": "a", "app/static/js/b.js": "b", "app/one.json": "{}"}


def declared(root: Path, slot: str, files: dict[str, str] | None = None) -> Target:
    for path, text in {
        "packyard.toml": '[workspace]\nname = "w"\nmembers = ["app"]\n',
        "app/pyproject.toml": f'{HEAD}[[tool.flavor.slots]]\nid = "s"\n{slot}\n',
        **(files or FILES),
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return {target.name: target for target in targets(read_workspace(root))}["slot:app/s"]


def made(root: Path, target: Target) -> Path:
    room = Room(
        inputs=root / "r/in", outputs=root / "r/out", scratch=root / "r/tmp", home=root / "r/home",
        params=read_params(SlotParams, target.params), log=root / "r/log",
    )  # fmt: skip
    for folder in (room.inputs, room.outputs, room.scratch, room.home):
        folder.mkdir(parents=True)
    for source in target.sources:
        place = room.inputs / source.at
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes((root / source.path).read_bytes())
    make_slot(room)
    return room.outputs / "slot"


@pytest.mark.parametrize(
    ("slot", "names"),
    [
        ('source = "static"', ["s/a.css", "s/js/b.js"]),
        ('source = "static/"\ntarget = "share/x"', ["share/x/a.css", "share/x/js/b.js"]),
        ('source = "static/**"\nexclude = ["*.css"]', ["s/js/b.js"]),
        ('source = "static/*/*.js"', ["s/js/b.js"]),
        ('source = "one.json"\noperations = "tgz"\ntarget = "etc/one.json"', ["etc/one.json"]),
    ],
)
def test_slot_of_files_is_a_tarball_that_begins_with_its_target(tmp_path: Path, slot: str, names: list[str]) -> None:
    with tarfile.open(made(tmp_path, declared(tmp_path, slot))) as archive:
        assert archive.getnames() == names


def test_slot_of_one_file_is_raw_or_gzipped(tmp_path: Path) -> None:
    assert made(tmp_path, declared(tmp_path, 'source = "one.json"')).read_bytes() == b"{}"
    other = tmp_path / "other"
    assert (
        gzip.decompress(made(other, declared(other, 'source = "one.json"\noperations = "gzip"')).read_bytes()) == b"{}"
    )


def test_slot_permissions_decide_the_mode(tmp_path: Path) -> None:
    target = declared(tmp_path, 'source = "static"\npermissions = "0755"')
    with tarfile.open(made(tmp_path, target)) as archive:
        assert {member.mode for member in archive} == {0o755}


def test_slot_of_a_target_uses_its_artifact(tmp_path: Path) -> None:
    target = declared(tmp_path, 'source = "mojo:tensor"')
    assert [(use.target, use.at) for use in target.uses] == [("mojo:tensor", "source/file")]


@pytest.mark.parametrize(
    ("slot", "message"),
    [
        ('source = "gone"',
         "app/pyproject.toml: tool.flavor.slots[0].source: 'gone' is missing; expected a file, a folder or a "
         "pattern that matches something"),
        ('source = "static"\nexclude = ["*"]',
         "app/pyproject.toml: tool.flavor.slots[0].source: 'static' contains only excluded files; expected a file, "
         "a folder or a pattern that matches something"),
        ('source = "static"\noperations = "gzip"',
         "app/pyproject.toml: tool.flavor.slots[0].operations: 'gzip' holds one file, but 'static' is a folder or "
         "pattern\n  hint: leave out operations for a tar.gz"),
    ],
)  # fmt: skip
def test_slot_without_files_is_an_error_of_the_plan(tmp_path: Path, slot: str, message: str) -> None:
    with pytest.raises(FormatError) as error:
        declared(tmp_path, slot)
    assert str(error.value) == message


def test_slot_of_colliding_names_is_an_error(tmp_path: Path) -> None:
    target = declared(tmp_path, 'source = "static"', {**FILES, "app/static/A.css": "A"})
    with pytest.raises(ActionError) as error:
        made(tmp_path, target)
    assert str(error.value) == (
        "the slot cannot be packed: 's/a.css' and 's/A.css' are the same file on case-insensitive systems"
    )


@pytest.mark.parametrize(
    ("source", "sources"),
    [
        ("static", ["app/static/a.css"]),
        ("static/**", ["app/static/a.css"]),
        ("static/.env", ["app/static/.env"]),
        ("web", ["app/web/made.js"]),
    ],
)
def test_slot_holds_what_git_tracks_or_would_track_and_what_is_named(
    tmp_path: Path, source: str, sources: list[str]
) -> None:
    more = {"app/static/.env": "", "app/web/made.js": "", ".gitignore": ".env\nweb/\njs\n"}
    target = declared(tmp_path, f'source = "{source}"', {**FILES, **more})
    assert [one.path for one in target.sources] == sources


def test_slot_of_what_git_ignores_says_how_to_bring_it_in(tmp_path: Path) -> None:
    with pytest.raises(FormatError) as error:
        declared(tmp_path, 'source = "static/*.css"', {**FILES, ".gitignore": "*.css\n"})
    assert str(error.value) == (
        "app/pyproject.toml: tool.flavor.slots[0].source: 'static/*.css' is missing; expected a file, a folder or a "
        "pattern that matches something\n  hint: git ignores app/static/a.css; name it without a wildcard, or in "
        "include of [tool.packyard]"
    )
