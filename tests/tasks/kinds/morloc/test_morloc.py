from __future__ import annotations

import gzip
import io
import os
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.tasks.kinds.morloc import morloc
from packyard.tasks.kinds.morloc.make_morloc import MorlocParams, make_morloc
from packyard.tasks.target.params import read_params
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Target
from packyard.tasks.workspace.workspace import read_workspace

PACKYARD = '[workspace]\nname = "w"\nmembers = ["m/*"]\n'


def package(name: str, *dependencies: str, more: str = "") -> str:
    return f"name: {name}\nversion: 0.1.0\ndependencies: [{', '.join(dependencies)}]\n{more}"


# Signatures, an implementation of them, and what each has beside its modules.
SOUND = {
    "shapes/package.yaml": package("shapes", "root"),
    "shapes/main.loc": "module shapes (*)\nimport root\narea :: Real -> Real\n",
    "shapes-py/package.yaml": package("shapes-py", "shapes", "root-py"),
    "shapes-py/shapes-py.loc": (
        'module shapes-py (*)\nimport shapes\nimport root-py\nsource Py from "src/shapes.py" ("area" as area)\n'
    ),
    "shapes-py/src/shapes.py": "def area(x):\n    return x\n",
}


def write(root: Path, files: Mapping[str, str]) -> None:
    (root / "packyard.toml").write_text(PACKYARD)
    for name, text in files.items():
        path = root / "m" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def planned(root: Path) -> dict[str, Target]:
    return {target.name: target for target in morloc.targets(read_workspace(root))}


def said(root: Path) -> list[str]:
    with pytest.raises(FormatError) as caught:
        planned(root)
    return str(caught.value).splitlines()


def make(target: Target, workspace: Path, room: Path) -> bytes:
    """Stage the target's sources as the engine does, and return the archive."""
    for folder in ("inputs", "outputs", "scratch", "home"):
        (room / folder).mkdir(parents=True)
    for source in target.sources:
        staged = room / "inputs" / source.at
        staged.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(workspace / source.path, staged)
    make_morloc(
        Room(
            inputs=room / "inputs",
            outputs=room / "outputs",
            scratch=room / "scratch",
            home=room / "home",
            params=read_params(MorlocParams, target.params),
            log=room / "log",
        )
    )
    return (room / "outputs" / target.outputs[0].at).read_bytes()


def test_targets_sound_packages_have_one_each(tmp_path: Path) -> None:
    write(tmp_path, SOUND)
    targets = planned(tmp_path)
    assert list(targets) == ["morloc:shapes", "morloc:shapes-py"]
    target = targets["morloc:shapes-py"]
    assert [(source.path, source.at) for source in target.sources] == [
        ("m/shapes-py/package.yaml", "shapes-py/package.yaml"),
        ("m/shapes-py/shapes-py.loc", "shapes-py/shapes-py.loc"),
        ("m/shapes-py/src/shapes.py", "shapes-py/src/shapes.py"),
    ]
    assert [output.artifact for output in target.outputs] == ["dist/shapes-py-0.1.0.morloc.tar.gz"]
    assert (target.final, target.uses) == (True, ())


def test_targets_of_other_members_are_none(tmp_path: Path) -> None:
    write(tmp_path, {"lib/pyproject.toml": '[project]\nname = "lib"\nversion = "1"\n'})
    assert planned(tmp_path) == {}


def test_targets_leave_out_what_an_installation_does(tmp_path: Path) -> None:
    write(
        tmp_path,
        SOUND
        | {
            "shapes/.morlocignore": "tests/\n*.md\n!README.md\n",
            "shapes/README.md": "kept",
            "shapes/NOTES.md": "ignored",
            "shapes/tests/test.loc": "import nobody-knows",
            "shapes/__pycache__/x.pyc": "cache",
            "shapes/.git/HEAD": "vcs",
        },
    )
    sources = [source.at for source in planned(tmp_path)["morloc:shapes"].sources]
    assert sources == ["shapes/README.md", "shapes/main.loc", "shapes/package.yaml"]


def test_targets_leave_out_a_member_inside_a_member(tmp_path: Path) -> None:
    write(tmp_path, SOUND | {"shapes/inner/package.yaml": package("inner"), "shapes/inner/main.loc": "module inner ()"})
    (tmp_path / "packyard.toml").write_text(PACKYARD.replace('"m/*"', '"m/*", "m/shapes/inner"'))
    assert [source.at for source in planned(tmp_path)["morloc:shapes"].sources] == [
        "shapes/main.loc",
        "shapes/package.yaml",
    ]


