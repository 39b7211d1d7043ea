"""Locks of uv and requirements with hashes, taken for an application's own; the index is on loopback, uv is real."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.python.machine import Machine
from packyard.formats.python.pinned import pinned_files
from packyard.formats.python.pylock import read_pylock
from packyard.tasks.commands import cli
from packyard.tasks.errors import ActionError
from packyard.tasks.host import programs
from packyard.tasks.index import lock
from packyard.tasks.index.pin import Pin
from packyard.tasks.kinds.interpreter.choice import RUNNING
from packyard.tasks.kinds.python.lockedenv import lock_of
from packyard.tasks.workspace.workspace import read_workspace

from tests.index import Index

MANIFEST = """\
[project]
name = "app"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["good>=1"]

[tool.flavor]
entry_point = "app:main"
"""


@pytest.fixture
def root(tmp_path: Path, index: Index) -> Path:
    """A workspace with one application, and an index with two versions of what it needs."""
    for version in ("1.0", "2.0"):
        index.add_wheel("good", version, requires=("plain",))
    index.add_wheel("plain", "1.0")
    index.add_wheel("pip", "25.0")
    write(tmp_path, "packyard.toml", f'[workspace]\nname = "w"\nmembers = ["app"]\n[toolchain]\npython = "{RUNNING}"\n')
    write(tmp_path, "app/pyproject.toml", MANIFEST)
    write(tmp_path, "app/app.py", "def main(): ...\n")
    return tmp_path


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def pin(root: Path) -> Pin:
    workspace = read_workspace(root)
    return lock_of(workspace.members[0], workspace)


def packages(root: Path, path: str) -> dict[str, str]:
    return dict(read_pylock((root / path).read_text(), path).packages)


def uv_lock(folder: Path) -> None:
    subprocess.run([programs.uv(), "lock", "--quiet", "--no-python-downloads"], cwd=folder, check=True, env=os.environ)


def requirements(index: Index, *files: str) -> str:
    return "".join(
        f"{'=='.join(file.split('-')[:2])} \\\n    --hash=sha256:{index.digest(file)}\n    # via app\n"
        for file in files
    )


GOOD, PLAIN = "good-1.0-py3-none-any.whl", "plain-1.0-py3-none-any.whl"


def test_requirements_with_hashes_decide_the_versions_and_the_files(root: Path, index: Index) -> None:
    write(root, "app/requirements.txt", requirements(index, GOOD, PLAIN))
    index.add_wheel("good", "1.0", tag=f"cp{RUNNING.replace('.', '')}-none-any", files={"good.py": "another file"})
    found = pin(root)
    assert found.taken == "app/requirements.txt"
    assert found.path.startswith(".packyard/locks/app/")
    lock.resolve(found, root, downloads=root / "downloads")
    assert packages(root, found.path) == {"good": "1.0", "plain": "1.0", "pip": "25.0"}
    text = (root / found.path).read_text()
    assert index.file_url(GOOD) in text and "another" not in text and "cp3" not in text
    write(root, "app/requirements.txt", requirements(index, "good-2.0-py3-none-any.whl", PLAIN))
    assert pin(root).path != found.path


def test_requirements_whose_hashes_no_file_has_are_refused(root: Path, index: Index) -> None:
    text = requirements(index, GOOD, PLAIN).replace(index.digest(PLAIN), "0" * 64)
    write(root, "app/requirements.txt", text)
    with pytest.raises(ActionError) as error:
        lock.resolve(pin(root), root, downloads=root / "downloads")
    assert str(error.value) == (
        "the lock cannot be used: app/requirements.txt: no file of 'plain' on the package index has one of its hashes"
    )


def test_requirements_that_drifted_are_refused(root: Path, index: Index) -> None:
    write(root, "app/requirements.txt", requirements(index, GOOD, PLAIN))
    write(root, "app/pyproject.toml", MANIFEST.replace('"good>=1"', '"good>=2", "rare"'))
    with pytest.raises(FormatError) as error:
        pin(root)
    assert str(error.value) == (
        "app/requirements.txt: no longer fits the dependencies of 'app': 'good>=2' does not fit the locked 1.0, "
        "'rare' is not in it\n  hint: export it again"
    )


def test_requirements_without_hashes_are_no_lock(root: Path) -> None:
    write(root, "app/requirements.txt", "good\n")
    assert pin(root).taken == ""


def test_uv_lock_is_taken_before_requirements_and_after_ours(
    root: Path, index: Index, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(root, "app/pyproject.toml", MANIFEST.replace("good>=1", "good<2"))
    uv_lock(root / "app")
    write(root, "app/pyproject.toml", MANIFEST)  # uv has newer versions now, and the lock stays
    write(root, "app/requirements.txt", requirements(index, "good-2.0-py3-none-any.whl", PLAIN))
    found = pin(root)
    assert found.taken == "app/uv.lock"
    lock.resolve(found, root, downloads=root / "downloads")
    assert packages(root, found.path) == {"good": "1.0", "plain": "1.0", "pip": "25.0"}
    assert not (root / "app/.venv").exists()

    monkeypatch.chdir(root)
    assert cli.run(["lock"]) == 0
    assert capsys.readouterr().out == "wrote    app/pylock.toml  3 distributions, as app/uv.lock says\n"
    assert packages(root, "app/pylock.toml") == packages(root, found.path)
    assert (pin(root).path, pin(root).taken) == ("app/pylock.toml", "")
    assert cli.run(["lock", "--check"]) == 0

    subprocess.run([programs.uv(), "lock", "--quiet", "--upgrade"], cwd=root / "app", check=True, env=os.environ)
    capsys.readouterr()
    assert cli.run(["lock", "--check"]) == 1
    said = "app/pylock.toml: no longer fits the dependencies of 'app': app/uv.lock has changed"
    with pytest.raises(FormatError) as error:
        pin(root)
    assert str(error.value) == f"{said}\n  hint: run 'packyard lock app'"
    capsys.readouterr()
    assert cli.run(["lock"]) == 0
    assert capsys.readouterr().out == (
        "wrote    app/pylock.toml  3 distributions, as app/uv.lock says\n           good 1.0 -> 2.0\n"
    )


def test_uv_lock_of_the_whole_workspace_is_taken_by_the_members_it_lists(root: Path) -> None:
    write(
        root,
        "pyproject.toml",
        '[project]\nname = "all"\nversion = "0"\nrequires-python = ">=3.11"\n[tool.uv.workspace]\nmembers = ["app"]\n',
    )
    uv_lock(root)
    found = pin(root)
    assert found.taken == "uv.lock"
    lock.resolve(found, root, downloads=root / "downloads")
    assert packages(root, found.path) == {"good": "2.0", "plain": "1.0", "pip": "25.0"}


def test_uv_lock_with_a_folder_that_is_no_member_says_so(root: Path) -> None:
    write(root, "lib/pyproject.toml", '[project]\nname = "lib"\nversion = "1"\nrequires-python = ">=3.11"\n')
    text = MANIFEST.replace('"good>=1"', '"good>=1", "lib"')
    write(root, "app/pyproject.toml", f'{text}\n[tool.uv.sources]\nlib = {{ path = "../lib" }}\n')
    uv_lock(root / "app")
    with pytest.raises(FormatError) as error:
        pin(root)
    assert str(error.value) == (
        "app/uv.lock: 'lib' is a folder there\n  hint: list it in workspace.members of packyard.toml"
    )


def test_extra_that_uv_did_not_lock_is_drift(root: Path, index: Index) -> None:
    index.add_wheel("rich", "1.0", requires=("plain; extra == 'Full_Set'",), extras=("Full_Set",))
    write(root, "app/pyproject.toml", MANIFEST.replace("good>=1", "rich"))
    uv_lock(root / "app")
    assert pin(root).absent == "app/pylock.toml"  # for pip, which uv knows nothing of
    write(root, "app/pyproject.toml", MANIFEST.replace("good>=1", "rich[full-set]"))
    with pytest.raises(FormatError) as error:
        pin(root)
    assert str(error.value) == (
        "app/uv.lock: no longer fits the dependencies of 'app': 'rich[full-set]' is locked without 'full-set'\n"
        "  hint: run 'uv lock'"
    )
    uv_lock(root / "app")
    lock.resolve(pin(root), root, downloads=root / "downloads")
    assert packages(root, pin(root).path) == {"rich": "1.0", "plain": "1.0", "pip": "25.0"}


def foreign(index: Index, *files: str, maker: str = "pdm") -> str:
    """A pylock.toml as PDM writes it: every package is for a group that the head names."""
    text = index.lock(*files).replace('created-by = "test"', f'created-by = "{maker}"\n{GROUPS}')
    return text.replace("\nwheels", '\nmarker = "\\"default\\" in dependency_groups"\nwheels')


GROUPS = 'dependency-groups = ["default"]\ndefault-groups = ["default"]'
NO_PIP = "\n[tool.flavor.build]\npip = false\n"


def test_pylock_of_another_tool_is_taken_whole_and_stays_as_it_is(
    root: Path, index: Index, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(root, "app/pylock.toml", text := foreign(index, GOOD, PLAIN))
    found = pin(root)
    assert (found.taken, found.absent) == ("app/pylock.toml", "app/pylock.toml")  # for pip, which it does not pin
    assert found.prepare.refusal == (
        "app/pylock.toml: does not pin all that the bundle needs, and resolving is disabled (--locked)"
    )
    lock.resolve(found, root, downloads=root / "downloads")
    taken = (root / found.path).read_text()
    machine = Machine(python=RUNNING, platform=found.platform)
    assert [one.name for one in pinned_files(taken, found.path, machine)] == ["good", "pip", "plain"]
    write(root, "app/pyproject.toml", MANIFEST + NO_PIP)
    assert (pin(root).path, pin(root).taken) == ("app/pylock.toml", "")
    monkeypatch.chdir(root)
    for words in (["lock"], ["lock", "--upgrade"], ["lock", "--check"]):
        assert cli.run(words) == 0
    said = "kept     app/pylock.toml  2 distributions, as 'pdm' wrote it\n"
    assert capsys.readouterr().out == f"{said}{said}the locks fit (1 pylock)\n"
    assert (root / "app/pylock.toml").read_text() == text


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("default-groups = [\"default\"]", ""), "no longer fits the dependencies of 'app': "
         "'good>=1' is not in it for linux_amd64"),
        ((GROUPS, f"{GROUPS}\nrequires-python = \">=3.99\""),
         f"requires-python: is for Python '>=3.99'; expected {RUNNING}"),
        ((GROUPS, f"{GROUPS}\nenvironments = [\"os_name == 'nt'\"]"), "environments: is for other machines "
         f"('os_name == \"nt\"'); expected linux_amd64 with Python {RUNNING}"),
    ],
)  # fmt: skip
def test_pylock_of_another_tool_that_lacks_something_is_refused(
    root: Path, index: Index, change: tuple[str, str], problem: str
) -> None:
    write(root, "app/pylock.toml", foreign(index, GOOD, PLAIN).replace(*change))
    with pytest.raises(FormatError) as error:
        pin(root)
    hint = "lock again with 'pdm', or remove it and run 'packyard lock'"
    assert str(error.value) == f"app/pylock.toml: {problem}\n  hint: {hint}"


def test_own_folder_in_a_pylock_is_the_member(root: Path, index: Index) -> None:
    own = '\n[[packages]]\nname = "app"\ndirectory = { path = ".", editable = true }\n'
    write(root, "app/pyproject.toml", MANIFEST + NO_PIP)
    write(root, "app/pylock.toml", index.lock(GOOD, PLAIN) + own)
    found = pin(root)
    lock.resolve(found, root, downloads=root / "downloads")
    assert packages(root, found.path) == {"good": "1.0", "plain": "1.0"}
    write(root, "app/pylock.toml", index.lock(GOOD, PLAIN) + own.replace('"app"', '"lib"'))
    with pytest.raises(FormatError) as error:
        pin(root)
    assert str(error.value) == (
        "app/pylock.toml: packages.lib: is a folder; expected a file identified by a digest\n"
        "  hint: list its folder in workspace.members, or depend on a version from the package index"
    )


def test_forked_uv_lock_is_taken_with_the_version_for_the_machine(root: Path, index: Index) -> None:
    forked = "\"good<2; sys_platform == 'win32'\", \"good>=2; sys_platform != 'win32'\""
    write(root, "app/pyproject.toml", MANIFEST.replace('"good>=1"', forked))
    uv_lock(root / "app")
    found = pin(root)
    lock.resolve(found, root, downloads=root / "downloads")
    text = (root / found.path).read_text()
    for platform, version in (("linux_amd64", "2.0"), ("windows_amd64", "1.0")):
        files = pinned_files(text, found.path, Machine(python=RUNNING, platform=platform))
        assert {one.name: one.version for one in files}["good"] == version
