"""Meta-packages, cycles and manifests by real compilers."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from packyard.formats.mojo.package import read_package
from packyard.tasks.errors import ActionError
from packyard.tasks.kinds.mojo.compiler import extension

from tests.tasks.yard import Yard

pytestmark = [pytest.mark.real, pytest.mark.long]

MakeYard = Callable[[Path, str], Yard]


def manifest(name: str, **needs: str) -> str:
    lines = ["[package]", f'name = "{name}"', 'version = "0.1.0"', "[dependencies]"]
    return "\n".join([*lines, *(f'{other} = "{text}"' for other, text in needs.items()), ""])


# Every way of importing another member, and oneself.
MEMBERS = {
    "base/mojo.toml": manifest("base"),
    "base/__init__.mojo": "comptime UNIT = 100\n",
    "tensor/mojo.toml": manifest("tensor", base="0.1.0"),
    "tensor/__init__.mojo": "from tensor.ops import one, Point\nfrom base import UNIT\n",
    "tensor/ops.mojo": (
        "@fieldwise_init\nstruct Point(Copyable, Movable):\n    var x: Int\n\n\ndef one() -> Int:\n    return 1\n"
    ),
    "nn/mojo.toml": manifest("nn", tensor="0.1.0"),
    "nn/__init__.mojo": "from .layer import two, three, four, five\n",
    "nn/layer.mojo": (
        "from tensor import one, UNIT\nimport tensor\nimport tensor.ops\nimport tensor.ops as o\n"
        "from nn.deep.leaf import FOUR\n\n\n"
        "def two() -> Int:\n    return one() + tensor.one()\n\n\n"
        "def three() -> Int:\n    return two() + tensor.ops.one()\n\n\n"
        "def four() -> Int:\n    return FOUR * o.one()\n\n\n"
        "def five() -> Int:\n    return UNIT // 20\n"
    ),
    "nn/deep/__init__.mojo": "",
    "nn/deep/leaf.mojo": "comptime FOUR = 4\n",
}
NESTED = '[[meta]]\nname = "ml-odyssey"\nversion = "0.3.0"\nmembers = ["tensor", "nn"]\n'
FLAT = NESTED + 'layout = "flat"\n'
CYCLE = {
    "a/mojo.toml": manifest("a", b="0.1.0"),
    "a/__init__.mojo": "from a.x import one\n",
    "a/x.mojo": (
        "from b.y import two\n\n\ndef one() -> Int:\n    return 1\n\n\ndef sum() -> Int:\n    return one() + two()\n"
    ),
    "b/mojo.toml": manifest("b", a="0.1.0"),
    "b/__init__.mojo": "from .y import two\n",
    "b/y.mojo": "import a\n\n\ndef two() -> Int:\n    return a.one() + 1\n",
    "c/mojo.toml": manifest("c"),
    "c/__init__.mojo": "",
}


@pytest.fixture(params=["0.26.2.0", "1.0.0", "1.2.0"])
def yard(request: pytest.FixtureRequest, tmp_path: Path, make_yard: MakeYard) -> Yard:
    return make_yard(tmp_path / "w", request.param)


def declare(yard: Yard, block: str) -> None:
    path = yard.root / "packyard.toml"
    path.write_text(f"{path.read_text()}\n{block}\n")


def run(yard: Yard, made: dict[str, bytes], program: str) -> str:
    """What a program prints that sees these packages (by import name) and nothing else."""
    place = yard.root.parent / "elsewhere"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for name, data in made.items():
        (place / f"{name}.{extension(yard.version)}").write_bytes(data)
    (place / "main.mojo").write_text(program)
    moved = yard.root.rename(yard.root.with_name("hidden"))
    try:
        done = yard.compile("run", "-I", ".", "main.mojo", cwd=place)
    finally:
        moved.rename(yard.root)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_meta_package_is_imported_by_its_parts(yard: Yard) -> None:
    yard.write(MEMBERS)
    declare(yard, NESTED)
    made = yard.build("mojo:ml-odyssey")
    program = (
        "import ml_odyssey.tensor\nfrom ml_odyssey.nn import two, three, four, five\n"
        "from ml_odyssey.nn.layer import two as also\n\n\n"
        "def main():\n    print(ml_odyssey.tensor.one(), two(), three(), four(), five(), also())\n"
    )
    packages = {"ml_odyssey": made["ml-odyssey"], "base": made["base"]}
    assert run(yard, packages, program) == "1 2 3 4 5 2\n"
    said = json.loads(
        (yard.made["mojo:ml-odyssey"].with_name(f"ml_odyssey.{extension(yard.version)}.json")).read_text()
    )
    assert said["components"] == ["nn", "tensor"]
    assert said["exports"] == {
        "ml_odyssey": [],
        "ml_odyssey.nn": ["five", "four", "three", "two"],
        "ml_odyssey.nn.deep": [],
        "ml_odyssey.nn.deep.leaf": ["FOUR"],
        "ml_odyssey.nn.layer": ["five", "four", "three", "two"],
        "ml_odyssey.tensor": ["Point", "UNIT", "one"],
        "ml_odyssey.tensor.ops": ["Point", "one"],
    }


def test_flat_meta_package_offers_everything_at_its_top(yard: Yard) -> None:
    yard.write(MEMBERS)
    declare(yard, FLAT)
    made = yard.build("mojo:ml-odyssey")
    program = "from ml_odyssey import one, three, Point\n\n\ndef main():\n    print(one(), three(), Point(7).x)\n"
    assert run(yard, {"ml_odyssey": made["ml-odyssey"], "base": made["base"]}, program) == "1 3 7\n"


def test_meta_package_is_the_same_from_another_folder(yard: Yard, tmp_path: Path, make_yard: MakeYard) -> None:
    there = make_yard(tmp_path / "another/quite/deep/folder", yard.version)
    for one in (yard, there):
        one.write(MEMBERS)
        declare(one, NESTED)
    assert yard.build("mojo:ml-odyssey") == there.build("mojo:ml-odyssey")


def test_error_in_a_part_is_shown_at_its_own_place(yard: Yard) -> None:
    yard.write(MEMBERS | {"nn/layer.mojo": MEMBERS["nn/layer.mojo"].replace("return FOUR", "return FOR")})
    declare(yard, NESTED)
    with pytest.raises(ActionError) as caught:
        yard.build("mojo:ml-odyssey")
    assert caught.value.message == f"nn, tensor: does not compile with Mojo {yard.version}"
    assert "\nnn/layer.mojo:17:12: error: use of unknown declaration 'FOR'" in f"\n{caught.value.detail}"


def test_cycle_is_built_by_the_block_that_its_message_prints(yard: Yard) -> None:
    yard.write(CYCLE)
    assert list(yard.build("mojo:c")) == ["c"]
    with pytest.raises(ActionError) as caught:
        yard.build("mojo:a")
    assert caught.value.message == "a/mojo.toml: the packages import each other in a cycle: a -> b -> a"
    block = caught.value.hint.partition("\n\n")[2]
    assert block.startswith("[[meta]]\n")
    declare(yard, block)
    made = yard.build("mojo:w")
    program = "from w.a.x import sum\nimport w.b\n\n\ndef main():\n    print(sum(), w.b.two())\n"
    assert run(yard, made, program) == "3 2\n"


def test_relative_import_out_of_the_package_is_shown_with_what_helps(yard: Yard) -> None:
    yard.write(MEMBERS | {"nn/__init__.mojo": "from ..version import VERSION\n"})
    with pytest.raises(ActionError) as caught:
        yard.build("mojo:nn")
    assert "\nnn/__init__.mojo:1:" in f"\n{caught.value.detail}"
    assert caught.value.hint == (
        "a relative import leads out of the package: compile the folder above it as the package, by [packages]"
    )


def test_manifest_tells_compiler_and_dependencies_by_their_bytes(yard: Yard) -> None:
    yard.write(MEMBERS)
    made = yard.build("mojo:nn")
    path = yard.made["mojo:nn"]
    said = json.loads(path.with_name(f"{path.name}.json").read_text())
    with path.open("rb") as stream:
        header = read_package(stream)
    library = yard.compiler.library()
    assert header.identity == library.identity
    assert said == {
        "format": "mojo-package/1",
        "name": "nn",
        "distribution": "nn",
        "version": "0.1.0",
        "description": "",
        "authors": [],
        "license": "",
        "file": f"nn-0.1.0.{extension(yard.version)}",
        "installed_as": f"nn.{extension(yard.version)}",
        "size": len(made["nn"]),
        "sha256": hashlib.sha256(made["nn"]).hexdigest(),
        "compiler": {
            "version": header.version,
            "identity": header.identity,
            "producer": header.producer,
            "container": header.container,
        },
        "dependencies": [
            {
                "name": "base",
                "distribution": "base",
                "version": "0.1.0",
                "sha256": hashlib.sha256(made["base"]).hexdigest(),
                "range": "",
            },
            {
                "name": "tensor",
                "distribution": "tensor",
                "version": "0.1.0",
                "sha256": hashlib.sha256(made["tensor"]).hexdigest(),
                "range": "0.1.0",
            },
        ],
        "exports": {
            "nn": ["five", "four", "three", "two"],
            "nn.deep": [],
            "nn.deep.leaf": ["FOUR"],
            "nn.layer": ["five", "four", "three", "two"],
        },
        "components": [],
    }
