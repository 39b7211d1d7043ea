"""Installing morloc packages from repositories on this machine: `packyard install` and its relatives."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from packyard.tasks.commands import cli, lint
from packyard.tasks.engine.build.opening import open_workspace
from packyard.tasks.kinds import TABLE
from packyard.tasks.kinds.morloc.planechange import changing

from tests.readonly import open_up
from tests.tasks.commands.conftest import Tree
from tests.tasks.kinds.morloc.corpus import manifest, module, plain, write_package
from tests.tasks.kinds.morloc.remote import Remote

Run = Callable[..., tuple[int, list[str], list[str]]]
PLANE = "home/src/morloc/plane/default"
EXPECTED = "expected a folder or an archive NAME-VERSION.morloc.tar.gz"


@pytest.fixture
def run(remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in a workspace that takes packages from `remote` and has the member `shapes`; gives the exit
    status and the lines of both outputs, commits and paths of this machine left out."""
    root = remote.write_workspace(tmp_path / "w")
    write_package(root / "m/shapes", plain("shapes", "root"))
    monkeypatch.chdir(root)
    monkeypatch.setenv("PATH", "/usr/local/bin:/usr/bin:/bin")
    monkeypatch.setenv("MORLOC_HOME", os.fspath(root / "home"))

    def command(*words: str) -> tuple[int, list[str], list[str]]:
        try:
            status = cli.run(words)
        except SystemExit as end:
            status = int(end.code or 0)
        out, err = capsys.readouterr()
        return status, *(text.replace(f"{tmp_path}/", "").splitlines() for text in (out, err))

    return command


def commit(remote: Remote, name: str) -> str:
    return remote.git(remote.folder / f"{name}.work", "rev-parse", "HEAD").strip()[:12]


def names() -> list[str]:
    return sorted(os.listdir(PLANE)) if os.path.isdir(PLANE) else []


def test_install_of_a_name_brings_what_it_needs(run: Run, remote: Remote) -> None:
    assert run("install", "math") == (
        0,
        [
            f"installed cppbase 0.1.0 from default {commit(remote, 'cppbase')}",
            f"installed math 0.1.0 from default {commit(remote, 'math')}",
            "2 packages in w/home/src/morloc/plane/default",
        ],
        [],
    )
    assert run("verify", "--plane", "home") == (0, ["2 packages as locked"], [])
    assert run("install", "math")[1][:2] == [
        f"kept cppbase 0.1.0 from default {commit(remote, 'cppbase')}",
        f"kept math 0.1.0 from default {commit(remote, 'math')}",
    ]


def test_install_of_a_member_a_folder_an_archive_and_a_repository(run: Run, remote: Remote) -> None:
    opened = open_workspace(Path.cwd(), TABLE)
    build = opened.build(print)
    build.plan(["morloc:shapes"])
    build.make("morloc:shapes")
    opened.trace.close()
    write_package(Path("folder/helper"), plain("helper", "shapes"))
    status, out, err = run(
        "install", "./folder/helper", "dist/shapes-0.1.0.morloc.tar.gz", f"{remote.url('root-py')}@tag:v0.1.0"
    )
    assert (status, err) == (0, [])
    assert [" ".join(line.split()[:5]) for line in out[:-1]] == [
        "installed internal 0.1.0 from default",
        "installed root 0.1.0 from default",
        "installed root-py 0.1.0 from git+file://remote/root-py.git@tag:v0.1.0",
        "installed shapes 0.1.0 from archive",
        "installed helper 0.1.0 from folder",
    ]
    assert run("verify", "--plane", "home")[0] == 0


def test_install_elsewhere_and_into_a_plane_of_another_name(run: Run) -> None:
    assert run("install", "internal", "--to", "other", "--plane", "mine")[0] == 0
    assert os.listdir("other/src/morloc/plane") == ["mine"]
    assert run("verify", "--plane", "other", "--name", "mine") == (0, ["1 package as locked"], [])
    assert run("verify", "--plane", "other") == (
        2,
        [],
        ["error: other: has no plane 'default'", "  hint: choose one with --name"],
    )


def test_standard_set_is_installed_by_one_name_and_by_init(run: Run, tree: Tree) -> None:
    assert run("install", "stdlib-core", "--to", "one")[0] == 0
    assert run("init", "--morloc", "--to", "two")[0] == 0
    assert tree(Path("one")) == tree(Path("two"))
    assert sorted(os.listdir("one/src/morloc/plane/default")) == [
        "cppbase", "internal", "math", "root", "root-cpp", "root-py", "root-r",
    ]  # fmt: skip
    assert (Path("one/include/root-cpp/core.hpp")).read_text() == "// core\n"


