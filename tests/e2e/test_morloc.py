"""morloc packages by the installed command: planes of two machines, and installations that are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Space
from tests.tasks.kinds.morloc.corpus import SOUND, manifest, module, write_corpus, write_package

PLANE = "dist/corpus-default.plane.tar.gz"
INSTALLED = "src/morloc/plane/default"


@pytest.fixture
def space(make_space: Callable[[str], Space]) -> Space:
    """A workspace of sound packages that need no others: those of the corpus, and stand-ins for the standard ones."""
    space = make_space("corpus")
    write_corpus(space.root, SOUND)
    for name in ("root", "root-py", "root-cpp", "root-r"):
        write_package(space.root / "m" / name, {"package.yaml": manifest(name), "main.loc": module(name)})
    return space


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_planes_of_two_machines_are_the_same_bytes_and_work_read_only(space: Space) -> None:
    assert space.packyard("lint").out == "nothing found\n"
    space.packyard("lock")
    other = space.beside("another-machine", PYTHONHASHSEED="7", TZ="Asia/Tokyo", LC_ALL="C")
    other.env["PACKYARD_CACHE_DIR"] = str(space.home / "other-cache")
    old = os.umask(0o077)
    try:
        other.packyard("--locked", "plane:default")
    finally:
        os.umask(old)
    space.packyard("--locked", "plane:default")
    assert space.read(PLANE) == other.read(PLANE)
    assert space.packyard("plane:default").out.startswith("nothing to do: ")
    assert "cleanroom:vec-py" in space.packyard("cleanroom:vec-py").ran
    assert "  passed  4 packages as locked, file by file\n" in space.text(
        "dist/vec-py-0.1.0.morloc.tar.gz.cleanroom.txt"
    )
    space.packyard("install", PLANE, "--to", "home")
    other.packyard("install", PLANE, "--to", "home")
    assert tree(space.root / "home") == tree(other.root / "home")
    # No compiler of morloc can be had for tests; a stand-in tells that each package is shown to it.
    tools = space.root / "tools"
    space.write("tools/morloc", '#!/bin/sh\n[ "$1" = typecheck ] && [ -f "$4" ] && echo "$PWD" >> "$HOME/seen"\n')
    (tools / "morloc").chmod(0o755)
    words = ["sh", "-ec", f'PATH={tools}:$PATH exec "$0" "$@"', *space.command, "verify", "--plane", "home"]
    count = len(SOUND) + 4
    done = subprocess.run(
        ["bwrap", "--dev-bind", "/", "/", "--ro-bind", space.root / "home", space.root / "home", *words]
        if _may_mount() else words,
        cwd=space.root, env=space.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, f"{count} packages as locked and typecheck\n"), done.stderr
    assert len((space.home / "seen").read_text().splitlines()) == count


def _may_mount() -> bool:
    try:
        return subprocess.run(["bwrap", "--dev-bind", "/", "/", "true"], check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.long
def test_installation_killed_anywhere_leaves_a_whole_plane(space: Space) -> None:
    """However far it came: what programs see is the old plane or the new one, and the next command ends the rest."""
    space.packyard("install", *SOUND, "--to", "home")
    old = tree(space.root / "home" / INSTALLED)
    for name in SOUND:
        text = space.text(f"m/{name}/package.yaml")
        space.write(f"m/{name}/package.yaml", text.replace("version: 0.1.0", "version: 0.2.0"))
    start = time.monotonic()
    space.start("install", *SOUND, "--to", "reference").communicate()
    whole = time.monotonic() - start
    new = tree(space.root / "reference" / INSTALLED)
    assert old != new
    for part in (0.3, 0.5, 0.6, 0.7, 0.8, 0.9):
        child = space.start("install", *SOUND, "--to", "home")
        time.sleep(whole * part)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        assert tree(space.root / "home" / INSTALLED) in (old, new)
    space.packyard("install", *SOUND, "--to", "home")
    assert tree(space.root / "home") == tree(space.root / "reference")
    assert space.packyard("verify", "--plane", "home").out == f"{len(SOUND) + 4} packages as locked\n"
