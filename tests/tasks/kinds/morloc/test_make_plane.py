from __future__ import annotations

import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import compressing
from packyard.formats.archive.tarball import write_tar
from packyard.formats.digest import digest_of
from packyard.formats.morloc.lock import LockedPackage
from packyard.tasks.errors import ActionError
from packyard.tasks.kinds.morloc.make_plane import PlacedPackage, PlaneParams, make_plane
from packyard.tasks.target.packing import Packing
from packyard.tasks.target.room import Room

LOCKED = LockedPackage(name="a", version="1.0.0", source="member")
PARAMS = PlaneParams(
    file="w.plane.tar.gz",
    plane="default",
    packages=(PlacedPackage(locked=LOCKED, reason="explicit"),),
    allow_setup=(),
    missing=(),
    packing=Packing.of("fast", epoch=7),
)


def room(folder: Path, params: PlaneParams) -> Room[PlaneParams]:
    places = {name: folder / name for name in ("inputs", "outputs", "scratch", "home")}
    for place in places.values():
        place.mkdir()
    (places["inputs"] / "packages").mkdir()
    files = {"package.yaml": "name: a\nversion: 1.0.0\nlicense: MIT\n", "main.loc": "module a (*)\n"}
    with (places["inputs"] / "packages/a.morloc.tar.gz").open("wb") as out, compressing(out) as packed:
        write_tar([Entry(f"a/{path}", text.encode()) for path, text in files.items()], packed, epoch=0)
    return Room(**places, params=params, log=folder / "log")


def test_plane_holds_its_packages_records_and_lock(tmp_path: Path) -> None:
    made = room(tmp_path, PARAMS)
    make_plane(made)
    with tarfile.open(made.outputs / "w.plane.tar.gz") as archive:
        assert {member.mtime for member in archive} == {7}
        assert {name for name in archive.getnames() if "/a/" in name or name.startswith("fdb")} == {
            "fdb/a.module",
            "src/morloc/plane/default/a/main.loc",
            "src/morloc/plane/default/a/package.yaml",
        }


def test_plane_of_a_lock_that_lacks_something_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ActionError) as caught:
        make_plane(room(tmp_path, replace(PARAMS, missing=("packyard.lock: b, which a needs, is not in it",))))
    assert str(caught.value) == (
        "the plane cannot be made from the lock\n"
        "packyard.lock: b, which a needs, is not in it\n"
        "  hint: run 'packyard lock'"
    )


def test_plane_of_other_content_than_the_locked_is_refused(tmp_path: Path) -> None:
    other = replace(LOCKED, content=digest_of(b"other"))
    with pytest.raises(ActionError) as caught:
        make_plane(room(tmp_path, replace(PARAMS, packages=(PlacedPackage(locked=other, reason="auto"),))))
    assert str(caught.value).startswith("a: its content is sha256:")
    assert str(caught.value).endswith(f", but {other.content} is locked")
