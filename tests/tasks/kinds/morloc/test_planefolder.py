from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from packyard.formats.archive.entry import Entry
from packyard.formats.digest import digest_of
from packyard.formats.morloc.home import Installed, PlanePaths
from packyard.formats.morloc.lock import LockedPackage, content_digest
from packyard.formats.morloc.manifest import read_morloc
from packyard.tasks.errors import ActionError
from packyard.tasks.kinds.morloc import planechange
from packyard.tasks.kinds.morloc.planechange import Change, change, changing, finish, is_unfinished
from packyard.tasks.kinds.morloc.planefolder import Plane
from packyard.tasks.kinds.morloc.verify import typecheck, verify_plane

PATHS = PlanePaths("default")


def package(name: str, *needs: str, version: str = "1.0.0", text: str = "", more: str = "") -> Installed:
    """A package as an installation puts it there."""
    manifest = f"name: {name}\nversion: {version}\nlicense: MIT\n{more}"
    files = {"package.yaml": manifest, "main.loc": f"module {name} (*)\n{text}", "run.sh": "#!/bin/sh\n", "x.hpp": text}
    entries = tuple(Entry(path, data.encode(), path == "run.sh") for path, data in files.items())
    locked = LockedPackage(
        name=name, version=version, source="folder", content=content_digest(entries), dependencies=needs
    )
    return Installed(locked=locked, manifest=read_morloc(manifest, ""), entries=entries)


def expose(*patterns: str) -> str:
    quoted = ", ".join(f'"{pattern}"' for pattern in patterns)
    return f"expose: {{cpp: [{quoted}], py: [run.sh]}}\n"


@pytest.fixture
def plane(tmp_path: Path) -> Plane:
    """A home with `base` 1.0.0 and `user`, which needs it."""
    made = Plane(tmp_path / "home", PATHS)
    change(made, Change(add=[package("base", more=expose("x.hpp")), package("user", "base")]), epoch=0)
    return again(made)


def again(plane: Plane) -> Plane:
    """The plane as it is on disk now."""
    return Plane(plane.home, plane.paths)