def test_watch_sees_what_decided(tmp_path: Path) -> None:
    write(tmp_path, SOUND)
    workspace = read_workspace(tmp_path)
    list(morloc.targets(workspace))
    assert {"m/shapes", "m/shapes/main.loc", "m/shapes-py/src", "m/shapes-py/shapes-py.loc"} <= set(
        workspace.watch.seen
    )


def test_archive_holds_the_tree_below_its_name(tmp_path: Path) -> None:
    write(tmp_path, SOUND)
    (tmp_path / "m/shapes-py/src/shapes.py").chmod(0o775)
    data = make(planned(tmp_path)["morloc:shapes-py"], tmp_path, tmp_path / "room")
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(data))) as archive:
        found = [(member.name, member.mode, member.mtime, member.uid, member.uname) for member in archive]
        content = archive.extractfile("shapes-py/src/shapes.py")
        assert content is not None
        assert content.read() == b"def area(x):\n    return x\n"
    assert found == [
        ("shapes-py/package.yaml", 0o644, 0, 0, ""),
        ("shapes-py/shapes-py.loc", 0o644, 0, 0, ""),
        ("shapes-py/src/shapes.py", 0o755, 0, 0, ""),
    ]


def test_archive_of_equal_trees_has_equal_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "a-longer-path"
    for root, files in ((first, SOUND), (second, dict(reversed(SOUND.items())))):
        root.mkdir()
        write(root, files)
    for path in second.rglob("*.*"):
        os.utime(path, (1, 1))
    made = [make(planned(root)["morloc:shapes-py"], root, root / "room") for root in (first, second)]
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {"other/package.yaml": package("shapes"), "other/main.loc": "module shapes (*)"},
            [
                "m/other/package.yaml: name: 'shapes' is not the name of the folder, 'other'",
                "  hint: a package is found by the name of its folder",
            ],
        ),
        (
            {"a/package.yaml": package("a"), "a/b.loc": "module b (*)"},
            ["m/a: has no entry file; expected main.loc or a.loc"],
        ),
        (
            {"a/package.yaml": package("a"), "a/main.loc": "module b (*)"},
            ["m/a/main.loc: line 1: the module is named 'b'; expected the package's name, 'a'"],
        ),
        (
            {"a/package.yaml": package("a"), "a/main.loc": "module (*)\nx = 1"},
            ["m/a/main.loc: has no module header; expected 'module a (...)'"],
        ),
        (
            {"a/package.yaml": package("a"), "a/main.loc": "module a (*)\nmodule b (*)"},
            ["m/a/main.loc: declares several modules ('a' in line 1, 'b' in line 2); expected one"],
        ),
        (
            {"a/package.yaml": package("a"), "a/main.loc": "module a (*)\n{- open"},
            ["m/a/main.loc: line 2: this comment is never closed"],
        ),
        (
            {"a/package.yaml": package("a", "gsl"), "a/main.loc": "module a (*)"},
            [
                "m/a/package.yaml: dependencies[0]: 'gsl' is neither a member nor in the standard set (internal, "
                "root, root-py, root-cpp, root-r, math)",
                "  hint: also name a library to link in x-packyard: {native: [gsl]}",
            ],
        ),
        (
            {"a/package.yaml": package("a"), "a/main.loc": "module a (*)\nimport bio\nimport bio.seq\nimport root"},
            [
                "m/a/main.loc: line 2: 'bio' is imported but is neither a member nor in the standard set (internal, "
                "root, root-py, root-cpp, root-r, math)",
                "  hint: add the package bio to the workspace as a member",
                "m/a/main.loc: line 4: 'root' is imported but not declared",
                "  hint: add root to dependencies in m/a/package.yaml",
            ],
        ),
        (
            {"a/package.yaml": package("a"), "a/main.loc": "module a (*)\nimport owner/x"},
            [
                "m/a/main.loc: line 2: 'owner/x' is imported but is neither a member nor in the standard set "
                "(internal, root, root-py, root-cpp, root-r, math)",
                "  hint: add the package owner/x to the workspace as a member",
            ],
        ),
        (
            {
                "a/package.yaml": package("a"),
                "a/main.loc": "module a (*)\nimport .lib.util\nimport .gone\nimport a.gone.too",
                "a/lib/util/main.loc": 'module (*)\nsource Py from "../util.py" ("f")\nsource Py from "x.py" ("g")',
                "a/lib/util.py": "",
            },
            [
                "m/a/main.loc: line 3: '.gone' is imported but missing; expected gone.loc or gone/main.loc",
                "m/a/main.loc: line 4: 'a.gone.too' is imported but missing; expected gone/too.loc or "
                "gone/too/main.loc",
                "m/a/lib/util/main.loc: line 3: 'x.py' is sourced but missing; expected the file 'm/a/lib/util/x.py'",
            ],
        ),
        (
            {
                "a/package.yaml": package("a"),
                "a/.morlocignore": "*.r\n",
                "a/main.loc": (
                    'module a (*)\nsource Py from "../x.py" ("f")\nsource R from "x.r" ("f")\n'
                    'source cpp from "gsl" ("f")\nsource cpp from "gsl.hpp" ("f")\nsource R ("sum")\n'
                    'source rust from "crate" ("f")\nsource Py from "/x.py" ("f")'
                ),
                "a/x.r": "",
                "a/crate/Cargo.toml": "",
            },
            [
                "m/a/main.loc: line 2: '../x.py' is sourced from outside the package",
                "m/a/main.loc: line 3: 'x.r' is sourced but left out by .morlocignore",
                "m/a/main.loc: line 5: 'gsl.hpp' is sourced but missing; expected the file 'm/a/gsl.hpp'",
                "m/a/main.loc: line 8: '/x.py' is sourced from outside the package",
            ],
        ),
        (
            {
                "a/package.yaml": package("a", more="setup: setup.sh\nexpose: {cpp: ['*.hpp', include], py: [a.py]}\n"),
                "a/main.loc": "module a (*)",
                "a/include/b.hpp": "",
            },
            [
                "m/a/package.yaml: setup: 'setup.sh' is not a file of the package",
                "m/a/package.yaml: expose.cpp[0]: '*.hpp' is not a file of the package",
                "m/a/package.yaml: expose.py[0]: 'a.py' is not a file of the package",
            ],
        ),
        (
            {
                "a/package.yaml": package("a", "c"),
                "a/main.loc": "module a (*)\nimport c",
                "b/package.yaml": package("b", "a"),
                "b/main.loc": "module b (*)\nimport a",
                "c/package.yaml": package("c", "b"),
                "c/main.loc": "module c (*)",
            },
            ["m/a/package.yaml: the packages depend on each other in a cycle: a -> c -> b -> a"],
        ),
        (
            {
                "a/package.yaml": package("a"),
                "a/main.loc": "module a (*)\nimport .b",
                "a/b.loc": "module (*)\nimport .c",
                "a/c.loc": "module (*)\nimport .b",
            },
            ["m/a/b.loc: the modules import each other in a cycle: m/a/b.loc -> m/a/c.loc -> m/a/b.loc"],
        ),
    ],
)
def test_package_wrong_is_said(tmp_path: Path, files: Mapping[str, str], expected: list[str]) -> None:
    write(tmp_path, files)
    assert said(tmp_path) == expected


def test_native_libraries_are_no_packages(tmp_path: Path) -> None:
    files = {
        "math/package.yaml": package("math", "m", "gsl", more="x-packyard: {native: [m, gsl]}\n"),
        "math/main.loc": 'module math (*)\nsource cpp from "gsl" ("f")',
    }
    write(tmp_path, files)
    assert list(planned(tmp_path)) == ["morloc:math"]


def test_submodule_of_another_member_is_checked_too(tmp_path: Path) -> None:
    files = {
        "a/package.yaml": package("a"),
        "a/main.loc": "module a (*)",
        "a/sub.loc": 'module (*)\nsource Py from "gone.py" ("f")',
        "b/package.yaml": package("b", "a"),
        "b/main.loc": "module b (*)\nimport a.sub\nimport a.gone",
    }
    write(tmp_path, files)
    assert said(tmp_path) == [
        "m/a/sub.loc: line 2: 'gone.py' is sourced but missing; expected the file 'm/a/gone.py'",
        "m/b/main.loc: line 3: 'a.gone' is imported but missing; expected gone.loc or gone/main.loc",
    ]
