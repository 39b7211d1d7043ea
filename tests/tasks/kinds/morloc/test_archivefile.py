from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import compressing
from packyard.formats.archive.tarball import write_tar
from packyard.formats.errors import FormatError
from packyard.tasks.kinds.morloc.archivefile import archive_name, package_of_file, read_archive, vendored

SOUND = {"a/package.yaml": "name: a\nversion: 1.0.0\nlicense: MIT\n", "a/main.loc": "module a (*)\n"}


def archive(folder: Path, files: Mapping[str, str]) -> Path:
    path = folder / "a-1.0.0.morloc.tar.gz"
    with path.open("wb") as out, compressing(out) as packed:
        write_tar([Entry(name, text.encode()) for name, text in files.items()], packed, epoch=0)
    return path


def test_archive_holds_the_package_of_its_top_folder(tmp_path: Path) -> None:
    path = archive(tmp_path, SOUND)
    package = read_archive(path, "a")
    assert (package.name, package.manifest.version, sorted(package.files)) == (
        "a",
        "1.0.0",
        ["main.loc", "package.yaml"],
    )
    assert archive_name(path) == "a"


def test_archive_of_another_package_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, SOUND)
    with pytest.raises(FormatError) as caught:
        read_archive(path, "b")
    assert str(caught.value) == f"{path}: contains the package 'a'; expected 'b'"


@pytest.mark.parametrize(
    ("files", "found"),
    [({"a/x": "", "b/x": ""}, "'a', 'b'"), ({"x": ""}, "'x'"), ({}, "nothing")],
)
def test_archive_without_one_top_folder_is_refused(tmp_path: Path, files: Mapping[str, str], found: str) -> None:
    path = archive(tmp_path, files)
    with pytest.raises(FormatError) as caught:
        archive_name(path)
    assert str(caught.value) == (f"{path}: is not a package archive: expected one top folder, found {found}")


def test_vendored_archives_are_found_by_their_file_names(tmp_path: Path) -> None:
    assert package_of_file("v/root-py-0.7.0-rc.1.morloc.tar.gz") == "root-py"
    assert package_of_file("a-2-1.0.0.morloc.tar.gz") == "a-2"
    assert vendored(tmp_path, ["v/a-1.0.0.morloc.tar.gz", "v/README"]) == {"a": tmp_path / "v/a-1.0.0.morloc.tar.gz"}
    with pytest.raises(FormatError) as caught:
        vendored(tmp_path, ["v/a-1.0.0.morloc.tar.gz", "v/a-2.0.0.morloc.tar.gz", "v/README"])
    assert str(caught.value) == (
        "v/a-2.0.0.morloc.tar.gz: is a second archive of 'a'; the other is 'a-1.0.0.morloc.tar.gz'"
    )
