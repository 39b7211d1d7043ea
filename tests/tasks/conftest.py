from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from packyard.tasks import lock
from packyard.tasks.compiler import toolchain_of
from packyard.tasks.room import Room
from packyard.tasks.target import Pin
from packyard.tasks.toolchain import make_toolchain

from tests.tasks.morloc_remote import Remote, publish_standard
from tests.tasks.yard import Yard

CompilerTree = Callable[[str], Path]


@pytest.fixture(scope="session")
def compiler_tree() -> CompilerTree:
    """The tree of a Mojo compiler by its version, made by the kind `toolchain` itself, once per machine."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "packyard-tests"

    def tree(version: str) -> Path:
        place = cache / toolchain_of(version).replace(":", "-")
        if not place.is_dir():
            cache.mkdir(parents=True, exist_ok=True)
            work = Path(tempfile.mkdtemp(dir=cache))
            made = _install(version, work)
            try:
                made.rename(place)
            except OSError:
                assert place.is_dir()  # another run was first
            shutil.rmtree(work)
        return place

    return tree


def _install(version: str, work: Path) -> Path:
    room = Room(
        inputs=work / "in", outputs=work / "out", scratch=work / "tmp", home=work / "home",
        params={"version": version}, log=work / "log", network=True,
    )  # fmt: skip
    for folder in (room.inputs, room.outputs, room.scratch, room.home):
        folder.mkdir()
    pin = Pin(path="in/pylock.toml", requirements=(f"mojo-compiler=={version}",), python="3.11", platform="")
    lock.resolve(pin, work)
    make_toolchain(room)
    return room.outputs / "toolchain"


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repositories that `remote` copies."""
    return publish_standard(tmp_path_factory.mktemp("morloc") / "remote").folder


@pytest.fixture
def remote(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Remote:
    """Repositories of morloc packages on this machine, and nothing of the user's."""
    monkeypatch.setenv("PACKYARD_CACHE_DIR", os.fspath(tmp_path / "cache"))
    monkeypatch.delenv("MORLOC_HOME", raising=False)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    return Remote(Path(shutil.copytree(published, tmp_path / "remote", symlinks=True)))


@pytest.fixture(scope="session")
def make_yard(compiler_tree: CompilerTree) -> Callable[[Path, str], Yard]:
    """Makes workspaces of Mojo members, each for one version of the compiler."""
    return lambda root, version: Yard(root, version, compiler_tree(version))