def test_init_again_keeps_and_with_force_fetches_anew(run: Run, remote: Remote) -> None:
    run("init", "--morloc")
    newer = remote.publish("root", {"new.txt": "new"})[:12]
    assert f"kept root 0.1.0 from default {commit(remote, 'root')}" not in run("init", "--morloc")[1]
    assert f"replaced root 0.1.0 (was 0.1.0) from default {newer}" in run("init", "--morloc", "-f")[1]
    assert run("verify", "--plane", "home")[0] == 0


def test_dry_run_changes_nothing(run: Run) -> None:
    status, out, _ = run("install", "root", "--dry-run")
    assert (status, [line.split(" from ")[0] for line in out]) == (
        0,
        ["would install internal 0.1.0", "would install root 0.1.0"],
    )
    assert not os.path.exists("home")


def test_half_made_package_is_repaired_and_never_taken_for_installed(run: Run) -> None:
    write_package(Path(PLANE, "root"), {"main.loc": "half"})
    status, out, _ = run("install", "root-py")
    assert (status, [line.split(" from ")[0] for line in out[:-1]]) == (
        0,
        ["installed internal 0.1.0", "repaired root 0.1.0", "installed root-py 0.1.0"],
    )
    open_up(Path(PLANE, "root/main.loc")).write_text("altered")
    assert [line.split(" from ")[0] for line in run("install", "root-py")[1]][1] == "repaired root 0.1.0"
    assert run("verify", "--plane", "home")[0] == 0


def test_package_of_the_compilers_own_installer_is_kept(run: Run) -> None:
    write_package(Path(PLANE, "root"), {"main.loc": module("root"), "package.yaml": manifest("root")})
    write_package(Path("home/fdb"), {"root.module": '{"name":"root","morloc_dependencies":[]}'})
    status, out, _ = run("install", "root-r")
    assert (status, [line.split(" from ")[0] for line in out[:-1]]) == (
        0,
        ["kept root 0.1.0", "installed root-r 0.1.0"],
    )
    assert [line.split()[:3] for line in run("installed")[1]] == [
        ["root", "foreign", "explicit"],
        ["root-r", "0.1.0", "whole"],
    ]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            ["foo_bar", "u/r"],
            [
                "error: 'foo_bar' is not a package name; expected letters and digits joined by '-'",
                "error: 'u/r' names no host",
                "  hint: write a repository as github:u/r, a folder as ./u/r",
            ],
        ),
        (["./gone"], [f"error: ./gone: is not a folder; {EXPECTED}"]),
        (["./gone.tar.gz"], [f"error: ./gone.tar.gz: is not a folder; {EXPECTED}"]),
        (["./here"], ["error: ./here: has no package.yaml; expected a morloc package"]),
        (["x.mojopkg"], ["error: --to: is missing; expected the library folder for Mojo packages"]),
        (["gone.morloc.tar.gz"], ["error: gone.morloc.tar.gz: cannot be read: No such file or directory"]),
        (
            ["math", "./m/math"],
            [f"error: ./m/math: is not a folder; {EXPECTED}"],
        ),
        (
            ["root", "--offline"],
            ["error: root: is not locked, and fetching is disabled (--offline)"],
        ),
        (["root", "--locked"], ["error: root: is not locked", "  hint: run 'packyard lock'"]),
        (
            ["root", "--plane", "../x"],
            ["error: --plane: '../x' is not the name of a plane; expected letters, digits, - and _"],
        ),
    ],
)
def test_install_refused_is_said_and_leaves_nothing(run: Run, words: list[str], expected: list[str]) -> None:
    Path("here").mkdir()
    status, out, err = run("install", *words)
    assert (status != 0, out, err) == (True, [], expected)
    assert names() == []


def test_install_of_a_broken_package_leaves_the_plane_as_it_was(run: Run, remote: Remote, tree: Tree) -> None:
    run("install", "root")
    before = tree(Path("home"))
    remote.publish("root-py", {"other.py": "-> ../../outside"})
    assert run("install", "root-py", "math") == (
        1,
        [],
        ["error: root-py: 'other.py' is a link to '../../outside'; expected a target inside"],
    )
    assert tree(Path("home")) == before


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        ("../x", "../x: '../x' is not a valid archive path: '..' is not a file name"),
        ("/x", "/x: '/x' is not a valid archive path: '' is not a file name"),
        ("other/x", "is not a package archive: expected one top folder, found 'a', 'other'"),
    ],
)
def test_archive_that_would_write_elsewhere_is_refused(run: Run, member: str, expected: str) -> None:
    import gzip
    import io
    import tarfile

    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name in ("a/main.loc", member):
            archive.addfile(tarfile.TarInfo(name))
    Path("a-1.0.0.morloc.tar.gz").write_bytes(gzip.compress(data.getvalue()))
    status, _, err = run("install", "a-1.0.0.morloc.tar.gz")
    assert (status, err) == (1, [f"error: a-1.0.0.morloc.tar.gz: {expected}"])


