"""The script, run by every POSIX shell that this machine has."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from packyard.tasks.texts.installscript import Placed, install_script

TOOLS = [
    "sh", "dirname", "basename", "cut", "sha256sum", "mktemp", "rm", "mkdir", "cp", "mv", "chmod", "find", "sort", "tr",
    "cat", "grep", "rmdir", "gzip", "tar",
]  # fmt: skip
SHELLS = [shell for shell in (["sh"], ["bash", "--posix"], ["busybox", "sh"]) if shutil.which(shell[0])]


@dataclass(frozen=True, slots=True)
class Offer:
    """A folder with files and the scripts that install them, and an empty home."""

    folder: Path
    home: Path
    shell: list[str]

    def script(self, name: str, *pieces: tuple[str, str, str], title: str = "") -> Path:
        placed = [Placed(file=file, sha256=digest(self.folder / file), how=how, to=to) for file, how, to in pieces]
        path = self.folder / f"install_{name}.sh"
        path.write_text(install_script(name, title or f"{name} 1.0.0", placed))
        path.chmod(0o755)
        return path

    def run(self, script: Path, *words: str, status: int = 0, **env: str) -> str:
        """What it says, with short names for the folders."""
        done = subprocess.run(
            [*self.shell, str(script), *words], env={"PATH": os.environ["PATH"], "HOME": str(self.home), **env},
            cwd=self.home, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == status, done.stdout + done.stderr
        said = done.stderr if status else done.stdout + done.stderr
        return said.replace(str(self.home), "~").replace(str(self.folder), "FROM")

    def placed(self) -> dict[str, str]:
        found = [path for path in sorted(self.home.rglob("*")) if path.is_file() and "packyard" not in path.parts]
        return {path.relative_to(self.home).as_posix(): path.read_text() for path in found}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(params=SHELLS, ids=lambda shell: shell[0])
def offer(tmp_path: Path, request: pytest.FixtureRequest) -> Offer:
    for name in ("from it's", "home"):
        (tmp_path / name).mkdir()
    return Offer(tmp_path / "from it's", tmp_path / "home", request.param)


def program(offer: Offer, text: str = "one") -> Path:
    (offer.folder / "tool-1.0.0.psp").write_text(text)
    return offer.script("tool", ("tool-1.0.0.psp", "program", "bin/tool"))


def packages(offer: Offer, *names: str) -> Path:
    for name in names:
        (offer.folder / f"{name}-1.0.0.mojopkg").write_text(name)
    return offer.script(names[0], *((f"{name}-1.0.0.mojopkg", "copy", f"lib/mojo/{name}.mojopkg") for name in names))


def test_file_is_installed_and_removed(offer: Offer) -> None:
    script = program(offer)
    assert offer.run(script, "--dry-run") == "would install ~/.local/bin/tool\n"
    assert list(offer.home.iterdir()) == []
    assert offer.run(script) == "installed ~/.local/bin/tool\n"
    assert (offer.home / ".local/bin/tool").stat().st_mode & 0o777 == 0o755
    record = (offer.home / ".local/share/packyard/tool").read_text()
    assert record == f"{digest(offer.folder / 'tool-1.0.0.psp')}  bin/tool\n"
    assert offer.run(script) == "installed ~/.local/bin/tool\n"
    assert offer.run(script, "--uninstall", "--dry-run") == "would remove ~/.local/bin/tool\n"
    assert offer.placed() == {".local/bin/tool": "one"}
    assert offer.run(script, "--uninstall") == "removed  ~/.local/bin/tool\n"
    assert list((offer.home / ".local").iterdir()) == []
    assert offer.run(script, "--uninstall", status=1) == "error: tool 1.0.0 is not installed in ~/.local\n"


def test_prefix_and_source_may_be_elsewhere(offer: Offer) -> None:
    script = program(offer)
    moved = shutil.move(script, offer.home / "script.sh")
    assert offer.run(Path(moved), status=1) == "error: tool-1.0.0.psp is not in ~\n"
    said = offer.run(Path(moved), "--prefix", "a b", "--from", str(offer.folder))
    assert said == "installed ~/a b/bin/tool\n"
    assert "removed" in offer.run(Path(moved), "--prefix=a b", "--uninstall")
    assert offer.run(Path(moved), HOME="", status=1) == "error: HOME is not set; name a folder with --prefix\n"


@pytest.mark.parametrize("words", [["--nope"], ["--prefix"], ["file"]])
def test_wrong_words_are_told(offer: Offer, words: list[str]) -> None:
    assert offer.run(program(offer), *words, status=2).startswith("usage: FROM/install_tool.sh [--prefix DIR] [--from")
    assert "Installs tool 1.0.0." in offer.run(program(offer), "--help")


def test_altered_file_is_refused_before_anything_is_written(offer: Offer) -> None:
    script = packages(offer, "nn", "tensor")
    sum_before = digest(offer.folder / "tensor-1.0.0.mojopkg")
    (offer.folder / "tensor-1.0.0.mojopkg").write_text("altered")
    assert offer.run(script, status=1) == (
        f"error: FROM/tensor-1.0.0.mojopkg is not the file that was built (its SHA-256 is not {sum_before})\n"
    )
    assert list(offer.home.iterdir()) == []


def test_files_of_others_are_never_replaced(offer: Offer) -> None:
    script = packages(offer, "nn", "tensor")
    place = offer.home / ".local/lib/mojo"
    place.mkdir(parents=True)
    (place / "tensor.mojopkg").write_text("mine")
    assert offer.run(script, status=1) == (
        "error: ~/.local/lib/mojo/tensor.mojopkg exists and was not installed by this script: move it away\n"
    )
    assert offer.placed() == {".local/lib/mojo/tensor.mojopkg": "mine"}
    (place / "tensor.mojopkg").unlink()
    (place / "tensor.mojopkg").mkdir()
    assert "is a folder, but a file must go there" in offer.run(script, status=1)


def test_changed_file_is_kept(offer: Offer) -> None:
    script = program(offer)
    offer.run(script)
    (offer.home / ".local/bin/tool").write_text("changed")
    newer = program(offer, "two")
    assert offer.run(newer, status=1) == ("error: ~/.local/bin/tool was changed since it was installed: move it away\n")
    assert offer.run(newer, "--uninstall") == "kept     ~/.local/bin/tool (it was changed)\n"
    assert offer.placed() == {".local/bin/tool": "changed"}


def test_shared_file_stays_until_nobody_needs_it(offer: Offer) -> None:
    tensor, nn = packages(offer, "tensor"), packages(offer, "nn", "tensor")
    offer.run(tensor)
    offer.run(nn)
    assert offer.run(nn, "--uninstall") == (
        "removed  ~/.local/lib/mojo/nn.mojopkg\nkept     ~/.local/lib/mojo/tensor.mojopkg (others need it)\n"
    )
    offer.run(nn)
    (offer.folder / "tensor-1.0.0.mojopkg").write_text("tensor 2")
    newer = offer.script("tensor", ("tensor-1.0.0.mojopkg", "copy", "lib/mojo/tensor.mojopkg"))
    assert "tensor.mojopkg also belongs to nn tensor and must stay as it is" in offer.run(newer, status=1)
    offer.run(nn, "--uninstall")
    assert offer.run(newer) == "installed ~/.local/lib/mojo/tensor.mojopkg\n"


def test_newer_version_takes_the_place_of_the_older(offer: Offer) -> None:
    for version, files in (("1", {"a.txt": "a", "old/b b.txt": "b"}), ("2", {"a.txt": "a 2", "new/c.txt": "c"})):
        with tarfile.open(offer.folder / f"box-{version}.tar.gz", "w:gz") as archive:
            for name, text in files.items():
                (offer.folder / "x").write_text(text)
                (offer.folder / "x").chmod(0o755 if name == "a.txt" else 0o644)
                archive.add(offer.folder / "x", name)
    old = offer.script("box", ("box-1.tar.gz", "tar", "share/box"))
    assert offer.run(old) == "installed ~/.local/share/box/a.txt\ninstalled ~/.local/share/box/old/b b.txt\n"
    assert (offer.home / ".local/share/box/a.txt").stat().st_mode & 0o777 == 0o755
    new = offer.script("box", ("box-2.tar.gz", "tar", "share/box"))
    assert offer.run(new).endswith("removed  ~/.local/share/box/old/b b.txt\n")
    assert offer.placed() == {".local/share/box/a.txt": "a 2", ".local/share/box/new/c.txt": "c"}
    assert not (offer.home / ".local/share/box/old").exists()
    offer.run(new, "--uninstall")
    assert offer.placed() == {}


def test_zip_is_unpacked_with_whatever_is_there(offer: Offer, tmp_path: Path) -> None:
    with zipfile.ZipFile(offer.folder / "docs.zip", "w") as archive:
        archive.writestr("site/index.html", "page")
    script = offer.script("docs", ("docs.zip", "zip", "share/doc/docs"))
    offer.run(script)
    assert offer.placed() == {".local/share/doc/docs/site/index.html": "page"}
    if offer.shell != ["sh"]:
        return
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in TOOLS:
        (tools / tool).symlink_to(str(shutil.which(tool)))
    assert offer.run(script, "--prefix", "two", PATH=str(tools), status=1) == (
        "error: unzip is not installed; it is needed to unpack docs.zip\n"
    )
    assert not (offer.home / "two").exists()


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_script_is_clean(tmp_path: Path) -> None:
    placed = [
        Placed(file=f"a'b {how}", sha256="0" * 64, how=how, to="x y") for how in ("copy", "program", "tar", "zip")
    ]
    (tmp_path / "install.sh").write_text(install_script("x", "it's 1.0", placed, ["a note"]))
    done = subprocess.run(
        ["shellcheck", "--shell=sh", "--enable=all", "--exclude=SC2250,SC2310,SC2312,SC2292", tmp_path / "install.sh"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")