def tree(root: Path) -> dict[str, tuple[bytes, int]]:
    """Every file below a folder: bytes and mode."""
    return {
        path.relative_to(root).as_posix(): (path.read_bytes(), path.stat().st_mode & 0o777)
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def verified(plane: Plane) -> list[str]:
    return [str(problem) for problem in verify_plane(again(plane))]


def test_plane_has_the_flat_layout_records_and_exposed_files(plane: Plane) -> None:
    found = tree(plane.home)
    assert sorted(found) == [
        "fdb/base.module",
        "fdb/user.module",
        "include/base/x.hpp",
        "lib/python/base/run.sh",
        "packyard/default/files",
        "packyard/default/packyard.lock",
        *(f"src/morloc/plane/default/base/{file}" for file in ("main.loc", "package.yaml", "run.sh", "x.hpp")),
        *(f"src/morloc/plane/default/user/{file}" for file in ("main.loc", "package.yaml", "run.sh", "x.hpp")),
    ]
    assert found["src/morloc/plane/default/base/run.sh"][1] == 0o555
    assert found["src/morloc/plane/default/base/main.loc"][1] == 0o444
    assert json.loads(found["fdb/user.module"][0]) == {
        "kind": "module",
        "name": "user",
        "version": "1.0.0",
        "synopsis": "",
        "author": "",
        "license": "MIT",
        "homepage": "",
        "c_dependencies": [],
        "morloc_dependencies": [{"name": "base"}],
        "installed_hash": None,
        "exports": [],
        "install_source": "folder",
        "install_reason": "auto",
        "install_time": 0,
    }
    assert verified(plane) == []


def test_change_replaces_removes_and_adds_at_once(plane: Plane) -> None:
    new = package("base", version="2.0.0", text="-- new\n")
    change(plane, Change(add=[new, package("third")], remove=["user"]), epoch=7)
    now = again(plane)
    assert {name: locked.version for name, locked in now.locked.items()} == {"base": "2.0.0", "third": "1.0.0"}
    assert now.names() == ["base", "third"]
    assert not (plane.home / "include/base").exists()  # it exposes nothing any more
    assert not (plane.home / "fdb/user.module").exists()
    assert verified(plane) == []


def test_change_keeps_what_others_installed(plane: Plane) -> None:
    foreign = plane.folder / "foreign"
    foreign.mkdir()
    (foreign / "main.loc").write_text("module foreign (*)\n")
    (foreign / "again").symlink_to("main.loc")
    (plane.home / "fdb/foreign.module").write_text('{"name":"foreign"}')
    (plane.folder / "notes.txt").write_text("mine\n")
    before = tree(plane.home)
    change(plane, Change(add=[package("third")]), epoch=0)
    after = tree(plane.home)
    ours = ("packyard/default/packyard.lock", "packyard/default/files")
    assert {path: after[path] for path in before if path not in ours} == {
        path: value for path, value in before.items() if path not in ours
    }
    assert (plane.folder / "foreign/again").is_symlink()
    assert verified(plane) == ["foreign: is not in the lock: it was not installed by Packyard"]


def test_planes_made_twice_are_byte_identical(tmp_path: Path) -> None:
    packages = [package("a", more=expose("*.hpp")), package("b", "a")]
    trees = []
    for place, order in (("one", packages), ("a-much-longer-place", packages[::-1])):
        made = Plane(tmp_path / place, PATHS)
        change(made, Change(add=order), epoch=0)
        trees.append(tree(tmp_path / place))
    assert trees[0] == trees[1]


def test_plane_in_several_steps_is_the_plane_in_one(tmp_path: Path) -> None:
    one, other = Plane(tmp_path / "one", PATHS), Plane(tmp_path / "other", PATHS)
    change(one, Change(add=[package("a"), package("b", "a")]), epoch=0)
    change(other, Change(add=[package("b", "a"), package("c"), package("a", version="0.9.0")]), epoch=0)
    change(again(other), Change(add=[package("a")]), epoch=0)
    change(again(other), Change(remove=["c"]), epoch=0)
    assert tree(tmp_path / "one") == tree(tmp_path / "other")


STEPS = ("write_entries", "_link", "_swap", "_follow", "_remove", "_move", "exchange", "_after")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_kill_leaves_the_old_plane_or_the_new_one(
    plane: Plane, monkeypatch: pytest.MonkeyPatch, step: str, count: int
) -> None:
    """Whoever dies at any step leaves a plane that is whole; the next change ends or undoes the rest."""
    old = tree(plane.folder)
    added = [package("base", version="2.0.0", text="-- new\n", more=expose("*.hpp")), package("third")]
    child = os.fork()
    if not child:
        left = count

        def dying(real: Callable[..., object]) -> Callable[..., object]:
            def call(*arguments: object, **named: object) -> object:
                nonlocal left
                left -= 1
                if not left:
                    os._exit(9)
                return real(*arguments, **named)

            return call

        if step != "_after":
            monkeypatch.setattr(planechange, step, dying(getattr(planechange, step)))
        else:
            monkeypatch.setattr(shutil, "rmtree", dying(shutil.rmtree))
        try:
            change(plane, Change(add=added, remove=["user"]), epoch=0)
        finally:
            os._exit(0)
    status = os.waitpid(child, 0)[1]
    killed = os.waitstatus_to_exitcode(status) == 9
    reference = Plane(plane.home.with_name("reference"), PATHS)
    change(reference, Change(add=added), epoch=0)
    new = tree(reference.folder)
    now = tree(plane.folder)
    assert now in (old, new)
    assert now == new or killed
    assert is_unfinished(plane) == killed
    finish(again(plane))
    assert tree(plane.folder) == now
    assert verified(plane) == []
    change(again(plane), Change(add=added, remove=["user"]), epoch=0)
    assert tree(plane.home) == tree(reference.home)


def test_kill_between_two_renames_is_mended(plane: Plane, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where folders cannot be exchanged, there is a moment without a plane; the next command ends it."""
    monkeypatch.setattr(planechange, "exchange", lambda one, other: False)
    child = os.fork()
    if not child:
        real, left = os.rename, 2

        def rename(source: str, target: str) -> None:
            nonlocal left
            left -= str(target).endswith(("/old", "/default"))
            if not left:
                os._exit(9)
            real(source, target)

        monkeypatch.setattr(os, "rename", rename)
        try:
            change(plane, Change(add=[package("third")]), epoch=0)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert not plane.folder.exists()
    finish(again(plane))
    assert again(plane).names() == ["base", "third", "user"]
    assert verified(plane) == []


def test_planes_share_the_files_of_the_cache(tmp_path: Path) -> None:
    """A corrupt file in the cache is noticed before a plane gets a link to it."""
    cache, packages = tmp_path / "cache", [package("a"), package("b", "a")]
    planes = [Plane(tmp_path / name, PATHS) for name in ("one", "two", "three")]
    for made in planes[:2]:
        change(made, Change(add=packages, cache=cache), epoch=0)
    files = [made.folder / "a/main.loc" for made in planes]
    assert files[0].samefile(files[1])
    files[0].chmod(0o644)
    files[0].write_text("damaged")
    change(planes[2], Change(add=packages, cache=cache), epoch=0)
    assert verified(planes[2]) == []
    assert verified(planes[0]) == ["a/main.loc: was changed"]
    copied = Plane(tmp_path / "copied", PATHS)
    change(copied, Change(add=packages), epoch=0)
    assert tree(planes[2].home) == tree(copied.home)


def test_two_changes_at_once_are_refused(plane: Plane) -> None:
    with changing(plane.home), pytest.raises(ActionError) as caught, changing(plane.home):
        pass
    assert str(caught.value) == (f"{plane.home}: another command is changing it\n  hint: try again when it is done")
    with changing(plane.home):
        pass
    assert sorted(os.listdir(plane.home / "packyard")) == ["default"]


def test_home_that_cannot_be_written_is_said(plane: Plane) -> None:
    file = plane.home / "packyard/default/files"
    shutil.rmtree(plane.home / "packyard")
    (plane.home / "packyard").write_text("in the way")
    with pytest.raises(ActionError, match=r"packyard: cannot be written: File exists"), changing(plane.home):
        pass
    assert not file.exists()


def test_plane_read_only_is_verified(plane: Plane) -> None:
    for path in [*plane.home.rglob("*"), plane.home]:
        path.chmod(path.stat().st_mode & ~0o222)
    try:
        assert verified(plane) == []
    finally:
        for path in [plane.home, *plane.home.rglob("*")]:
            path.chmod(path.stat().st_mode | 0o200)


def test_plane_on_a_read_only_file_system_is_verified(plane: Plane) -> None:
    """Nothing is written even by a user whom modes do not hold back."""
    sandbox = shutil.which("bwrap")
    if sandbox is None or subprocess.run([sandbox, "--ro-bind", "/", "/", "true"], check=False).returncode:
        pytest.skip("bubblewrap is not here")
    words = [sys.executable, "-m", "packyard.tasks", "verify", "--plane", os.fspath(plane.home), "--no-typecheck"]
    done = subprocess.run(
        [sandbox, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", *words],
        check=False, capture_output=True, text=True, cwd=plane.home,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "2 packages as locked\n", "")


@pytest.fixture
def edit(plane: Plane) -> Iterator[Callable[[str, str | None], None]]:
    """Writes a file of the home, or removes it."""

    def do(path: str, text: str | None) -> None:
        file = plane.home / path
        if text is None:
            shutil.rmtree(file) if file.is_dir() else file.unlink()
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)  # packages are read-only
        file.write_text(text)

    yield do


BASE = "src/morloc/plane/default/base"


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (f"{BASE}/main.loc", "changed\n", ["base/main.loc: was changed"]),
        (f"{BASE}/main.loc", None, ["base/main.loc: is missing"]),
        (f"{BASE}/more.py", "", ["base/more.py: is extra"]),
        (
            BASE,
            None,
            [
                "base: is locked but missing",
                "user: needs 'base', which is missing",
                "  hint: install base",
            ],
        ),
        ("fdb/base.module", None, ["base: is half installed: it has a folder but no record"]),
        ("fdb/base.module", "{", ["base: is half installed: it has a folder but no record"]),
        (
            "fdb/base.module",
            '{"name":"base","version":"0.9.0","installed_hash":null}',
            ["fdb/base.module: version: is '0.9.0', '1.0.0' is locked"],
        ),
        ("fdb/ghost.module", '{"name":"ghost"}', ["ghost: is half installed: it has a record but no folder"]),
        (
            "src/morloc/plane/default/half/main.loc",
            "",
            ["half: is half installed: it has a folder but no record", "  hint: install it again, or remove it"],
        ),
        ("include/base/x.hpp", "old\n", ["include/base/x.hpp: is stale: the package's own file differs"]),
        ("include/base/old.hpp", "", ["include/base/old.hpp: is stale: the package does not expose it"]),
        ("include/base", None, ["include/base/x.hpp: is exposed, but missing"]),
        (
            "packyard/default/files",
            "",
            [
                "packyard/default/files: the listing of 'base' is missing or was changed",
                "  hint: install it again",
                "packyard/default/files: the listing of 'user' is missing or was changed",
                "  hint: install it again",
            ],
        ),
        (
            "src/morloc/plane/default/morloclib/base/main.loc",
            "",
            [
                "base: is installed twice; the one in morloclib/ is found first",
                "morloclib: is a folder of packages that no installer looks at",
            ],
        ),
        (
            "src/morloc/plane/.default.packyard/plane/x",
            "",
            [
                "default: a change to this plane was interrupted",
                "  hint: the next 'packyard install' or 'uninstall' finishes it",
            ],
        ),
    ],
)
def test_plane_altered_is_said(
    plane: Plane, edit: Callable[[str, str | None], None], path: str, text: str | None, expected: list[str]
) -> None:
    edit(path, text)
    assert "\n".join(verified(plane)).splitlines() == expected


def test_mode_changed_is_said(plane: Plane) -> None:
    (plane.folder / "base/run.sh").chmod(0o644)
    (plane.folder / "base/main.loc").chmod(0o755)
    assert verified(plane) == ["base/main.loc: should not be executable", "base/run.sh: should be executable"]


def test_plane_is_compared_with_another_lock(plane: Plane) -> None:
    other = {
        "base": LockedPackage(name="base", version="1.1.0", source="default"),
        "new": LockedPackage(name="new", version="1.0.0", source="default"),
        "user": LockedPackage(name="user", version="1.0.0", source="default", content=digest_of(b"x")),
    }
    content = plane.locked["user"].content
    assert [str(problem) for problem in verify_plane(plane, other)] == [
        "base: is 1.0.0 in the plane, 1.1.0 in the lock",
        "new: is in the lock, but not in the plane",
        f"user: has the content {content} in the plane, {digest_of(b'x')} in the lock",
    ]


def test_compiler_is_asked_for_each_package(plane: Plane, tmp_path: Path) -> None:
    """A compiler that takes every package but `user`."""
    morloc = tmp_path / "morloc"
    log = tmp_path / "log"
    morloc.write_text(
        f'#!/bin/sh\necho "$PWD $MORLOC_HOME $1 $4" >> {log}\ncase $PWD in */user) echo "no type" >&2; exit 1;; esac\n'
    )
    morloc.chmod(0o755)
    assert [str(problem) for problem in typecheck(plane, os.fspath(morloc))] == [
        "user: main.loc: does not typecheck: no type"
    ]
    assert log.read_text().splitlines() == [
        f"{plane.folder}/{name} {plane.home} typecheck main.loc" for name in ("base", "user")
    ]


@pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="there is no second file system")
def test_plane_that_is_a_link_to_another_file_system_is_changed(tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", Path("/dev/shm") / f"packyard-test-{os.getpid()}"
    elsewhere.mkdir()
    try:
        (home / "src/morloc/plane").mkdir(parents=True)
        (home / "src/morloc/plane/default").symlink_to(elsewhere / "plane")
        (elsewhere / "plane").mkdir()
        made = Plane(home, PATHS)
        change(made, Change(add=[package("a", more=expose("x.hpp"))], cache=tmp_path / "cache"), epoch=0)
        assert verified(made) == []
        assert sorted(os.listdir(elsewhere)) == ["plane"]
        assert os.listdir(elsewhere / "plane") == ["a"]
    finally:
        shutil.rmtree(elsewhere)


@pytest.mark.parametrize("name", ["../../escaped", "/escaped", ".."])
def test_note_of_somebody_else_removes_nothing_elsewhere(plane: Plane, tmp_path: Path, name: str) -> None:
    """A home may be anybody's, and the note that lies in it names what is removed from it."""
    kept = tmp_path / "escaped.module"
    kept.write_text("mine")
    (plane.home / "fdb/escaped.module").write_text("mine")
    plane.aside.mkdir()
    note = {"inode": plane.folder.stat().st_ino, "gone": [name], "new": []}
    (plane.aside / "note.json").write_text(json.dumps(note))
    before = tree(plane.home)
    finish(plane)
    assert kept.read_text() == "mine"
    assert {path: found for path, found in before.items() if ".packyard" not in path} == tree(plane.home)
