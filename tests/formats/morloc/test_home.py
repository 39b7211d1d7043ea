from __future__ import annotations

import pytest
from packyard.formats.archive.entry import Entry
from packyard.formats.errors import FormatError
from packyard.formats.morloc.home import (
    Installed,
    PlanePaths,
    exposed_files,
    exposed_folders,
    home_files,
    needed_by,
    plane_listing,
    read_plane_listing,
    read_record,
    record_of,
)
from packyard.formats.morloc.lock import LockedPackage, content_listing
from packyard.formats.morloc.manifest import read_morloc

MANIFEST = read_morloc(
    "name: a-b\nversion: 1.2.3\nsynopsis: ü\ndependencies: [m, root]\n"
    "expose: {cpp: ['*.hpp', inc/], py: [src/x.py], r: []}\n",
    "",
)
LOCKED = LockedPackage(name="a-b", version="1.2.3", source="github:u/a-b", commit="0" * 40, dependencies=("root",))
FILES = tuple(Entry(path, b"x") for path in ("one.hpp", "deep/two.hpp", "inc/a/b.h", "src/x.py", "main.loc"))
PACKAGE = Installed(locked=LOCKED, manifest=MANIFEST, entries=FILES, reason="explicit")


def test_exposed_files_keep_their_paths_below_the_package() -> None:
    assert [entry.path for entry in exposed_files(MANIFEST, "a-b", FILES)] == [
        "include/a-b/inc/a/b.h",
        "include/a-b/one.hpp",
        "lib/python/a_b/src/x.py",
    ]
    assert exposed_folders("a-b") == {"cpp": "include/a-b", "py": "lib/python/a_b", "r": "lib/R/a-b"}


def test_exposed_file_that_is_missing_is_said() -> None:
    with pytest.raises(FormatError, match=r"^a-b: expose.py: 'src/x.py' is not a file of the package$"):
        list(exposed_files(MANIFEST, "a-b", [entry for entry in FILES if entry.path != "src/x.py"]))


def test_home_files_are_the_package_its_copies_and_its_record() -> None:
    paths = PlanePaths("mine")
    assert [entry.path for entry in home_files(paths, PACKAGE, epoch=0)] == [
        *(f"src/morloc/plane/mine/a-b/{entry.path}" for entry in FILES),
        "include/a-b/inc/a/b.h",
        "include/a-b/one.hpp",
        "lib/python/a_b/src/x.py",
        "fdb/a-b.module",
    ]
    assert (paths.lock, paths.listing) == ("packyard/mine/packyard.lock", "packyard/mine/files")


def test_record_is_what_the_compiler_lists() -> None:
    text = record_of(PACKAGE, epoch=86400)
    assert text.count("\n") == 1
    assert read_record(text) == {
        "kind": "module",
        "name": "a-b",
        "version": "1.2.3",
        "synopsis": "ü",
        "author": "",
        "license": "",
        "homepage": "",
        "c_dependencies": ["m"],
        "morloc_dependencies": [{"name": "root"}],
        "installed_hash": "0" * 40,
        "exports": [],
        "install_source": "github:u/a-b",
        "install_reason": "explicit",
        "install_time": 86400,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1, column 1: is not JSON: expecting value"),
        ("[]", "is not a JSON object ({...})"),
        ("{}", "is not a record; expected an object with a name"),
        ('{"name": 1}', "is not a record; expected an object with a name"),
    ],
)
def test_record_wrong_is_refused(text: str, message: str) -> None:
    with pytest.raises(FormatError) as error:
        read_record(text)
    assert str(error.value) == message


def test_listings_of_a_plane_are_those_of_its_packages() -> None:
    one, two = f"{'1' * 64} - a b\n{'2' * 64} x c/d\n", f"{'3' * 64} - main.loc\n"
    text = plane_listing({"root-py": two, "root": one})
    assert text.splitlines() == [
        f"{'3' * 64} - root-py/main.loc",
        f"{'1' * 64} - root/a b",
        f"{'2' * 64} x root/c/d",
    ]
    assert read_plane_listing(text) == {"root": one, "root-py": two}


def test_listing_of_a_plane_holds_a_name_with_a_line_separator() -> None:
    listing = content_listing([Entry("a\u2028b", b"")])
    assert read_plane_listing(plane_listing({"math": listing})) == {"math": listing}


def test_needed_by_leaves_out_those_that_go_too() -> None:
    packages = [LockedPackage(name=n, version="1.0.0", source="x", dependencies=("root",)) for n in ("c", "a", "b")]
    assert needed_by("root", packages) == ["a", "b", "c"]
    assert needed_by("root", packages, without={"b"}) == ["a", "c"]
