"""`packyard lock`."""

from __future__ import annotations

import hashlib
import io
import tarfile
import tomllib
from pathlib import Path

import pytest
from packyard.formats.python.pylock import read_pylock, stamp_pylock
from packyard.tasks.index import lock as locks

from tests.tasks.commands.conftest import Space

PROJECT = """\
[build-system]
requires = ["flit_core>=3.11"]
build-backend = "flit_core.buildapi"

[project]
name = "web"
version = "1.0.0"
dependencies = ["click>=8.1"]

[project.scripts]
web = "web:main"

[tool.flavor]
entry_point = "web:main"

[tool.flavor.build]
pip = false
"""
PYTHON = "3.11"


@pytest.fixture
def python(space: Space) -> Space:
    """A workspace with one application and a Mojo compiler."""
    space.write(
        "packyard.toml",
        f'[workspace]\nname = "python"\nmembers = ["web"]\n\n[toolchain]\nmojo = "1.0.0"\npython = "{PYTHON}"\n',
    )
    space.write("web/pyproject.toml", PROJECT)
    return space


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Answers in place of the package index: every distribution asked for is at the version that stands here."""
    versions = {"click": "8.2.0", "flit-core": "3.12.0", "mojo-compiler": "1.0.0"}

    def text(pin: locks.Pin, root: Path, earlier: str = "", *, downloads: Path, upgrade: object = ()) -> str:
        names = [requirement.partition(">")[0].partition("=")[0].replace("_", "-") for requirement in pin.requirements]
        packages = "".join(f'[[packages]]\nname = "{name}"\nversion = "{versions[name]}"\n' for name in names)
        return stamp_pylock(f'lock-version = "1.0"\n{packages}', requirements=pin.requirements, python=pin.python)

    monkeypatch.setattr(locks, "resolved_text", text)
    return versions


WROTE = """\
wrote    web/pylock.toml  1 distribution
wrote    web/pylock.build.toml  1 distribution
wrote    pylock.mojo.toml  1 distribution
wrote    packyard.lock  Mojo 1.0.0
"""


def test_lock_writes_what_runs_what_builds_and_the_compiler(python: Space, resolver: dict[str, str]) -> None:
    assert python.output("lock") == WROTE
    assert read_pylock(Path("web/pylock.toml").read_text(), "").packages == (("click", "8.2.0"),)
    assert tomllib.loads(Path("packyard.lock").read_text()) == {
        "toolchain": [{"mojo": "1.0.0", "lock": "pylock.mojo.toml"}]
    }
    assert python.output("lock") == WROTE.replace("wrote", "kept ")
    assert python.output("lock", "--check") == "the locks fit (3 pylocks, packyard.lock)\n"


def test_locks_of_an_application_in_no_workspace_lie_beside_its_manifest(
    python: Space, resolver: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("packyard.toml").unlink()
    monkeypatch.chdir("web")
    said = "wrote    pylock.toml  1 distribution\nwrote    pylock.build.toml  1 distribution\n"
    assert python.output("lock") == said
    assert read_pylock(Path("pylock.toml").read_text(), "").packages == (("click", "8.2.0"),)
    assert python.output("lock", "--check") == "the locks fit (2 pylocks)\n"


def test_lock_keeps_sources_in_the_cache_that_the_workspace_names(
    python: Space, resolver: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PACKYARD_CACHE_DIR")
    python.write("packyard.toml", Path("packyard.toml").read_text() + '[cache]\ndirectory = "kept"\n')
    asked: list[Path] = []
    answered = locks.resolved_text

    def listening(*words: object, downloads: Path, **more: object) -> str:
        asked.append(downloads)
        return answered(*words, downloads=downloads, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(locks, "resolved_text", listening)
    python.output("lock")
    assert {*asked} == {python.root / "kept/store/v2/download"}


def test_lock_tells_which_versions_changed(python: Space, resolver: dict[str, str]) -> None:
    python.output("lock")
    resolver["click"] = "8.3.0"
    assert python.output("lock", "web", "--upgrade", "click") == (
        "wrote    web/pylock.toml  1 distribution\n"
        "           click 8.2.0 -> 8.3.0\n"
        "kept     web/pylock.build.toml  1 distribution\n"
    )


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("clik", "did you mean 'click'?"),
        ("web", "to upgrade everything of a member: 'packyard lock web --upgrade'"),
        ("zzz", "locks list what they hold as [[packages]]"),
    ],
)
def test_lock_refuses_to_upgrade_what_no_lock_holds(
    python: Space, resolver: dict[str, str], name: str, hint: str
) -> None:
    python.output("lock")
    assert python.run("lock", "--upgrade", name) == (
        2,
        "",
        f"error: --upgrade: {name!r} is not in any lock\n  hint: {hint}\n",
    )
    assert python.output("lock", "--upgrade", "Flit_Core") == WROTE.replace("wrote", "kept ")


def test_lock_replaces_one_that_cannot_be_read(python: Space, resolver: dict[str, str]) -> None:
    python.write("web/pylock.toml", "<<<<<<< a conflict")
    assert python.output("lock") == WROTE


def test_lock_keeps_what_else_packyard_lock_says(python: Space, resolver: dict[str, str]) -> None:
    interpreter = (
        '# ours\n[[interpreter]]\nversion = "3.12"   # the old one\nplatform = "linux_amd64"\nfolder = "/opt/python"\n'
    )
    python.write("packyard.lock", interpreter)
    python.output("lock")
    text = Path("packyard.lock").read_text()
    assert text.startswith(interpreter)
    assert tomllib.loads(text)["toolchain"] == [{"mojo": "1.0.0", "lock": "pylock.mojo.toml"}]


def test_lock_check_names_what_is_missing_and_what_drifted(python: Space, resolver: dict[str, str]) -> None:
    python.output("lock", "web")
    python.write("web/pyproject.toml", PROJECT.replace("click>=8.1", "click>=8.2"))
    assert python.run("lock", "--check") == (
        1,
        "",
        "error: web/pylock.toml: no longer fits 'web': 'click>=8.2' was added, 'click>=8.1' was removed\n"
        "  hint: run 'packyard lock web'\n"
        "error: pylock.mojo.toml: is missing\n"
        "  hint: run 'packyard lock'\n"
        "error: packyard.lock: Mojo 1.0.0 is not in it\n"
        "  hint: run 'packyard lock'\n",
    )


def test_lock_check_of_another_compiler_names_it(python: Space, resolver: dict[str, str]) -> None:
    python.output("lock")
    python.write("packyard.lock", '[[toolchain]]\nmojo = "0.26.2"\nlock = "pylock.mojo.toml"\n')
    assert python.run("lock", "--check") == (
        1,
        "",
        "error: packyard.lock: Mojo 1.0.0 is not in it\n  hint: run 'packyard lock'\n",
    )


def test_lock_of_an_unknown_member_is_a_usage_error(python: Space) -> None:
    assert python.run("lock", "wib") == (
        2,
        "",
        "error: 'wib' is not a member of this workspace\n  hint: did you mean 'web'?\n",
    )


def test_lock_where_nothing_is_to_be_locked_writes_nothing(space: Space) -> None:
    before = sorted(space.root.iterdir())
    assert space.output("lock") == "nothing to lock: no Python or morloc member, no site, and no Mojo compiler\n"
    assert sorted(space.root.iterdir()) == before


def test_lock_of_a_compiler_and_morloc_members_again_changes_nothing(python: Space, resolver: dict[str, str]) -> None:
    toolchain = '[toolchain]\nmojo = "1.0.0"\n'
    python.write("packyard.toml", f'[workspace]\nname = "both"\nmembers = ["web", "shapes"]\n{toolchain}')
    python.write("shapes/package.yaml", "name: shapes\nversion: 0.1.0\n")
    python.write("shapes/main.loc", "module shapes (area)\narea :: Real -> Real\narea r = r\n")
    said = python.output("lock")
    assert said == WROTE + "wrote    packyard.lock  1 morloc package\n"
    before = Path("packyard.lock").read_text()
    assert python.output("lock") == said.replace("wrote", "kept ")
    assert Path("packyard.lock").read_text() == before


def test_lock_of_morloc_members_is_a_part_of_packyard_lock(python: Space, resolver: dict[str, str]) -> None:
    python.write("packyard.toml", '[workspace]\nname = "both"\nmembers = ["web", "shapes"]\n')
    python.write("shapes/package.yaml", "name: shapes\nversion: 0.1.0\n")
    python.write("shapes/main.loc", "module shapes (area)\narea :: Real -> Real\narea r = r\n")
    assert python.output("lock", "shapes") == "wrote    packyard.lock  1 morloc package\n"
    assert tomllib.loads(Path("packyard.lock").read_text())["morloc"][0]["name"] == "shapes"
    assert python.output("lock", "shapes", "--check") == "the locks fit (0 pylocks, packyard.lock)\n"
    python.write("shapes/package.yaml", "name: shapes\nversion: 0.2.0\n")
    assert python.run("lock", "shapes", "--check") == (
        1,
        "",
        "error: packyard.lock: shapes is 0.2.0, but was locked at 0.1.0\n  hint: run 'packyard lock'\n",
    )


@pytest.mark.real
@pytest.mark.long
def test_lock_from_the_package_index_has_hashes(python: Space) -> None:
    python.output("lock", "web")
    assert dict(read_pylock(Path("web/pylock.toml").read_text(), "").packages).keys() >= {"click"}
    assert python.output("lock", "web", "--check") == "the locks fit (2 pylocks)\n"


def test_interpreter_is_pinned_by_its_digest_and_what_is_in_it(space: Space) -> None:
    space.write("packyard.toml", '[workspace]\nname = "w"\n')
    space.write("packyard.lock", '# ours\n[[toolchain]]\nmojo = "1.0.0"\nlock = "pylock.mojo.toml"\n')
    for minor, name in (("1", "old.tar.gz"), ("2", "new.tar.gz"), ("2", "newer.tar.gz")):
        program = b"\x7fELF" + bytes(14) + b"\x3e\0" + name.encode()
        with tarfile.open(space.root / name, "w:gz") as archive:
            info = tarfile.TarInfo(f"python/bin/python3.1{minor}")
            info.size = len(program)
            archive.addfile(info, io.BytesIO(program))
    said = space.output("lock", "--interpreter", "old.tar.gz", "--interpreter", "new.tar.gz")
    assert said == "wrote    packyard.lock  Python 3.11 for linux_amd64, Python 3.12 for linux_amd64\n"
    space.output("lock", "--interpreter", "newer.tar.gz")
    digests = {
        name: hashlib.sha256((space.root / name).read_bytes()).hexdigest() for name in ("old.tar.gz", "newer.tar.gz")
    }
    text = (space.root / "packyard.lock").read_text()
    assert text.startswith("# ours\n[[toolchain]]\n")
    assert tomllib.loads(text)["interpreter"] == [
        {"version": f"3.1{minor}", "platform": "linux_amd64", "path": name, "sha256": f"sha256:{digests[name]}"}
        for minor, name in (("1", "old.tar.gz"), ("2", "newer.tar.gz"))
    ]
    assert (
        space.output("lock", "--interpreter", "newer.tar.gz") == "kept     packyard.lock  Python 3.12 for linux_amd64\n"
    )


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("gone.tar.gz", "gone.tar.gz: is missing; expected an archive in the install_only layout"),
        ("packyard.toml", "packyard.toml: is not an interpreter archive: this is not gzip data"),
    ],
)
def test_interpreter_that_is_none_is_refused_and_nothing_written(space: Space, place: str, message: str) -> None:
    space.write("packyard.toml", '[workspace]\nname = "w"\n')
    assert space.run("lock", "--interpreter", place) == (1, "", f"error: {message}\n")
    assert not (space.root / "packyard.lock").exists()
