from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from packyard.tasks.host.filelock import exclusive
from packyard.tasks.host.machine import host_platform
from packyard.tasks.index import lock
from packyard.tasks.index.pin import Pin
from packyard.tasks.kinds.mojo.compiler import toolchain_of
from packyard.tasks.kinds.mojo.make_toolchain import ToolchainParams, make_toolchain
from packyard.tasks.target.room import Room

from tests.index import Index, serving
from tests.tasks.kinds.morloc.remote import Remote, publish_standard
from tests.tasks.yard import Yard

CompilerTree = Callable[[str], Path]


@pytest.fixture(scope="session")
def compiler_tree() -> CompilerTree:
    """The tree of a Mojo compiler by its version, made by the kind `toolchain` itself, once per machine however many
    processes test at the same time."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "packyard-tests"

    def tree(version: str) -> Path:
        place = cache / toolchain_of(version).replace(":", "-")
        cache.mkdir(parents=True, exist_ok=True)
        with exclusive(cache / f"{place.name}.lock", keep=True):
            if not place.is_dir():
                work = Path(tempfile.mkdtemp(dir=cache))
                _install(version, work).rename(place)
                shutil.rmtree(work)
        return place

    return tree


def _install(version: str, work: Path) -> Path:
    platform = host_platform()
    room = Room(
        inputs=work / "in", outputs=work / "out", scratch=work / "tmp", home=work / "home",
        params=ToolchainParams(version=version, platform=platform), log=work / "log", network=True,
    )  # fmt: skip
    for folder in (room.inputs, room.outputs, room.scratch, room.home):
        folder.mkdir()
    pin = Pin(path="in/pylock.toml", requirements=(f"mojo-compiler=={version}",), python="3.11", platform=platform)
    lock.resolve(pin, work, downloads=work / "downloads")
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
def make_yard(compiler_tree: CompilerTree, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, str], Yard]:
    """Makes workspaces of Mojo members, each for one version of the compiler. Programs of one version share a home, in
    which the compiler remembers what it has compiled: a start costs 0.6 s instead of 2.7 s."""
    homes: dict[str, Path] = {}

    def make(root: Path, version: str) -> Yard:
        if version not in homes:
            homes[version] = tmp_path_factory.mktemp("home")
        return Yard(root, version, compiler_tree(version), homes[version])

    return make


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """An index that uv and we ask, and nothing of what this machine has."""
    for name in [name for name in os.environ if name.startswith(("UV_", "PIP_")) or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("PACKYARD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr("packyard.tasks.index.download._PAUSES", (0, 0))
    with serving(Index()) as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        yield index
