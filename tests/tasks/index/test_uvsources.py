"""[tool.uv] of a project, followed by the real uv on two indexes of loopback, or refused by name."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.python.pylock import read_pylock
from packyard.tasks.commands import cli
from packyard.tasks.host import programs
from packyard.tasks.index import lock
from packyard.tasks.index.pin import Pin
from packyard.tasks.kinds.interpreter.choice import RUNNING
from packyard.tasks.kinds.python.lockedenv import lock_of
from packyard.tasks.workspace.workspace import read_workspace

from tests.index import Index, serving

MANIFEST = """\
[project]
name = "app"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["good"]

[tool.flavor]
entry_point = "app:main"

[tool.flavor.build]
pip = false

"""
GOOD = "good-0.1-py3-none-any.whl"


@pytest.fixture
def private(index: Index) -> Iterator[Index]:
    """An index beside the public one, which has another `good`."""
    index.add_wheel("good", "9.0", requires=("plain",))
    for version in ("1.0", "2.0"):
        index.add_wheel("plain", version)
    with serving(Index()) as other:
        other.add_wheel("good", "0.1", requires=("plain",))
        yield other


@pytest.fixture
def root(tmp_path: Path, private: Index) -> Path:
    write(tmp_path, "packyard.toml", f'[workspace]\nname = "w"\nmembers = ["app"]\n[toolchain]\npython = "{RUNNING}"\n')
    write(tmp_path, "app/app.py", "def main(): ...\n")
    return tmp_path


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def pin(root: Path) -> Pin:
    workspace = read_workspace(root)
    return lock_of(next(member for member in workspace.members if member.name == "app"), workspace)


def locked(root: Path) -> dict[str, str]:
    found = pin(root)
    lock.resolve(found, root, downloads=root / "downloads")
    return dict(read_pylock((root / found.path).read_text(), found.path).packages)


def index_table(url: str) -> str:
    return f'[[tool.uv.index]]\nname = "priv"\nurl = "{url}"\nexplicit = true\n'


def index_source(url: str) -> str:
    return f'[tool.uv.sources]\ngood = {{ index = "priv" }}\n{index_table(url)}'


def refusal(root: Path) -> str:
    with pytest.raises(FormatError) as caught:
        pin(root)
    return str(caught.value)


def test_distribution_is_from_the_index_that_the_manifest_names_and_the_rest_is_not(root: Path, private: Index) -> None:
    write(root, "app/pyproject.toml", MANIFEST + index_source(private.url))
    assert locked(root) == {"good": "0.1", "plain": "2.0"}
    write(root, "app/pyproject.toml", MANIFEST)
    assert locked(root) == {"good": "9.0", "plain": "2.0"}


def test_distribution_is_from_the_url_that_the_manifest_names(root: Path, private: Index) -> None:
    source = f'[tool.uv.sources]\ngood = {{ url = "{private.file_url(GOOD)}" }}\n'
    write(root, "app/pyproject.toml", MANIFEST + source)
    assert locked(root) == {"good": "0.1", "plain": "2.0"}
    assert private.file_url(GOOD) in (root / pin(root).path).read_text()


def test_source_of_a_uv_workspace_is_that_of_its_members(root: Path, private: Index) -> None:
    write(root, "app/pyproject.toml", MANIFEST)
    head = '[project]\nname = "all"\nversion = "0"\n[tool.uv.workspace]\nmembers = ["app"]\n'
    write(root, "pyproject.toml", head + index_source(private.url))
    assert locked(root)["good"] == "0.1"


def test_source_of_a_library_counts_in_the_bundle(root: Path, private: Index) -> None:
    write(
        root, "packyard.toml", f'[workspace]\nname = "w"\nmembers = ["app", "lib"]\n[toolchain]\npython = "{RUNNING}"\n'
    )
    write(root, "app/pyproject.toml", MANIFEST.replace('"good"', '"lib"'))
    lib = '[project]\nname = "lib"\nversion = "1"\ndependencies = ["good"]\n'
    write(root, "lib/pyproject.toml", lib + index_source(private.url))
    assert locked(root)["good"] == "0.1"
    other = f'[tool.uv.sources]\ngood = {{ url = "{private.file_url(GOOD)}" }}\n'
    write(root, "app/pyproject.toml", MANIFEST.replace('"good"', '"good", "lib"') + other)
    assert refusal(root) == (
        "lib/pyproject.toml: tool.uv.sources.good: differs from that of another member that goes into one bundle; "
        "expected one source"
    )


def test_constraints_overrides_and_environments_are_followed(root: Path) -> None:
    more = '[tool.uv]\nconstraint-dependencies = ["plain<2"]\nenvironments = ["sys_platform == \'linux\'"]\n'
    write(root, "app/pyproject.toml", MANIFEST + more)
    assert locked(root) == {"good": "9.0", "plain": "1.0"}
    assert "marker = \"sys_platform == 'linux'\"" in (root / pin(root).path).read_text()
    write(root, "app/pyproject.toml", MANIFEST + '[tool.uv]\noverride-dependencies = ["good==9.0", "plain==1.0"]\n')
    assert locked(root) == {"good": "9.0", "plain": "1.0"}


def test_committed_lock_for_other_settings_has_drifted(
    root: Path, private: Index, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(root)
    write(root, "app/pyproject.toml", MANIFEST)
    assert cli.run(["lock"]) == 0
    assert pin(root).path == "app/pylock.toml"
    write(root, "app/pyproject.toml", MANIFEST + index_source(private.url))
    said = (
        "app/pylock.toml: no longer fits the dependencies of 'app': tool.uv.index has changed, "
        "tool.uv.sources.good has changed\n  hint: run 'packyard lock app'"
    )
    assert refusal(root) == said
    assert cli.run(["lock"]) == 0 and cli.run(["lock", "--check"]) == 0
    assert pin(root).path == "app/pylock.toml"
    assert capsys.readouterr().out.endswith("good 9.0 -> 0.1\nthe locks fit (1 pylock)\n")


def test_uv_lock_of_other_sources_has_drifted(root: Path, private: Index) -> None:
    write(root, "app/pyproject.toml", MANIFEST)
    subprocess.run([programs.uv(), "lock", "-q", "--no-python-downloads"], cwd=root / "app", check=True, env=os.environ)
    write(root, "app/pyproject.toml", MANIFEST + index_source(private.url))
    assert refusal(root) == (
        "app/uv.lock: no longer fits the dependencies of 'app': 'good' is not from "
        f"'{private.url}' there (tool.uv.sources.good.index)\n  hint: run 'uv lock'"
    )
    subprocess.run([programs.uv(), "lock", "-q", "--no-python-downloads"], cwd=root / "app", check=True, env=os.environ)
    assert locked(root)["good"] == "0.1"


GIT = "is a repository, which no digest identifies; expected an index, a URL or a member\n  hint: depend on a release, "
MEMBER = "expected one\n  hint: list its folder in workspace.members of packyard.toml"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ('{ git = "https://me:word@host/x.git" }', f"git: 'https://host/x.git' {GIT}or clone it into the workspace and "
         "list its folder in workspace.members"),
        ('{ path = "../vendor" }', f"path: '../vendor' is no member of this workspace named 'good'; {MEMBER}"),
        ("{ workspace = true }", f"workspace: 'good' is no member of this workspace named 'good'; {MEMBER}"),
        ('{ index = "priv" }', "index: 'priv' is not declared; expected the name of a [[tool.uv.index]]"),
        ('{ url = "file:///x.whl" }', "url: 'file:///x.whl' is a file of this machine; expected an https or http URL"),
    ],
)  # fmt: skip
def test_source_that_is_not_followed_is_refused_by_name(root: Path, source: str, problem: str) -> None:
    write(root, "app/pyproject.toml", f"{MANIFEST}[tool.uv.sources]\ngood = {source}\n")
    assert refusal(root) == f"app/pyproject.toml: tool.uv.sources.good.{problem}"


def test_path_of_a_member_is_that_member_and_another_one_is_refused(root: Path) -> None:
    write(
        root,
        "packyard.toml",
        f'[workspace]\nname = "w"\nmembers = ["app", "good"]\n[toolchain]\npython = "{RUNNING}"\n',
    )
    write(root, "good/pyproject.toml", '[project]\nname = "good"\nversion = "3"\n')
    for source in ('{ path = "../good" }', "{ workspace = true }"):
        write(root, "app/pyproject.toml", f"{MANIFEST}[tool.uv.sources]\ngood = {source}\n")
        assert pin(root).requirements == ()
    write(root, "app/pyproject.toml", f'{MANIFEST}[tool.uv.sources]\ngood = {{ path = "../old/good" }}\n')
    assert refusal(root) == (
        "app/pyproject.toml: tool.uv.sources.good.path: '../old/good' is not the member 'good' of this workspace, "
        "which is built; expected that one\n  hint: take the source out, or 'good' out of workspace.members"
    )


def test_source_for_another_tool_is_refused_unless_that_tool_locked(root: Path, index: Index) -> None:
    poetry = '[tool.poetry.dependencies]\ngood = { path = "../good" }\n'
    write(root, "app/pyproject.toml", MANIFEST + poetry)
    assert refusal(root) == (
        "app/pyproject.toml: tool.poetry.dependencies.good.path: is not followed; expected a lock by the tool that it "
        "is for\n  hint: export one with hashes: pylock.toml or requirements.txt, beside the manifest"
    )
    write(root, "app/pylock.toml", index.lock("good-9.0-py3-none-any.whl", "plain-2.0-py3-none-any.whl"))
    assert pin(root).path == "app/pylock.toml"
