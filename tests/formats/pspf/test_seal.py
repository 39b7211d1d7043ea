from __future__ import annotations

import hashlib
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from packyard.formats.digest import Digest
from packyard.formats.pspf.contents import contents_digest
from packyard.formats.pspf.seal import seal

NEEDED = ("rm", "find", "sort", "xargs", "mkdir", "mv")
FILES = {"bin/run": b"1", "share/a b": b"2", "share/-x": b"3", "é": b"4"}


def run_seal(tree: Path, digest: Digest, path: str = "/usr/bin:/bin", **how: Any) -> subprocess.CompletedProcess[str]:
    argv = shlex.split(seal(digest, **how)["command"].replace("{workenv}", str(tree)))
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


def test_seal_refuses_a_name_that_could_forge_a_line(tree: Path, digest: Digest) -> None:
    content = (tree / "bin/run").read_bytes()
    (tree / "bin/run").unlink()
    (tree / f"bin/run\n{'0' * 64}  .").write_bytes(content)
    assert run_seal(tree, digest).stderr == "sealed bundle: its content is not the signed one\n"


def tools(folder: Path, *names: str) -> str:
    """A folder that has only these of the host's tools."""
    folder.mkdir()
    for name in names:
        (folder / name).symlink_to(shutil.which(name, path="/usr/bin:/bin") or "")
    return str(folder)


@pytest.mark.parametrize(
    "names", [("sha256sum",), ("openssl", "sed", "sha256sum"), ("openssl", "sha256sum")], ids=["slow", "fast", "no sed"]
)
def test_seal_needs_only_the_common_tools(tree: Path, digest: Digest, tmp_path: Path, names: tuple[str, ...]) -> None:
    path = tools(tmp_path / "tools", *NEEDED, *names)
    assert run_seal(tree, digest, path).returncode == 0
    assert run_seal(tree, Digest("0" * 64), path).returncode == 1


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        (("sha256sum",), "rm"),
        (("rm", "find", "sort", "sha256sum"), "xargs"),
        ((*NEEDED, "sed"), "sha256sum"),
    ],
)
def test_seal_names_the_tool_that_the_host_lacks(
    tree: Path, digest: Digest, tmp_path: Path, names: tuple[str, ...], missing: str
) -> None:
    done = run_seal(tree, digest, tools(tmp_path / "tools", *names))
    assert (done.returncode, done.stderr) == (1, f"sealed bundle: the host has no {missing}\n")


@pytest.mark.parametrize("path", ["", "{tree}/bin", "{tree}/bin:"])
def test_seal_works_on_a_host_without_a_path(tree: Path, digest: Digest, path: str) -> None:
    assert run_seal(tree, digest, path.format(tree=tree)).returncode == 0


def test_openssl_that_does_not_work_is_not_needed(tree: Path, digest: Digest, tmp_path: Path) -> None:
    path = tools(tmp_path / "tools", *NEEDED, "sed", "sha256sum")
    broken = tmp_path / "tools/openssl"
    broken.write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
    broken.chmod(0o755)
    done = run_seal(tree, digest, path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("path", ["{tree}/bin:/usr/bin:/bin", ".:/usr/bin:/bin", "bin:/usr/bin:/bin", "{tree}/bin"])
def test_tools_that_the_content_brings_are_not_asked(tree: Path, digest: Digest, path: str) -> None:
    for name in ("find", "sort", "xargs", "sha256sum", "openssl", "sed"):
        for folder in (tree / "bin", tree):
            (folder / name).write_text(f"#!/bin/sh\necho {digest.hex}\n")
            (folder / name).chmod(0o755)
    assert run_seal(tree, digest, path.format(tree=tree)).returncode == 1


def files(tree: Path) -> set[str]:
    return {path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()}


def test_content_that_passed_moves_to_its_place_and_what_was_for_set_up_is_gone(tree: Path, digest: Digest) -> None:
    done = run_seal(tree, digest, place=".packyard-1", gone=["share"])
    assert (done.returncode, done.stderr) == (0, "")
    assert files(tree) == {".packyard-1/bin/run", ".packyard-1/é"}


def test_content_of_an_earlier_version_goes_first(tree: Path, digest: Digest) -> None:
    (tree / ".packyard-0/bin").mkdir(parents=True)
    (tree / ".packyard-0/bin/run").write_bytes(b"old")
    (tree / ".packyard-bundle").write_bytes(b"old")
    assert run_seal(tree, digest, place=".packyard-1").returncode == 0
    assert files(tree) == {f".packyard-1/{at}" for at in FILES}


def test_content_unpacked_beside_an_earlier_version_replaces_it(tree: Path, digest: Digest) -> None:
    final = tree.parent / "root" / "app"
    fresh = tree.parent / "root" / ".app.pspf" / "tmp" / "123"
    fresh.parent.mkdir(parents=True)
    tree.rename(fresh)
    (final / ".packyard-0").mkdir(parents=True)
    (final / "mine").write_bytes(b"")
    assert run_seal(fresh, digest, place=".packyard-1").returncode == 0
    assert files(fresh) == {f".packyard-1/{at}" for at in FILES}
    assert list(final.iterdir()) == [final / "mine"]


def test_content_that_is_refused_is_removed(tree: Path) -> None:
    (tree / ".packyard-bundle").write_bytes(b"of an earlier version")
    done = run_seal(tree, Digest("0" * 64), place=".packyard-1")
    assert (done.returncode, done.stderr) == (1, "sealed bundle: its content is not the signed one\n")
    assert list(tree.iterdir()) == []
