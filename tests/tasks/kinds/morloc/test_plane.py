from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from packyard.formats.morloc.home import PlanePaths
from packyard.tasks.engine.build.events import Outcome
from packyard.tasks.engine.build.opening import open_workspace
from packyard.tasks.kinds import TABLE
from packyard.tasks.kinds.morloc import morloc, plane
from packyard.tasks.kinds.morloc.lock import lock_morloc
from packyard.tasks.kinds.morloc.planefolder import Plane
from packyard.tasks.kinds.morloc.verify import verify_plane
from packyard.tasks.target.target import Target
from packyard.tasks.workspace.workspace import read_workspace

from tests.tasks.kinds.morloc.corpus import Files, plain, write_package
from tests.tasks.kinds.morloc.remote import Remote

SHAPES = {"shapes": plain("shapes", "root"), "shapes-py": plain("shapes-py", "shapes", "root-py")}
SCRIPTED: Files = {
    "package.yaml": "name: scripted\nversion: 0.1.0\nsetup: setup.sh\nexpose: {cpp: [a.hpp]}\n",
    "main.loc": "module scripted (*)\n",
    "a.hpp": "",
    "setup.sh": (
        'set -e\ntest "$MORLOC_MODULE_NAME-$MORLOC_MODULE_VERSION-$MORLOC_PLANE" = scripted-0.1.0-default\n'
        'test "$PWD" = "$MORLOC_MODULE_DIR"\ntest -z "$PACKYARD_CACHE_DIR"\n'
        'echo made > made.txt\necho h > "$MORLOC_EXPOSE_CPP_DIR/made.hpp"\n'
    ),
}


def write(
    remote: Remote, root: Path, members: Mapping[str, Files] = SHAPES, *, more: str = "", lock: bool = True
) -> Path:
    remote.write_workspace(root, more=more)
    for name, files in members.items():
        write_package(root / "m" / name, files)
    if lock:
        (root / "packyard.lock").write_text(lock_morloc(read_workspace(root)))
    return root


def target(root: Path) -> Target:
    (found,) = plane.targets(read_workspace(root))
    return found


def make(root: Path, name: str = "plane:default") -> dict[str, Outcome]:
    """Build a target with the engine."""
    opened = open_workspace(root, TABLE)
    build = opened.build(print)
    wanted = opened.graph.closure([name])
    build.plan(wanted)
    for each in wanted:
        if build.judge(each).state == "stale":
            build.make(each)
    opened.trace.close()
    return build.outcomes


def unpack(root: Path, home: Path) -> Plane:
    home.mkdir(parents=True, exist_ok=True)
    subprocess.run(["tar", "-xzf", root / "dist/w-default.plane.tar.gz", "-C", home], check=True)
    return Plane(home, PlanePaths("default"))


def test_plane_is_planned_from_members_and_the_lock(remote: Remote, tmp_path: Path) -> None:
    found = target(write(remote, tmp_path / "w"))
    assert (found.name, found.final) == ("plane:default", False)
    assert [use.target for use in found.uses] == [
        "morloc:internal",
        "morloc:root",
        "morloc:root-py",
        "morloc:shapes",
        "morloc:shapes-py",
    ]
    assert found.params["missing"] == []
    assert [package["reason"] for package in found.params["packages"]] == ["auto"] * 3 + ["explicit"] * 2


def test_plane_of_no_morloc_members_is_none(remote: Remote, tmp_path: Path) -> None:
    root = write(remote, tmp_path / "w", {"lib": {"pyproject.toml": '[project]\nname = "lib"\nversion = "1"\n'}})
    assert list(plane.targets(read_workspace(root))) == []


def test_plane_is_made_offline_from_what_was_locked(remote: Remote, tmp_path: Path) -> None:
    root = write(remote, tmp_path / "w")
    remote.publish("root", {"new.txt": "newer than the lock"})
    outcomes = make(root)
    assert {name: outcome.how for name, outcome in outcomes.items()} == dict.fromkeys(outcomes, "ran")
    home = unpack(root, tmp_path / "home")
    assert home.names() == ["internal", "root", "root-py", "shapes", "shapes-py"]
    assert verify_plane(home) == []
    assert not (home.folder / "root/new.txt").exists()
    assert make(root) == {}


def test_planes_of_one_lock_from_two_folders_are_byte_identical(remote: Remote, tmp_path: Path) -> None:
    first = write(remote, tmp_path / "w")
    second = write(remote, tmp_path / "a-much-longer-place/w", lock=False)
    (second / "packyard.lock").write_text((first / "packyard.lock").read_text())
    data = []
    for root, cache, mask in ((first, "one", 0o022), (second, "two", 0o077)):
        os.environ["PACKYARD_CACHE_DIR"] = os.fspath(tmp_path / cache)  # the fixture puts it back
        old = os.umask(mask)
        try:
            make(root)
        finally:
            os.umask(old)
        data.append((root / "dist/w-default.plane.tar.gz").read_bytes())
    assert data[0] == data[1]


