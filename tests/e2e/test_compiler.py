"""A real compiler in every run of the tests, from the index to a program that runs; test_readme has a launcher for it.

What else compilers do, and all versions of them, is in tests/tasks/kinds/mojo.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import NETWORK, Space

pytestmark = pytest.mark.real

FILES = {
    "packyard.toml": '[workspace]\nname = "w"\nmembers = ["shapes"]\n[toolchain]\nmojo = "1.0.0"\n',
    "shapes/mojo.toml": '[package]\nname = "shapes"\nversion = "0.1.0"\n',
    "shapes/__init__.mojo": "from .square import area\n",
    "shapes/square.mojo": "def area(side: Int) -> Int:\n    return side * side\n",
}


def test_mojo_package_is_compiled_by_a_compiler_of_the_index_and_runs(make_space: Callable[[str], Space]) -> None:
    space = make_space("compiled")
    space.env.update(NETWORK)
    for path, text in FILES.items():
        space.write(path, text)
    assert space.packyard("mojo:shapes").ran == ["mojo:shapes", "toolchain:mojo-1.0.0"]
    package = space.read("dist/shapes-0.1.0.mojopkg")
    tried = space.packyard("verify", "mojo:shapes").out
    assert tried.startswith("dist/shapes-0.1.0.mojopkg: works\n\nshapes 0.1.0, in a clean room with Mojo 1.0.0\n")
    assert "  passed  from shapes import area\n" in tried
    space.replace("shapes/square.mojo", "side * side", "side * side  # as ever")
    assert space.packyard("mojo:shapes").ran == ["mojo:shapes"]
    assert space.read("dist/shapes-0.1.0.mojopkg") == package
    space.expect_nothing()
