from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uv
from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import compressing
from packyard.formats.archive.tarball import write_tar
from packyard.formats.pspf import Build, Execution, Metadata, Slot, key_from_seed, write_bundle

WriteTgz = Callable[[str, dict[str, bytes]], Path]
MakeBundle = Callable[..., Path]


@pytest.fixture
def write_tgz(tmp_path: Path) -> WriteTgz:
    """Write files (path -> content; those in bin/ executable) as a .tar.gz."""

    def write(name: str, files: dict[str, bytes]) -> Path:
        path = tmp_path / name
        entries = [Entry(at, content, at.startswith("bin/")) for at, content in files.items()]
        with path.open("wb") as out, compressing(out) as packed:
            write_tar(entries, packed)
        return path

    return write


@pytest.fixture
def draft() -> Metadata:
    """Metadata of a small application: a tree and a file."""
    return Metadata(
        name="app",
        version="1.0",
        slots=(
            Slot(id="app", target="{workenv}", operations="tgz", purpose="code", permissions="0755"),
            Slot(id="notes", target="{workenv}/doc/notes.txt", purpose="data"),
        ),
        execution=Execution(command="/bin/sh {workenv}/bin/run"),
        build=Build(tool="packyard", os="linux", arch="amd64"),
    )


@pytest.fixture
def make_bundle(tmp_path: Path, draft: Metadata, write_tgz: WriteTgz) -> MakeBundle:
    """Write a small bundle: `launcher` is a file or bytes, `seed` the key's, the rest changes the draft."""

    def make(
        name: str = "app.psp", *, launcher: Path | bytes = b"not really a launcher", seed: str = "s1", **changes: Any
    ) -> Path:
        notes = tmp_path / "notes.txt"
        notes.write_bytes(b"a file of its own\n")
        if isinstance(launcher, bytes):
            (tmp_path / "launcher").write_bytes(launcher)
            launcher = tmp_path / "launcher"
        slots = changes.pop("files", None) or [
            write_tgz("app.tar.gz", {"bin/run": b'#!/bin/sh\necho "ran $*"\n', "share/text": b"text\n"}),
            notes,
        ]
        out = tmp_path / name
        write_bundle(out, launcher=launcher, metadata=replace(draft, **changes), slots=slots, key=key_from_seed(seed))
        return out

    return make


@pytest.fixture(scope="session")
def flavorpack() -> Path:
    """The bin folder of an environment with FlavorPack 0.5.4, made once per machine."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "packyard-tests"
    place = cache / f"flavorpack-0.5.4-python{sys.version_info.major}.{sys.version_info.minor}"
    if not place.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=cache))
        tool = uv.find_uv_bin()
        subprocess.run([tool, "venv", "-q", "--relocatable", "--python", sys.executable, work], check=True)
        subprocess.run([tool, "pip", "install", "-q", "--python", work, "flavorpack==0.5.4"], check=True)
        for program in (work / "lib").glob("python*/site-packages/flavor/helpers/bin/*"):
            program.chmod(0o755)
        try:
            work.rename(place)
        except OSError:
            shutil.rmtree(work)  # another run was first
    return place / "bin"


def helper(flavorpack: Path, language: str, role: str) -> Path:
    """FlavorPack's 'launcher' or 'builder' in a language, 'rs' or 'go'."""
    (found,) = flavorpack.parent.glob(f"lib/python*/site-packages/flavor/helpers/bin/flavor-{language}-{role}-*")
    return found
