"""The package phase as its users and their machines go through it: the workflows' own steps, run in a fresh clone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from packyard.formats.units import size_text
from packyard.tasks.host.own import version

from tests.conftest import Ran, Space

pytestmark = [
    pytest.mark.real,
    pytest.mark.long,
    pytest.mark.skipif(not version()[:1].isdigit() or " " in version(), reason="Packyard is not installed"),
]

FILES = {
    "packyard.toml": """\
[workspace]
name = "odyssey"
members = ["mojo/*"]

[toolchain]
mojo = "1.0.0"

[[archive]]
name = "odyssey"
version = "0.1.0"
layout = "distribution"
include = ["mojo:tensor", "scripts"]
smoke = ["./scripts/benchmarks/run_all.sh"]

[[docs]]
name = "manual"
version = "0.1.0"
""",
    "mkdocs.yml": "site_name: Odyssey\n",
    "docs/index.md": "# Odyssey\n\n[Start](start.md#first)\n",
    "docs/start.md": "# Start\n\n## First\n",
    "mojo/tensor/mojo.toml": """\
[project]
name = "tensor"
version = "0.1.0"
description = "One"
authors = ["A"]
license = "MIT"
examples = ["examples/*.mojo"]
""",
    "mojo/tensor/__init__.mojo": "def one() -> Int:\n    return 1\n",
    "mojo/tensor/examples/demo.mojo": "from tensor import one\n\n\ndef main():\n    print(one())\n",
    "mojo/tensor/README.md": "# tensor\n",
    "scripts/benchmarks/run_all.sh": "#!/bin/sh\necho one is $(mojo run -I packages examples/demo.mojo)\n",
    "README.md": "# Odyssey\n\n## Install\n\nSee the archive.\n",
    "LICENSE": "free\n",
    "CHANGELOG.md": "# Changes\n\n## [0.1.0] - 2026-01-01\n\n- One.\n",
    ".gitignore": "/dist/\n/site/\n/.packyard/\n",
}


@pytest.fixture(scope="module")
def clone(space_in: Callable[[str], Space]) -> Space:
    """A fresh clone of a workspace that was tagged, with its workflows."""
    origin = space_in("origin")
    for path, text in FILES.items():
        origin.write(path, text)
    (origin.root / "scripts/benchmarks/run_all.sh").chmod(0o755)
    assert origin.packyard("ci").out == (
        "wrote    .github/workflows/package.yml\nwrote    .github/workflows/benchmark.yml\n"
        "wrote    .github/workflows/docs.yml\n"
    )
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "first"), ("tag", "v0.1.0")):
        _git(origin.root, *words)
    space = space_in("clone")
    _git(space.root, "clone", "-q", os.fspath(origin.root), ".")
    return space


def _git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=A", "-c", "user.email=a@b.invalid")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def steps(space: Space, workflow: str, job: str) -> list[dict[str, Any]]:
    """The steps of a job that are scripts."""
    found = yaml.safe_load(space.text(f".github/workflows/{workflow}.yml"))["jobs"][job]["steps"]
    return [step for step in found if "run" in step]


def run(space: Space, step: dict[str, Any]) -> Ran:
    """Run a step as the runner does: by bash, in the checkout, with what the expressions of its environment mean."""
    summary = space.home / "summary.md"
    summary.touch()
    tools = space.home / "bin"
    tools.mkdir(exist_ok=True)
    for name in ("python", "packyard"):
        target = sys.executable if name == "python" else os.fspath(Path(sys.executable).with_name("packyard"))
        if not (tools / name).exists():
            (tools / name).write_text(f'#!/bin/sh\nexec "{target}" "$@"\n')
            (tools / name).chmod(0o755)
    meaning = {"${{ github.ref_name }}": "v0.1.0", "${{ github.token }}": "secret-token"}
    environment = {name: meaning[value] for name, value in step.get("env", {}).items()}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=space.root,
        env={
            **space.environment,
            "PATH": f"{tools}:{os.environ['PATH']}",
            "GITHUB_STEP_SUMMARY": os.fspath(summary),
            "GITHUB_REPOSITORY": "a/odyssey",
            **environment,
        },
        capture_output=True, text=True, timeout=300, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, f"{step['run']}\n{done.stdout}\n{done.stderr}"
    return Ran(status=done.returncode, out=done.stdout, err=done.stderr)


@pytest.fixture(scope="module")
def packaged(clone: Space) -> tuple[Space, dict[str, Ran]]:
    """The clone after every step of package.yml."""
    return clone, {step["name"]: run(clone, step) for step in steps(clone, "package", "package")}


def test_package_workflow_builds_tries_and_tells(packaged: tuple[Space, dict[str, Ran]]) -> None:
    space, done = packaged
    assert list(done) == [
        "Install Packyard",
        "Build packages",
        "Verify them in clean rooms, and go through the checklist",
        "Compare the tag with the version",
        "Summarize what was built",
        "Keep the store small",
    ]
    assert {"archive:odyssey", "docs:manual", "mojo:tensor", "toolchain:mojo-1.0.0"} <= set(done["Build packages"].ran)
    checked = done["Verify them in clean rooms, and go through the checklist"]
    assert sorted(checked.ran) == ["cleanroom:odyssey", "cleanroom:tensor"]
    assert " 0 failed" in checked.out.splitlines()[-1]
    summary = (space.home / "summary.md").read_text()
    assert "| `dist/tensor-0.1.0.mojopkg` | " in summary
    assert "| `dist/odyssey-v0.1.0.tar.gz` | " in summary
    assert (space.root / "dist/install_verify_tensor.sh").is_file()
    space.expect_nothing()


def test_release_job_attaches_what_was_made(packaged: tuple[Space, dict[str, Ran]]) -> None:
    space, _ = packaged
    (step,) = steps(space, "package", "release")
    fake = space.home / "bin" / "gh"  # the real one would publish
    fake.write_text('#!/bin/sh\n[ "$GH_TOKEN" = secret-token ]\nprintf "%s\\n" "$@"\n')
    fake.chmod(0o755)
    words = run(space, step).out.splitlines()
    assert words[:3] == ["release", "create", "v0.1.0"]
    assert {"dist/tensor-0.1.0.mojopkg", "dist/odyssey-v0.1.0.tar.gz"} <= set(words)
    assert words[-4:] == ["--repo", "a/odyssey", "--verify-tag", "--generate-notes"]


def test_benchmark_workflow_shows_what_the_archive_measured(packaged: tuple[Space, dict[str, Ran]]) -> None:
    space, _ = packaged
    done = [run(space, step) for step in steps(space, "benchmark", "benchmark")]
    assert "  passed  ./scripts/benchmarks/run_all.sh runs\n" in done[-1].out
    assert "\none is 1\n" in done[-1].out


def test_docs_workflow_builds_the_site_that_it_uploads(packaged: tuple[Space, dict[str, Ran]]) -> None:
    space, _ = packaged
    done = [run(space, step) for step in steps(space, "docs", "build")]
    assert done[-1].out.startswith("nothing to do: ")  # package.yml made it before
    assert "<title>Odyssey</title>" in space.text("site/index.html")
    assert "\n  passed  the links between its " in space.packyard("verify", "docs:manual").out
    items = json.loads(space.packyard("check", "--json", "manual").out)["items"]
    found = {item["name"]: (item["verdict"], item["text"]) for item in items}
    assert found["file name"] == ("passed", "docs-offline-0.1.0.zip")
    assert found["site"][0] == found["links"][0] == "passed"
    assert found["addresses"] == ("skipped", "other hosts were not checked: packyard check --online")
    size = sum(map(len, space.files("site").values()))
    assert f"| `site/` | {size_text(size)} | `" in space.packyard("check", "--summary").out


def test_check_of_a_mojo_package_passes_item_by_item(packaged: tuple[Space, dict[str, Ran]]) -> None:
    items = json.loads(packaged[0].packyard("check", "--json", "tensor").out)["items"]
    assert {item["name"]: item["text"] for item in items if item["verdict"] == "passed"} == {
        "artifact": items[0]["text"],
        "file name": "tensor-0.1.0.mojopkg",
        "imports": "1 import in a clean room",
        "examples": "1 example in a clean room",
        "verify script": "dist/install_verify_tensor.sh",
        "manifest": "mojo/tensor/mojo.toml",
        "documentation": "mojo/tensor/README.md",
        "licence": "MIT, LICENSE",
        "dependencies": "dist/tensor-0.1.0.mojopkg.json: none",
        "semantic version": "0.1.0",
        "changelog": "CHANGELOG.md: [0.1.0] - 2026-01-01",
    }
    assert items[0]["text"].startswith("dist/tensor-0.1.0.mojopkg, ")


def test_verify_tries_a_package_with_the_workspaces_compiler_and_examples(
    packaged: tuple[Space, dict[str, Ran]], tmp_path: Path
) -> None:
    space, _ = packaged
    done = space.packyard("verify", "mojo:tensor")
    assert done.out.startswith("dist/tensor-0.1.0.mojopkg: works\n\ntensor 0.1.0, in a clean room with Mojo 1.0.0\n")
    assert "  passed  examples/demo.mojo runs\n" in done.out
    for end in ("mojopkg", "mojopkg.json"):
        shutil.copy(space.root / f"dist/tensor-0.1.0.{end}", tmp_path)
    received = tmp_path / "tensor-0.1.0.mojopkg"
    assert "  passed  from tensor import one\n\n" in space.packyard("verify", str(received)).out

    def alone(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "packyard.tasks", "verify", received.name, *words],
            cwd=tmp_path,
            env={**space.environment, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )

    compiler = next(space.store.glob("tree/*/bin/mojo"))
    assert alone("--compiler", os.fspath(compiler)).stdout.endswith("\n2 of 2 checks passed\n")
    without = alone()
    assert without.returncode == 1
    assert without.stdout.startswith(
        "tensor-0.1.0.mojopkg: there is no Mojo compiler to verify it with; it requires Mojo 1.0.0"
    )
    assert without.stdout.endswith("\n  hint: name one with --compiler\n")
