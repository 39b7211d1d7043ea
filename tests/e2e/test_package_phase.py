"""The monorepo that the guides to the package phase describe, with the names and layouts that they print: everything is
made, tried where there is nothing else, and passes the checklist."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from packyard.tasks.kinds.mojo.compiler import Compiler

from tests.conftest import NETWORK, Space

pytestmark = [pytest.mark.real, pytest.mark.long]

ABOUT = """\
version = "0.1.0"
description = "For ML Odyssey"
authors = ["ML Odyssey Contributors"]
license = "BSD-3-Clause"
"""
MEMBERS = ("shared/data", "shared/utils", "shared/training", "src/tensor", "src/nn")
PARTS = ("getting-started", "core", "advanced", "dev")
FILES = {
    "packyard.toml": """\
[workspace]
name = "ml-odyssey"
members = ["shared/*", "src/*"]
distribute = true

[toolchain]
mojo = "1.0.0"

[[meta]]
name = "ml-odyssey"
version = "0.1.0"
description = "All of ML Odyssey"
members = ["data", "training", "utils"]

[[archive]]
name = "ml-odyssey"
version = "0.1.0"
layout = "distribution"
include = ["mojo:tensor", "mojo:nn", "mojo:utils"]

[[archive]]
name = "benchmarks"
version = "0.1.0"
include = ["scripts/benchmarks/", "benchmarks/", "README.md", "LICENSE"]
smoke = ["./scripts/benchmarks/run_all.sh"]

