"""Installing compiled Mojo packages into a library folder, by the commands."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
from packyard.tasks.errors import ActionError
from packyard.tasks.kinds.mojo import install

from tests.tasks.commands.conftest import Space
from tests.tasks.kinds.mojo.mojofile import package_bytes, write_compiler, write_package

OTHER = "f" * 64


@pytest.fixture(autouse=True)
def no_compiler_on_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", os.fspath(tmp_path / "empty"))


@pytest.fixture
def dist(space: Space) -> Path:
    """`tensor`, and `nn` that was compiled against it."""
    tensor = write_package(space.root / "dist", "tensor")
    write_package(space.root / "dist", "nn", tensor)
    return space.root / "dist"


BOTH = ("dist/nn-0.1.0.mojopkg", "dist/tensor-0.1.0.mojopkg")
NOTE = "note: no compiler found to check against; name one with --compiler\n"


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def refused(space: Space, *words: str) -> str:
    """What a command complains of that must change nothing."""
    before = {name: (space.root / "lib" / name).read_bytes() for name in listing(space.root / "lib")}
    status, out, err = space.run(*words)
    assert (status, out) == (1, "")
    assert {name: (space.root / "lib" / name).read_bytes() for name in listing(space.root / "lib")} == before
    return err


def test_install_puts_packages_under_their_importable_names(space: Space, dist: Path) -> None:
    assert space.output("install", *BOTH, "--to", "lib") == (
        "installed nn 0.1.0 as nn.mojopkg\ninstalled tensor 0.1.0 as tensor.mojopkg\n"
        f"{NOTE}2 packages in lib, for programs run with: mojo run -I lib\n"
    )
    assert listing(space.root / "lib") == [".packyard-mojo.json", "nn.mojopkg", "tensor.mojopkg"]
    assert (space.root / "lib/nn.mojopkg").read_bytes() == (dist / "nn-0.1.0.mojopkg").read_bytes()
    assert space.output("installed", "--to", "lib") == (
        "nn      0.1.0  whole  Mojo 1.0.0\ntensor  0.1.0  whole  Mojo 1.0.0\n"
    )
    assert json.loads(space.output("installed", "--to", "lib", "--json"))[0] == {
        "name": "nn",
        "version": "0.1.0",
        "state": "whole",
        "compiler": "1.0.0",
        "identity": "0123456789abcdef" * 4,
        "sha256": hashlib.sha256((dist / "nn-0.1.0.mojopkg").read_bytes()).hexdigest(),
        "dependencies": ["tensor"],
    }


def test_install_again_keeps_replaces_and_repairs(space: Space, dist: Path) -> None:
    space.output("install", *BOTH, "--to", "lib")
    assert "kept nn 0.1.0 as nn.mojopkg\nkept tensor" in space.output("install", *BOTH, "--to", "lib")
    (space.root / "lib/tensor.mojopkg").unlink()
    assert space.output("installed", "--to", "lib").endswith("tensor  0.1.0  missing  Mojo 1.0.0\n")
    assert "repaired tensor 0.1.0" in space.output("install", *BOTH, "--to", "lib")
    tensor = write_package(dist, "tensor", version="0.1.1", content="new")
    nn = write_package(dist, "nn", tensor)
    assert space.output("install", f"{tensor}", f"{nn}", "--to", "lib").startswith(
        "replaced nn 0.1.0 (was 0.1.0) as nn.mojopkg\nreplaced tensor 0.1.1 (was 0.1.0) as tensor.mojopkg\n"
    )


def test_install_dry_run_changes_nothing(space: Space, dist: Path) -> None:
    assert space.output("install", *BOTH, "--to", "lib", "--dry-run") == (
        "would install nn 0.1.0 as nn.mojopkg\nwould install tensor 0.1.0 as tensor.mojopkg\n"
    )
    assert not (space.root / "lib").exists()


def test_install_checks_the_compiler(space: Space, dist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right, wrong = write_compiler(space.root / "right"), write_compiler(space.root / "wrong", OTHER)
    assert refused(space, "install", BOTH[1], "--to", "lib", "--compiler", "wrong") == (
        "error: dist/tensor-0.1.0.mojopkg: fits Mojo 1.0.0, only the build 0123456789ab, but the compiler is Mojo "
        "1.0.0, only the build ffffffffffff\n"
        "  hint: a package only works with the compiler that made it\n"
    )
    assert not (space.root / "lib").exists()
    monkeypatch.setenv("PATH", os.fspath(wrong / "bin"))
    assert "but the compiler is Mojo 1.0.0" in refused(space, "install", BOTH[1], "--to", "lib")
    assert NOTE not in space.output("install", BOTH[1], "--to", "lib", "--compiler", f"{right}/bin/mojo")
    foreign = write_package(dist, "other", identity=OTHER)
    monkeypatch.setenv("PATH", "")
    assert refused(space, "install", f"{foreign}", "--to", "lib").startswith(
        "error: lib/tensor.mojopkg: fits Mojo 1.0.0, only the build 0123456789ab, "
    )
    assert refused(space, "install", BOTH[1], "--to", "lib", "--compiler", "dist").startswith(
        "error: dist: no Mojo compiler found there\n"
    )


@pytest.mark.parametrize("place", ["modular", "lib/python3.12/site-packages/modular"])
def test_install_finds_the_compiler_of_an_environment(space: Space, dist: Path, place: str) -> None:
    write_compiler(space.root / "env" / place, OTHER)
    assert "but the compiler is" in refused(space, "install", BOTH[1], "--to", "lib", "--compiler", "env")


def test_install_wants_the_very_dependencies_that_were_compiled_against(space: Space, dist: Path) -> None:
    digest = hashlib.sha256(package_bytes("tensor")).hexdigest()
    assert refused(space, "install", BOTH[0], "--to", "lib") == (
        "error: dist/nn-0.1.0.mojopkg: needs 'tensor' 0.1.0, which is neither given nor in lib\n"
        f"  hint: its SHA-256 is {digest}\n"
    )
    space.output("install", *BOTH, "--to", "lib")
    write_package(dist, "tensor", content="rebuilt")
    other = hashlib.sha256(package_bytes("rebuilt")).hexdigest()
    assert refused(space, "install", BOTH[1], "--to", "lib") == (
        f"error: lib/nn.mojopkg: was compiled against a different 'tensor' (SHA-256 {digest[:12]}...) than "
        f"dist/tensor-0.1.0.mojopkg ({other[:12]}...)\n  hint: install both from the same build\n"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tensor.mojopkg", "already exists, and Packyard did not install it"),
        ("tensor.mojoc", "would be imported as 'tensor' by some compilers, instead of the package"),
        ("tensor", "would be imported as 'tensor' by some compilers, instead of the package"),
        ("tensor.mojo", "would be imported as 'tensor' by some compilers, instead of the package"),
    ],
)
def test_install_overwrites_nothing_of_others(space: Space, dist: Path, name: str, message: str) -> None:
    space.write(f"lib/{name}", "mine")
    assert refused(space, "install", BOTH[1], "--to", "lib").startswith(f"error: lib/{name}: {message}\n")


def test_altered_package_is_neither_replaced_nor_removed(space: Space, dist: Path) -> None:
    space.output("install", BOTH[1], "--to", "lib")
    space.write("lib/tensor.mojopkg", "mine now")
    message = "error: lib/tensor.mojopkg: was changed after Packyard installed it\n  hint: remove it by hand\n"
    assert refused(space, "install", BOTH[1], "--to", "lib") == message
    assert refused(space, "uninstall", "tensor", "--to", "lib") == message
    assert space.output("installed", "--to", "lib") == "tensor  0.1.0  altered  Mojo 1.0.0\n"


def test_install_refuses_what_is_not_what_its_manifest_says(space: Space, dist: Path) -> None:
    (dist / "tensor-0.1.0.mojopkg").write_bytes(package_bytes("tampered"))
    assert refused(space, "install", BOTH[1], "--to", "lib").startswith(
        "error: dist/tensor-0.1.0.mojopkg: is not the file that tensor-0.1.0.mojopkg.json describes: its SHA-256 is "
    )
    (dist / "tensor-0.1.0.mojopkg").write_bytes(package_bytes("tensor")[:-2])
    assert "the file is truncated" in refused(space, "install", BOTH[1], "--to", "lib")
    space.write("x.mojopkg", "no package")
    assert "is not the start of a Mojo package" in refused(space, "install", "x.mojopkg", "--to", "lib")
    assert refused(space, "install", "gone.mojopkg", "--to", "lib") == (
        "error: gone.mojopkg: cannot be read: No such file or directory\n"
    )


def test_install_of_a_file_alone_takes_its_name(space: Space, dist: Path) -> None:
    (dist / "tensor-0.1.0.mojopkg.json").unlink()
    shutil.move(dist / "tensor-0.1.0.mojopkg", dist / "ml-tensor-2.0.0-rc.1.mojopkg")
    out = space.output("install", "dist/ml-tensor-2.0.0-rc.1.mojopkg", "--to", "lib")
    assert out.startswith(
        "installed ml_tensor 2.0.0-rc.1 as ml_tensor.mojopkg\n"
        "note: no manifest is beside dist/ml-tensor-2.0.0-rc.1.mojopkg, so its dependencies were not checked\n"
    )
    shutil.copy(dist / "ml-tensor-2.0.0-rc.1.mojopkg", dist / "3d.mojopkg")
    assert "'3d' cannot be imported" in refused(space, "install", "dist/3d.mojopkg", "--to", "lib")


def test_install_of_one_name_twice_is_refused(space: Space, dist: Path) -> None:
    write_package(dist, "tensor", version="0.2.0")
    assert refused(space, "install", BOTH[1], "dist/tensor-0.2.0.mojopkg", "--to", "lib") == (
        "error: dist/tensor-0.2.0.mojopkg: is the package 'tensor', as is dist/tensor-0.1.0.mojopkg\n"
    )


def test_install_of_wrong_words_is_a_usage_error(space: Space, dist: Path) -> None:
    assert space.run("install", BOTH[1]) == (
        2, "", "error: --to: is missing; expected the library folder for Mojo packages\n",
    )  # fmt: skip
    assert space.run("install", BOTH[1], "shapes", "--to", "lib") == (
        2, "", "error: 'shapes' is not a Mojo package; only one kind of package can be installed at once\n",
    )  # fmt: skip


def test_uninstall_takes_out_what_nobody_needs(space: Space, dist: Path) -> None:
    space.output("install", *BOTH, "--to", "lib")
    assert refused(space, "uninstall", "tensor", "--to", "lib") == (
        "error: tensor: is needed by nn\n  hint: name those too\n"
    )
    assert space.run("uninstall", "tensr", "--to", "lib") == (2, "", "error: tensr: is not installed in lib\n")
    assert space.output("uninstall", "nn", "--to", "lib", "--dry-run") == "would remove nn\n"
    assert space.output("uninstall", "tensor", "nn", "--to", "lib") == "removed tensor\nremoved nn\n"
    assert listing(space.root / "lib") == [".packyard-mojo.json"]
    assert space.output("installed", "--to", "lib") == "nothing is installed in lib\n"


@pytest.mark.parametrize("moved", [0, 1, 2, 3])
def test_killed_installation_is_ended_by_the_next_command(
    space: Space, dist: Path, monkeypatch: pytest.MonkeyPatch, moved: int
) -> None:
    done: list[str] = []
    replace = os.replace

    def die(source: str, target: str) -> None:
        if len(done) == moved:
            raise KeyboardInterrupt
        done.append(os.fspath(target))
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(install.os, "replace", die)
        assert space.run("install", *BOTH, "--to", "lib")[0] == (130 if moved < 3 else 0)
    assert "nn      0.1.0" in space.output("installed", "--to", "lib")
    assert space.output("uninstall", "nn", "--to", "lib") == "removed nn\n"
    assert listing(space.root / "lib") == [".packyard-mojo.json", "tensor.mojopkg"]


def test_installation_killed_before_its_plan_is_taken_back(space: Space, dist: Path) -> None:
    space.output("install", BOTH[1], "--to", "lib")
    space.write("lib/.packyard-install/nn.mojopkg", "half")
    assert space.output("installed", "--to", "lib") == "tensor  0.1.0  whole  Mojo 1.0.0\n"
    space.output("install", *BOTH, "--to", "lib")
    assert listing(space.root / "lib") == [".packyard-mojo.json", "nn.mojopkg", "tensor.mojopkg"]


def test_file_that_changes_meanwhile_is_not_installed(
    space: Space, dist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = install.decide([dist / "tensor-0.1.0.mojopkg"], space.root / "lib", None)
    (dist / "tensor-0.1.0.mojopkg").write_bytes(package_bytes("other"))
    with install.changing(space.root / "lib"), pytest.raises(ActionError) as caught:
        install.carry_out(steps, space.root / "lib")
    assert str(caught.value) == f"{dist}/tensor-0.1.0.mojopkg: changed while being installed"
    assert listing(space.root / "lib") == []


@pytest.mark.parametrize("key", ["new", "gone"])
def test_plan_of_somebody_else_moves_and_removes_nothing_elsewhere(space: Space, dist: Path, key: str) -> None:
    """A library folder may be anybody's, and the plan that lies in it is carried out without a question."""
    space.write("lib/.packyard-install/plan.json", json.dumps({"new": [], "gone": [], key: ["../escaped"]}))
    space.write("lib/escaped", "in the staging folder's place")
    space.write("escaped", "mine")
    status, _, said = space.run("install", *BOTH, "--to", "lib")
    assert status == 1
    assert said.splitlines()[0].endswith(
        f"plan.json: {key}[0]: '../escaped' contains a control character or slash; expected a plain file name"
    )
    assert (space.root / "escaped").read_text() == "mine"