def test_plane_without_a_lock_says_what_is_missing(remote: Remote, tmp_path: Path) -> None:
    outcomes = make(write(remote, tmp_path / "w", lock=False))
    assert outcomes["plane:default"].message == (
        "the plane cannot be made from the lock\n"
        "packyard.lock: root, which shapes needs, is not in it\n"
        "packyard.lock: root-py, which shapes-py needs, is not in it\n"
        "  hint: run 'packyard lock'"
    )


def test_plane_of_members_alone_needs_no_lock(remote: Remote, tmp_path: Path) -> None:
    root = write(remote, tmp_path / "w", {"a": plain("a", "b"), "b": plain("b")}, lock=False)
    make(root)
    assert unpack(root, tmp_path / "home").names() == ["a", "b"]


def test_plane_refuses_content_that_is_not_the_locked_one(remote: Remote, tmp_path: Path) -> None:
    root = write(remote, tmp_path / "w", {"a": plain("a", "internal")})
    lock = root / "packyard.lock"
    content = next(line for line in lock.read_text().splitlines() if line.startswith("content"))
    lock.write_text(lock.read_text().replace(content, f'content = "sha256:{"0" * 64}"'))
    message = make(root)["morloc:internal"].message
    assert message.startswith("internal: its content at ")
    assert message.endswith(f"but sha256:{'0' * 64} is locked")


def test_plane_takes_vendored_archives_and_folders(remote: Remote, tmp_path: Path) -> None:
    other = write(remote, tmp_path / "other", {"helper": plain("helper")})
    make(other, "morloc:helper")
    root = tmp_path / "w"
    write_package(root / "third/aside", plain("aside"))
    (root / "vendor").mkdir(parents=True)
    archive = root / "vendor/helper-0.1.0.morloc.tar.gz"
    archive.write_bytes((other / "dist" / archive.name).read_bytes())
    more = 'vendor = ["vendor/*.tar.gz"]\n[morloc.sources]\naside = "./third/aside"\n'
    write(remote, root, {"a": plain("a", "helper", "aside")}, more=more)
    make(root)
    home = unpack(root, tmp_path / "home")
    assert home.names() == ["a", "aside", "helper"]
    assert verify_plane(home) == []
    assert sorted(os.listdir(root / "dist")) == ["a-0.1.0.morloc.tar.gz", "w-default.plane.tar.gz"]


def test_setup_script_runs_only_when_it_is_allowed(remote: Remote, tmp_path: Path) -> None:
    root = write(remote, tmp_path / "w", {"scripted": SCRIPTED})
    make(root)
    home = unpack(root, tmp_path / "without")
    assert not (home.folder / "scripted/made.txt").exists()
    remote.write_workspace(root, more='allow_setup = ["scripted"]\n')
    make(root)
    home = unpack(root, tmp_path / "with")
    assert (home.folder / "scripted/made.txt").read_text() == "made\n"
    assert (home.home / "include/scripted/made.hpp").read_text() == "h\n"
    assert (home.home / "include/scripted/a.hpp").exists()
    assert home.locked["scripted"].installed not in (None, home.locked["scripted"].content)
    assert verify_plane(home) == []


def test_setup_script_that_fails_is_said(remote: Remote, tmp_path: Path) -> None:
    failing = {**SCRIPTED, "setup.sh": "echo no compiler >&2\nexit 3\n"}
    root = write(remote, tmp_path / "w", {"scripted": failing}, more='allow_setup = ["scripted"]\n')
    message = make(root)["plane:default"].message
    assert message == "the setup script of 'scripted' failed: 'bash' ended with status 3\nno compiler"


def test_closure_archive_holds_what_modules_name(remote: Remote, tmp_path: Path) -> None:
    files = {
        **plain("a"),
        "main.loc": 'module a (*)\nimport a.lib\nsource Cpp from "src/a.hpp" ("f")\n@datafile "d.csv"\n',
        "lib.loc": 'module lib (*)\nsource Rust from "crate" ("g")\n',
        "src/a.hpp": '#include "b.hpp"\n#include <vector>\n',
        "src/b.hpp": "",
        "src/c.hpp": "",
        "crate/Cargo.toml": "",
        "d.csv": "",
        "main.yaml": "",
        "LICENSE.txt": "",
        "notes.md": "",
        "unreached.loc": "module u (*)\n",
    }
    root = write(remote, tmp_path / "w", {"a": files}, more='content = "closure"\n')
    (found,) = morloc.targets(read_workspace(root))
    assert [source.at.removeprefix("a/") for source in found.sources] == [
        "LICENSE.txt", "crate/Cargo.toml", "d.csv", "lib.loc", "main.loc", "main.yaml", "package.yaml", "src/a.hpp",
        "src/b.hpp",
    ]  # fmt: skip


def test_cycle_in_the_lock_is_said(remote: Remote, tmp_path: Path) -> None:
    root = write(remote, tmp_path / "w", {"a": plain("a", "internal")})
    lock = root / "packyard.lock"
    text = lock.read_text().replace("content =", 'dependencies = ["root"]\ncontent =')
    extra = '[[morloc]]\nname = "root"\nversion = "1.0.0"\nsource = "default"\ndependencies = ["internal"]\n'
    lock.write_text(f"{text}\n{extra}")
    assert target(root).params["missing"] == [
        "packyard.lock: the packages depend on each other in a cycle: internal -> root -> internal"
    ]
