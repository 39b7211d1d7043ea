"""`packyard inspect` and `packyard extract`."""

from __future__ import annotations

import json
from pathlib import Path

from packyard.formats.pspf.signature import key_from_seed, public_key

from tests.tasks.commands.conftest import Space, Tree
from tests.tasks.kinds.mojo.mojofile import IDENTITY, package_bytes, write_package


def test_inspect_shows_a_bundle(space: Space, bundle: Path) -> None:
    lines = space.output("inspect", "app.psp").splitlines()
    assert lines[0].startswith("bundle    app 1.0, ")
    assert f"key       {public_key(key_from_seed('s1')).hex()}" in lines
    assert "command   /bin/cat {workenv}/doc/notes.txt" in lines
    assert lines[-1].split()[:2] == ["0", "notes"]


def test_inspect_as_json_is_the_same_data(space: Space, bundle: Path) -> None:
    values = json.loads(space.output("inspect", "app.psp", "--json"))
    assert (values["name"], values["size"], len(values["slots"])) == ("app", bundle.stat().st_size, 1)


def test_inspect_of_what_is_no_bundle_says_so(space: Space) -> None:
    assert space.run("inspect", "README.md") == (
        1,
        "",
        "error: README.md: is not a bundle: 6 bytes is less than a trailer\n",
    )
    assert space.run("inspect", "none") == (1, "", "error: none: cannot be read: No such file or directory\n")


def test_inspect_of_a_mojo_package_says_which_compilers_accept_it(space: Space) -> None:
    write_package(space.root, "tensor")
    assert space.output("inspect", "tensor-0.1.0.mojopkg").splitlines() == [
        f"package   {len(package_bytes('tensor'))} B, 6 B of bytecode",
        "container 2",
        f"compiler  {IDENTITY}",
        f"imports   by Mojo 1.0.0, only the build {IDENTITY[:12]}",
    ]
    values = json.loads(space.output("inspect", "tensor-0.1.0.mojopkg", "--json"))
    assert (values["version"], values["identity"]) == ("1.0.0", IDENTITY)


def test_inspect_of_a_torn_mojo_package_says_so(space: Space) -> None:
    space.write("nix.mojopkg", "x")
    assert "'78' is not the start of a Mojo package" in space.run("inspect", "nix.mojopkg")[2]
    space.write("tensor.mojopkg", "MPKG")
    status, out, err = space.run("inspect", "tensor.mojopkg")
    assert (status, out) == (1, "")
    assert err.startswith("error: tensor.mojopkg: ")


def test_extract_writes_the_files(space: Space, bundle: Path, tree: Tree) -> None:
    assert space.output("extract", "app.psp", "out") == "wrote    out  1 file\n"
    assert tree(Path("out")) == {"doc/notes.txt": b"a file of its own\n"}


def test_extract_into_a_folder_that_exists_is_refused(space: Space, bundle: Path) -> None:
    assert space.run("extract", "app.psp", "src") == (1, "", "error: src: already exists; expected a new folder\n")