def test_install_that_breaks_another_package_is_refused(run: Run) -> None:
    run("install", "internal")
    needy = manifest("needy", more="x-packyard: {requires: {internal: '>=0.1,<0.2'}}\n")
    write_package(Path("needy"), {"package.yaml": needy, "main.loc": module("needy", "internal")})
    run("install", "./needy")
    newer = manifest("internal").replace("0.1.0", "0.2.0")
    write_package(Path("x/internal"), {"package.yaml": newer, "main.loc": module("internal")})
    assert run("install", "./x/internal") == (
        1,
        [],
        ["error: internal: would be 0.2.0, but needy, which is installed, requires '>=0.1,<0.2'"],
    )


def test_two_installs_at_once_are_refused(run: Run) -> None:
    with changing(Path("home")):
        assert run("install", "root") == (
            1,
            [],
            ["error: w/home: another command is changing it", "  hint: try again when it is done"],
        )
    assert names() == []


def test_setup_script_is_run_only_when_allowed(run: Run) -> None:
    files = {
        "package.yaml": manifest("scripted", more="setup: setup.sh\n"),
        "main.loc": module("scripted"),
        "setup.sh": 'test -z "$PACKYARD_CACHE_DIR" && echo "$MORLOC_MODULE_NAME" > made.txt\n',
    }
    write_package(Path("scripted"), files)
    assert run("install", "./scripted")[1][1] == (
        "note: the setup script of scripted was not run (--allow-setup scripted runs it)"
    )
    assert not Path(PLANE, "scripted/made.txt").exists()
    run("uninstall", "scripted")
    assert run("install", "./scripted", "--allow-setup", "scripted")[0] == 0
    assert Path(PLANE, "scripted/made.txt").read_text() == "scripted\n"
    assert run("verify", "--plane", "home") == (0, ["1 package as locked"], [])
    assert run("install", "./scripted")[1][0] == "kept scripted 0.1.0 from folder"


