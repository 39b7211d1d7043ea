from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import compressing
from packyard.formats.archive.tarball import write_tar
from packyard.formats.errors import FormatError
from packyard.formats.morloc.home import Installed, PlanePaths, home_files
from packyard.formats.morloc.lock import LockedPackage, content_digest
from packyard.formats.morloc.manifest import read_morloc
from packyard.formats.workspace.lock import WorkspaceLock, write_lock
from packyard.tasks.kinds.morloc.planearchive import read_plane_archive

PATHS = PlanePaths("default")
MANIFEST = "name: a\nversion: 1.0.0\nlicense: MIT\n"
ENTRIES = (Entry("main.loc", b"module a (*)\n"), Entry("package.yaml", MANIFEST.encode()))
LOCKED = LockedPackage(name="a", version="1.0.0", source="member", content=content_digest(ENTRIES))
HOME = {
    entry.path: entry
    for entry in (
        *home_files(
            PATHS,
            Installed(locked=LOCKED, manifest=read_morloc(MANIFEST, ""), entries=ENTRIES, reason="explicit"),
            epoch=0,
        ),
        Entry(PATHS.lock, write_lock(WorkspaceLock(morloc=(LOCKED,))).encode()),
    )
}


def archive(folder: Path, entries: Mapping[str, Entry]) -> Path:
    path = folder / "w.plane.tar.gz"
    with path.open("wb") as out, compressing(out) as packed:
        write_tar(entries.values(), packed, epoch=0)
    return path


def test_archived_plane_gives_its_packages_as_they_are_locked(tmp_path: Path) -> None:
    (found,) = read_plane_archive(archive(tmp_path, HOME)).values()
    provided, reason = found
    assert (provided.locked, reason) == (LOCKED, "explicit")
    assert sorted(provided.package.files) == ["main.loc", "package.yaml"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"src/morloc/plane/other/b/main.loc": b""}, "is not the archive of a single plane"),
        ({"src/morloc/plane/default/b/package.yaml": b"name: b\nversion: 1.0.0\n"}, "b is not in its lock"),
        ({PATHS.lock: None}, f"contains no {PATHS.lock}"),
        ({"src/morloc/plane/default/a/main.loc": b"module a ()\n"}, f"but {LOCKED.content} is locked"),
    ],
    ids=["two planes", "not locked", "no lock", "other content"],
)
def test_archived_plane_that_is_not_what_its_lock_says_is_refused(
    tmp_path: Path, change: Mapping[str, bytes | None], message: str
) -> None:
    entries = HOME | {path: Entry(path, data) for path, data in change.items() if data is not None}
    path = archive(tmp_path, {name: entry for name, entry in entries.items() if change.get(name, b"") is not None})
    with pytest.raises(FormatError) as caught:
        read_plane_archive(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert str(caught.value).endswith(message)
