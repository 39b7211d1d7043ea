"""A Mojo monorepo driven by the command, with compilers that are on the machine already."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Space

pytestmark = [pytest.mark.real, pytest.mark.long]

TOOLCHAIN = '[workspace]\nname = "odyssey"\nmembers = ["libs/*"]\n[toolchain]\nmojo = "1.0.0"\nmojo_from = "{tree}"\n'


def manifest(name: str, *needs: str, build: str = "") -> str:
    lines = ["[package]", f'name = "{name}"', 'version = "0.1.0"', build, "[dependencies]"]
    return "\n".join([*lines, *(f'{other} = "0.1.0"' for other in needs), ""])


# `core` and `tensor` need each other; `utils` leads out of itself; `data` and `text` are sound.
MEMBERS = {
    "libs/core/mojo.toml": manifest("core", "tensor"),
    "libs/core/__init__.mojo": "from core.unit import unit\n",
    "libs/core/unit.mojo": "from tensor.shape import Shape\n\n\ndef unit() -> Shape:\n    return Shape(1)\n",
    "libs/tensor/mojo.toml": manifest("tensor", "core"),
    "libs/tensor/__init__.mojo": "from tensor.shape import Shape\nfrom core import unit\n",
    "libs/tensor/shape.mojo": "@fieldwise_init\nstruct Shape(Copyable, Movable):\n    var size: Int\n",
    "libs/utils/mojo.toml": manifest("utils"),
    "libs/utils/__init__.mojo": "\nfrom ..version import VERSION\n",
    "libs/data/mojo.toml": manifest("data"),
    "libs/data/__init__.mojo": "def rows() -> Int:\n    return 3\n",
    "libs/text/mojo.toml": manifest("text", "data"),
    "libs/text/__init__.mojo": "from data import rows\n\n\ndef lines() -> Int:\n    return rows() * 2\n",
}


@pytest.fixture
def space(make_space: Callable[[str], Space], compiler_tree: Callable[[str], Path]) -> Space:
    space = make_space("odyssey")
    # What others have set for their own compiler must not reach this one.
    space.env.update({"MODULAR_MOJO_MAX_IMPORT_PATH": "/nowhere", "MODULAR_HOME": "/nowhere", "MOJO_PATH": "/nowhere"})
    space.write("packyard.toml", TOOLCHAIN.format(tree=compiler_tree("1.0.0")))
    for path, text in MEMBERS.items():
        space.write(path, text)
    return space


def test_monorepo_with_a_cycle_builds_what_can_be_built(space: Space) -> None:
    done = space.packyard(status=1)
    assert done.failed == ["mojo:core", "mojo:tensor", "mojo:utils"]
    assert done.ran == ["mojo:data", "mojo:text", "toolchain:mojo-1.0.0"]
    assert "libs/utils/__init__.mojo:2:8: error: attempted relative import with no known parent package" in done.out
    assert "hint: a relative import leads out of the package" in done.out
    said = done.out.partition("mojo:core failed:")[2]
    assert "libs/core/mojo.toml: the packages import each other in a cycle: core -> tensor -> core" in said
    start = said.index("[[meta]]")
    block = "\n".join(line.strip() for line in said[start:].splitlines()[:4])
    space.append("packyard.toml", block + "\n")
    space.remove("libs/utils")
    assert space.packyard().ran == ["mojo:odyssey"]
    space.expect_nothing()
    assert json.loads(space.text("dist/odyssey-0.1.0.mojopkg.json"))["components"] == ["core", "tensor"]
    refused = space.packyard("mojo:core", status=1)
    assert "it is part of 'mojo:odyssey': import 'odyssey.core', and depend on that" in refused.out
    # Another member joins the package: it is compiled again.
    space.replace("packyard.toml", 'members = ["core", "tensor"]', 'members = ["core", "tensor", "data"]')
    assert space.packyard().ran == ["mojo:odyssey"]


def test_packages_are_tried_and_installed(space: Space, compiler_tree: Callable[[str], Path]) -> None:
    for name in ("core", "tensor", "utils"):
        space.remove(f"libs/{name}")
    space.write("libs/page/mojo.toml", manifest("page", "text"))
    space.write("libs/page/__init__.mojo", "from text import lines\n")
    done = space.packyard("cleanroom:text")
    assert "cleanroom:text" in done.ran
    assert space.text("dist/text-0.1.0.cleanroom.txt").endswith("4 of 4 checks passed\n")
    assert os.access(space.root / "dist/install_verify_text.sh", os.X_OK)
    space.packyard()
    assert (space.root / "dist/install_verify_text.sh").exists()  # a full build takes nothing away that was asked for
    packages = ("dist/text-0.1.0.mojopkg", "dist/data-0.1.0.mojopkg")
    assert "\nimports   by Mojo 1.0.0, only the build " in space.packyard("inspect", packages[0]).out
    wrong = space.packyard("install", *packages, "--to", "lib", "--compiler", f"{compiler_tree('1.2.0')}", status=1)
    assert "a package only works with the compiler that made it" in wrong.err
    space.packyard("install", *packages, "--to", "lib", "--compiler", f"{compiler_tree('1.0.0')}")
    # A changed body reaches the file of `data`; those of `text` and `page` stay, and their manifests name the new one.
    space.replace("libs/data/__init__.mojo", "return 3", "return 4")
    before = [space.read(f"dist/{name}-0.1.0.mojopkg") for name in ("text", "page")]
    assert space.packyard().ran == ["mojo:data", "mojo:page", "mojo:text"]
    assert [space.read(f"dist/{name}-0.1.0.mojopkg") for name in ("text", "page")] == before
    alone = space.packyard("install", packages[1], "--to", "lib", status=1)
    assert "lib/text.mojopkg: was compiled against a different 'data'" in alone.err
    both = space.packyard("install", *packages, "--to", "lib")
    assert "replaced data 0.1.0 (was 0.1.0) as data.mojopkg\nreplaced text" in both.out
    # A failed compile loses nothing: what was made stays, and undone there is nothing to do.
    good = space.text("libs/data/__init__.mojo")
    kept = space.files("dist")
    space.write("libs/data/__init__.mojo", "def rows( -> Int:\n")
    failed = space.packyard(status=1)
    assert failed.failed[:1] == ["mojo:data"]
    assert "\nlibs/data/__init__.mojo:1:" in failed.out.replace("  libs", "libs")
    assert space.files("dist") == kept
    space.write("libs/data/__init__.mojo", good)
    space.expect_nothing()


def test_member_with_a_compiler_of_its_own(space: Space, compiler_tree: Callable[[str], Path]) -> None:
    for name in ("core", "tensor", "utils", "text"):
        space.remove(f"libs/{name}")
    space.write("libs/data/mojo.toml", manifest("data", build='[build]\nmojo = "1.0.0"'))
    space.replace("packyard.toml", 'mojo = "1.0.0"', 'mojo = "1.2.0"')
    space.replace("packyard.toml", os.fspath(compiler_tree("1.0.0")), os.fspath(compiler_tree("1.2.0")))
    space.write("libs/new/mojo.toml", manifest("new"))
    space.write("libs/new/__init__.mojo", "")
    targets = space.packyard("list", "--all").out
    assert "toolchain:mojo-1.0.0" in targets
    assert "toolchain:mojo-1.2.0" in targets
    assert space.packyard("mojo:new").ran == ["mojo:new", "toolchain:mojo-1.2.0"]
    assert "dist/new-0.1.0.mojoc" in space.files("dist")