def test_uninstall_asks_about_dependants_and_takes_orphans(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("install", "shapes", "math")
    assert run("uninstall", "root") == (
        1,
        [],
        [
            "error: other packages need them",
            "root is needed by shapes",
            "  hint: --yes removes them anyway",
        ],
    )
    assert run("uninstall", "shapes", "--orphans", "--dry-run")[1] == [
        "would remove shapes",
        "would remove internal",
        "would remove root",
    ]
    assert run("uninstall", "shapes", "--orphans")[1] == ["removed shapes", "removed internal", "removed root"]
    assert run("uninstall", "cppbase", "--yes")[1] == ["removed cppbase"]
    assert run("verify", "--plane", "home") == (
        1,
        ["math: needs 'cppbase', which is missing", "  hint: install cppbase", "1 problem in 1 package"],
        [],
    )
    assert run("uninstall", "cppbase", "root")[2] == [
        "error: cppbase: is not installed",
        "error: root: is not installed",
    ]
    assert run("uninstall", "math", "--to", "nowhere")[2] == ["error: w/nowhere: no such home"]


def test_installed_tells_states(run: Run) -> None:
    assert run("installed") == (0, ["nothing is installed in w/home/src/morloc/plane/default"], [])
    run("install", "root")
    open_up(Path(PLANE, "internal/main.loc")).write_text("altered")
    Path(PLANE, "half").mkdir()
    rows = json.loads("\n".join(run("installed", "--json")[1]))
    assert [(row["name"], row["version"], row["state"], row["reason"]) for row in rows] == [
        ("half", "", "half", ""),
        ("internal", "0.1.0", "altered", "auto"),
        ("root", "0.1.0", "whole", "explicit"),
    ]
    assert run("installed")[1] == [
        "half             half",
        "internal  0.1.0  altered  auto      default",
        "root      0.1.0  whole    explicit  default",
    ]


def test_plane_archive_is_installed_offline_and_compared_with_the_lock(run: Run, remote: Remote, tree: Tree) -> None:
    assert run("lock")[0] == 0
    opened = open_workspace(Path.cwd(), TABLE)
    build = opened.build(print)
    for name in opened.graph.closure(["plane:default"]):
        build.judge(name)
        build.make(name)
    opened.trace.close()
    remote.folder.rename(remote.folder.with_name("away"))
    assert run("install", "dist/w-default.plane.tar.gz", "--to", "one", "--offline")[0] == 0
    assert run("verify", "--plane", "one", "--lock", "packyard.lock") == (0, ["3 packages as locked"], [])
    assert run("install", "dist/w-default.plane.tar.gz", "--to", "two")[0] == 0
    assert tree(Path("one")) == tree(Path("two"))
    assert [line.split()[3] for line in run("installed", "--to", "one")[1]] == ["auto", "auto", "explicit"]


def test_install_follows_the_lock_of_the_workspace(run: Run, remote: Remote) -> None:
    run("lock")
    old = commit(remote, "root")
    remote.publish("root", {"new.txt": "new"})
    assert f"installed root 0.1.0 from default {old}" in run("install", "shapes", "--locked")[1]


def test_member_that_cannot_work_is_not_installed(run: Run) -> None:
    write_package(Path("m/shapes"), {"main.loc": module("shapes", "root", more='source Py from "gone.py" ("f")\n')})
    assert run("install", "shapes") == (
        1,
        [],
        ["error: m/shapes/main.loc: line 3: 'gone.py' is sourced but missing; expected the file 'm/shapes/gone.py'"],
    )
    assert names() == []


def test_lint_shows_findings_for_people_and_programs(run: Run) -> None:
    assert run("lint") == (0, ["nothing found"], [])
    write_package(Path("m/b"), plain("b"))
    write_package(Path("m/shapes"), {"package.yaml": manifest("shapes", "root", "b", "gone")})
    assert run("lint", "shapes") == (
        1,
        [
            "error: m/shapes/package.yaml: dependencies[2]: 'gone' is neither a member nor in the standard set "
            "(internal, root, root-py, root-cpp, root-r, math)",
            "  hint: also name a library to link in x-packyard: {native: [gone]}",
            "warning: m/shapes/package.yaml: dependencies: 'b' is declared but not imported",
            "warning: m/shapes/package.yaml: dependencies: 'gone' is declared but not imported",
            "1 error, 2 warnings",
        ],
        [],
    )
    found = json.loads("\n".join(run("lint", "--json")[1]))
    assert [(one["level"], one["code"], one["package"], one["place"], one["key"]) for one in found] == [
        ("error", "unknown-dependency", "shapes", "m/shapes/package.yaml", "dependencies[2]"),
        ("warning", "unused-dependency", "shapes", "m/shapes/package.yaml", "dependencies"),
        ("warning", "unused-dependency", "shapes", "m/shapes/package.yaml", "dependencies"),
    ]
    assert run("lint", "b") == (0, ["nothing found"], [])
    assert run("lint", "shape") == (
        2,
        [],
        ["error: 'shape' is not a morloc package of this workspace", "  hint: did you mean 'shapes'?"],
    )


def test_lint_strict_counts_warnings(run: Run) -> None:
    write_package(Path("m/shapes"), {"old.py": ""})
    assert (run("lint")[0], run("lint", "--strict")[0]) == (0, 1)


def test_lint_again_looks_at_stats_alone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write_package(Path("m/shapes"), {"old.py": ""})
    first = run("lint", "--json")
    time.sleep(0.1)  # a file that is too young is not trusted
    run("lint")
    monkeypatch.setattr(lint, "read_workspace", None)
    assert run("lint", "--json") == first
    monkeypatch.undo()


def test_lock_is_exported_for_the_compiler(run: Run, remote: Remote) -> None:
    run("lock")
    commits = {
        name: remote.git(remote.folder / f"{name}.work", "rev-parse", "HEAD").strip() for name in ("internal", "root")
    }
    assert run("lock", "--export", "snapshot") == (0, [f"{name} {commits[name]}" for name in commits], [])
    assert run("lock", "--export", "pins")[1] == [
        "morloc-dependencies:",
        *(f'  - {{name: {name}, git-hash: "{commits[name]}"}}' for name in commits),
    ]


def test_build_locked_refuses_drift(run: Run) -> None:
    run("lock")
    write_package(Path("m/new"), plain("new", "math"))
    assert run("--locked") == (
        1,
        [],
        [
            "error: packyard.lock: does not fit the workspace: new is not in it",
            "  hint: run 'packyard lock'",
        ],
    )


def test_files_that_a_watch_would_skip_stay_in_the_plane(run: Run, remote: Remote) -> None:
    """A repository may hold a folder `venv`; that the package is wanted for itself later changes no file of it."""
    remote.publish("root", {"venv/kept.py": "x = 1\n"})
    run("install", "shapes")
    run("install", "root")
    assert Path(PLANE, "root/venv/kept.py").read_text() == "x = 1\n"
    assert run("verify", "--plane", "home") == (0, ["3 packages as locked"], [])
    assert [line.split()[3] for line in run("installed")[1]] == ["auto", "explicit", "explicit"]


def test_names_that_differ_in_case_alone_are_refused(run: Run) -> None:
    run("install", "root")
    write_package(Path("x/Root"), {"package.yaml": manifest("Root"), "main.loc": module("Root")})
    assert run("install", "./x/Root") == (
        1,
        [],
        ["error: Root: would be in the folder of 'root' on case-insensitive systems"],
    )
