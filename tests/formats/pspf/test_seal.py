from __future__ import annotations

import hashlib
import shlex
import subprocess
from pathlib import Path

import pytest
from packyard.formats.digest import Digest
from packyard.formats.pspf.contents import contents_digest
from packyard.formats.pspf.seal import seal

FILES = {"bin/run": b"1", "share/a b": b"2", "share/-x": b"3", "é": b"4"}


def run_seal(tree: Path, digest: Digest, path: str = "/usr/bin:/bin") -> subprocess.CompletedProcess[str]:
    argv = shlex.split(seal(digest)["command"].replace("{workenv}", str(tree)))
    return subprocess.run(argv, env={"PATH": path}, capture_output=True, text=True, check=False)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for at, content in FILES.items():
        path = tmp_path / "work env" / at
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "work env"


@pytest.fixture
def digest() -> Digest:
    return contents_digest({at: hashlib.sha256(content).hexdigest() for at, content in FILES.items()})


def test_seal_passes_the_signed_content(tree: Path, digest: Digest) -> None:
    done = run_seal(tree, digest)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_seal_refuses_a_changed_an_added_a_missing_and_a_linked_file(tree: Path, digest: Digest) -> None:
    (tree / "bin/run").write_bytes(b"0")
    assert run_seal(tree, digest).stderr == "sealed bundle: its content is not the signed one\n"
    (tree / "bin/run").write_bytes(b"1")
    (tree / "more").write_bytes(b"")
    assert run_seal(tree, digest).returncode == 1
    (tree / "more").unlink()
    (tree / "link").symlink_to("bin/run")
    assert run_seal(tree, digest).returncode == 1
    (tree / "link").unlink()
    (tree / "bin/run").unlink()
    assert run_seal(tree, digest).returncode == 1


def test_seal_names_the_tool_that_the_host_lacks(tree: Path, digest: Digest, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sha256sum").symlink_to("/usr/bin/sha256sum")
    done = run_seal(tree, digest, path=str(tmp_path / "bin"))
    assert (done.returncode, done.stderr) == (1, "sealed bundle: the host has no find\n")