[[docs]]
name = "docs"
version = "0.1.0"
requires = ["mkdocs>=1.6,<2"]
""",
    "shared/data/mojo.toml": (
        f'[project]\nname = "ml-odyssey-data"\n{ABOUT}\n[dependencies]\n# List required packages\n'
    ),
    "shared/data/__init__.mojo": "from .dataset import Dataset\nfrom .loader import DataLoader\n",
    "shared/data/dataset.mojo": "@fieldwise_init\nstruct Dataset(Copyable, Movable):\n    var size: Int\n",
    "shared/data/loader.mojo": (
        "from data.dataset import Dataset\n\n\ndef batches(data: Dataset, size: Int) -> Int:\n"
        "    return (data.size + size - 1) // size\n\n\n"
        "@fieldwise_init\nstruct DataLoader(Movable):\n    var data: Dataset\n"
    ),
    "shared/utils/mojo.toml": f'[project]\nname = "ml-odyssey-utils"\n{ABOUT}',
    "shared/utils/__init__.mojo": "from .numbers import doubled\n",
    "shared/utils/numbers.mojo": "def doubled(n: Int) -> Int:\n    return 2 * n\n",
    "shared/training/mojo.toml": (
        f'[project]\nname = "ml-odyssey-training"\n{ABOUT}\n[dependencies]\nml-odyssey-utils = "0.1.0"\n'
    ),
    "shared/training/__init__.mojo": "from .optimizer import Optimizer\n",
    "shared/training/optimizer.mojo": (
        "from utils import doubled\n\n\n@fieldwise_init\nstruct Optimizer(Movable):\n    var rate: Int\n\n"
        "    def step(self) -> Int:\n        return doubled(self.rate)\n"
    ),
    "src/tensor/mojo.toml": (
        f'examples = ["examples/*.mojo"]\n[project]\nname = "tensor"\n{ABOUT}[packages]\ntensor = "tensor"\n'
    ),
    "src/tensor/tensor/__init__.mojo": "from .ops import add\nfrom .types import Kind\n",
    "src/tensor/tensor/ops.mojo": "def add(a: Int, b: Int) -> Int:\n    return a + b\n",
    "src/tensor/tensor/types.mojo": "comptime Kind = Int\n",
    "src/tensor/examples/tensor_demo.mojo": "from tensor import add\n\n\ndef main():\n    print(add(1, 2))\n",
    "src/nn/mojo.toml": (
        f'examples = ["examples/*.mojo"]\n[project]\nname = "nn"\n{ABOUT}[packages]\nnn = "nn"\n'
        '[dependencies]\ntensor = "0.1.0"\n'
    ),
    "src/nn/nn/__init__.mojo": (
        "from tensor import add\n\n\ndef sum3(a: Int, b: Int, c: Int) -> Int:\n    return add(a, add(b, c))\n"
    ),
    "src/nn/examples/nn_demo.mojo": "from nn import sum3\n\n\ndef main():\n    print(sum3(1, 2, 3))\n",
    **{f"{folder}/README.md": "# Usage\n" for folder in MEMBERS},
    "scripts/benchmarks/run_all.sh": (
        "#!/bin/sh\nset -e\ncat benchmarks/figures.txt\n./scripts/benchmarks/run_benchmark.sh\n"
    ),
    "scripts/benchmarks/run_benchmark.sh": "#!/bin/sh\necho measured\n",
    "scripts/benchmarks/README.md": "# How to run\n",
    "benchmarks/figures.txt": "1 2 3\n",
    "README.md": "# ML Odyssey\n",
    "LICENSE": "BSD 3-Clause\n",
    "CHANGELOG.md": "# Changelog\n\n## [0.1.0] - 2025-11-14\n\n- The first.\n",
    "mkdocs.yml": "site_name: ML Odyssey\ntheme: readthedocs\n",
    "docs/index.md": "# Home\n\n[start](getting-started/index.md)\n",
    **{f"docs/{name}/index.md": f"# {name}\n\n[home](../index.md)\n" for name in PARTS},
}  # fmt: skip


@pytest.fixture(scope="module")
def built(space_in: Callable[[str], Space], compiler_tree: Callable[[str], Path]) -> Space:
    """The monorepo in git, with its workflows, after `packyard check --build`; no test changes it."""
    space = replace(space_in("ml-odyssey"), env=dict(NETWORK))
    for path, text in FILES.items():
        space.write(path, text)
        if text.startswith("#!"):
            (space.root / path).chmod(0o755)
    space.replace("packyard.toml", 'mojo = "1.0.0"', f'mojo = "1.0.0"\nmojo_from = "{compiler_tree("1.0.0")}"')
    space.packyard("ci")
    space.write(".gitignore", "/dist/\n/site/\n/.packyard/\n")
    who = ("-c", "user.name=A", "-c", "user.email=a@b.invalid")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "first"), ("tag", "v0.1.0")):
        subprocess.run(["git", *who, *words], cwd=space.root, check=True, capture_output=True)
    space.packyard("check", "--build", "-q")
    return space


def test_every_item_of_the_checklist_passes(built: Space) -> None:
    items = json.loads(built.packyard("check", "--json", "--tag", "v0.1.0").out)["items"]
    by_subject: dict[str, dict[str, str]] = {}
    for item in items:
        by_subject.setdefault(item["subject"], {})[item["name"]] = item["verdict"]
    assert {verdict for found in by_subject.values() for verdict in found.values()} == {"passed", "skipped"}
    skipped = {name for found in by_subject.values() for name, verdict in found.items() if verdict == "skipped"}
    assert skipped <= {"examples", "executable", "addresses", "tag"}
    mojo = {"artifact", "file name", "imports", "verify script", "manifest", "documentation", "licence", "dependencies"}
    release = {"semantic version", "changelog"}
    passed = {
        subject: {name for name, verdict in found.items() if verdict == "passed"}
        for subject, found in by_subject.items()
    }
    for name in ("data", "utils", "training"):
        assert passed[f"ml-odyssey-{name} 0.1.0"] >= mojo | release
    assert passed["tensor 0.1.0"] >= mojo | release | {"examples"}
    assert passed["benchmarks 0.1.0"] >= release | {"artifact", "clean room", "executable", "documentation", "licence"}
    assert passed["docs 0.1.0"] >= release | {"artifact", "site", "links", "file name"}
    assert passed["ml-odyssey"] >= {
        "workflows", "ignored by git", "not in git", "installation", "overview", "release",
    }  # fmt: skip


def test_deliverables_have_the_names_that_the_guides_print(built: Space) -> None:
    names = set(os.listdir(built.root / "dist"))
    assert names >= {
        "training-0.1.0.mojopkg", "data-0.1.0.mojopkg", "utils-0.1.0.mojopkg", "ml-odyssey-0.1.0.mojopkg",
        "install_verify_data.sh", "install_verify_training.sh", "install_verify_utils.sh", "install_tensor.sh",
        "README.md", "INSTALL.md", "benchmarks-0.1.0.tar.gz", "docs-offline-0.1.0.zip", "ml-odyssey-v0.1.0.tar.gz",
    }  # fmt: skip
    for path in ("index.html", *(f"{part}/index.html" for part in PARTS)):
        assert (built.root / "site" / path).is_file()
    assert {path.name for path in (built.root / ".github/workflows").iterdir()} == {
        "package.yml", "benchmark.yml", "docs.yml",
    }  # fmt: skip
    with tarfile.open(built.root / "dist/ml-odyssey-v0.1.0.tar.gz") as archive:
        assert {name.removeprefix("ml-odyssey-v0.1.0/") for name in archive.getnames() if ".json" not in name} == {
            "packages/tensor.mojopkg", "packages/nn.mojopkg", "packages/utils.mojopkg", "packages/README.md",
            "examples/tensor_demo.mojo", "examples/nn_demo.mojo", "README.md", "LICENSE", "INSTALL.md",
        }  # fmt: skip
    with tarfile.open(built.root / "dist/benchmarks-0.1.0.tar.gz") as archive:
        assert {member.name: bool(member.mode & 0o100) for member in archive} == {
            "scripts/benchmarks/run_all.sh": True, "scripts/benchmarks/run_benchmark.sh": True,
            "scripts/benchmarks/README.md": False, "benchmarks/figures.txt": False, "README.md": False,
            "LICENSE": False,
        }  # fmt: skip
    assert "- BSD-3-Clause: " in built.text("dist/README.md")
    assert re.findall(r"^## (.*)$", built.text("dist/INSTALL.md"), re.M)[:2] == ["data 0.1.0", "ml-odyssey 0.1.0"]


@pytest.mark.parametrize(("name", "program"), [
    ("data", "from data import Dataset, DataLoader\n\n\ndef main():\n    print(Dataset(3).size)\n"),
    ("training", "from training import Optimizer\n\n\ndef main():\n    print(Optimizer(4).step())\n"),
    ("ml-odyssey", "from ml_odyssey.training import Optimizer\n\n\ndef main():\n    print(Optimizer(5).step())\n"),
])  # fmt: skip
def test_receiver_verifies_installs_and_imports(
    built: Space, tmp_path: Path, compiler_tree: Callable[[str], Path], name: str, program: str
) -> None:
    """What `mojo install` and `mojo run -c` are to do, which no compiler has: in an empty folder, from dist/ alone."""
    compiler = Compiler("1.0.0", compiler_tree("1.0.0"))
    words = " ".join(f"{key}='{value}'" for key, value in compiler.environment().items())
    (tmp_path / "mojo").write_text(f'#!/bin/sh\nexec env {words} {compiler.program} "$@"\n')
    (tmp_path / "mojo").chmod(0o755)
    shutil.copytree(built.root / "dist", tmp_path / "dist")
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": str(tmp_path)}

    def run(*words: str | Path) -> str:
        done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert run(f"dist/install_verify_{name}.sh").endswith(" works with this compiler\n")
    run("sh", f"dist/install_{name}.sh")
    (tmp_path / "main.mojo").write_text(program)
    expected = {"data": "3\n", "training": "8\n", "ml-odyssey": "10\n"}[name]
    assert run("mojo", "run", "-I", ".local/lib/mojo", "main.mojo") == expected


def test_documents_alone_are_no_package_phase(built: Space) -> None:
    """Nothing that is only written makes an item of the artifacts pass."""
    other = built.beside("documents-only")
    items = json.loads(other.packyard("check", "--json", "data", status=1).out)["items"]
    assert {item["subject"] for item in items} == {"ml-odyssey-data 0.1.0"}
    failed = {item["name"] for item in items if item["verdict"] == "failed"}
    assert failed == {"artifact", "file name", "imports", "examples", "verify script", "dependencies"}
