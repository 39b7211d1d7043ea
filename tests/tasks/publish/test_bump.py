"""The next version of a member: what changes in which file, and that nothing else does."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.tasks.publish.bump import Plan, commit_bump, plan_bump, refuse_commit, write_bump
from packyard.tasks.publish.component import components, tags
from packyard.tasks.publish.metagrowth import growths
from packyard.tasks.workspace.workspace import read_workspace

FILES = {
    "packyard.toml": """\
[workspace]
name = "odyssey"   # the whole
members = ["mojo/*", "py/*", "morloc/*"]

[toolchain]
mojo = "1.0.0"

[[meta]]
name = "odyssey"
version = "0.5.0"   # of the meta-package
members = ["tensor"]

[[archive]]
name = "tools"
version = "0.1.0"
include = ["LICENSE"]
""",
    "LICENSE": "free\n",
    "mojo/tensor/mojo.toml": "# matrices\n[package]\nname = 'od-tensor'  # sic\nversion = '0.1.0'\n",
    "mojo/tensor/__init__.mojo": "def one() -> Int:\n    return 1\n",
    "mojo/nn/mojo.toml": (
        '[project]\nname = "nn"\nversion = "0.1.0"\n\n[dependencies]\nod-tensor = "0.1.0"  # by its distribution\n'
    ),
    "mojo/nn/__init__.mojo": "def two() -> Int:\n    return 2\n",
    "py/core/pyproject.toml": '[project]\nname = "Core_Lib"\nversion = "1.2"\n',
    "py/web/pyproject.toml": (
        '[project]\nname = "web"\ndynamic = ["version"]\ndependencies = [\n  "core-lib==1.2",  # ours\n]\n'
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[tool.setuptools.dynamic]\nversion = {attr = "web.__version__"}\n'
    ),
    "py/web/web.py": "__version__ = '0.3.0'\n",
    "morloc/geo/package.yaml": "name: geo\nversion: 0.1.0  # first\n",
    "morloc/maps/package.yaml": "name: maps\nversion: 0.1.0\nx-packyard:\n  requires:\n    geo: '0.1.0'\n",
    "CHANGELOG.md": "# Changes\n\n## [Unreleased]\n\n- Faster.\n\n## [0.5.0] - 2026-01-01\n\n- All.\n",
    "py/core/CHANGELOG.md": "## Unreleased\n\n- Core.\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def git(root: Path, *words: str) -> str:
    settings = ("-c", "user.name=A", "-c", "user.email=a@b.invalid", "-c", "init.defaultBranch=main")
    return subprocess.run(["git", *settings, *words], cwd=root, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "A")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "a@b.invalid")
    config = root.parent / "gitconfig"
    config.write_text('[user]\n    name = "A"\n    email = "a@b.invalid"\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.fspath(config))
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    return root


def plan(root: Path, step: str, *names: str) -> Plan:
    return plan_bump(read_workspace(root), names, step, "2026-11-25")  # type: ignore[arg-type]


def shown(found: Plan) -> list[str]:
    return [f"{c.place} {c.key}: {c.before} -> {c.after} ({c.why})" for c in found.changes]


def edited(root: Path, found: Plan) -> dict[str, str]:
    """The files that a plan changed, after it was written."""
    write_bump(root, found)
    assert not list(root.rglob("*.part"))
    return {path: text for path in FILES if (text := (root / path).read_text()) != FILES[path]}


def test_bump_follows_to_meta_packages_ranges_and_the_changelog(root: Path) -> None:
    found = plan(root, "minor", "tensor")
    assert shown(found) == [
        "mojo/tensor/mojo.toml package.version: 0.1.0 -> 0.2.0 ()",
        "packyard.toml meta[0].version: 0.5.0 -> 0.6.0 (tensor is part of it)",
        "mojo/nn/mojo.toml dependencies.od-tensor: 0.1.0 -> 0.2.0 (to admit it)",
        "CHANGELOG.md : Unreleased -> [od-tensor 0.2.0, odyssey 0.6.0] - 2026-11-25 ()",
    ]
    assert edited(root, found) == {
        "packyard.toml": FILES["packyard.toml"].replace('"0.5.0"', '"0.6.0"'),
        "mojo/tensor/mojo.toml": FILES["mojo/tensor/mojo.toml"].replace("'0.1.0'", "'0.2.0'"),
        "mojo/nn/mojo.toml": FILES["mojo/nn/mojo.toml"].replace('od-tensor = "0.1.0"', 'od-tensor = "0.2.0"'),
        "CHANGELOG.md": FILES["CHANGELOG.md"].replace(
            "## [Unreleased]\n", "## [Unreleased]\n\n## [od-tensor 0.2.0, odyssey 0.6.0] - 2026-11-25\n"
        ),
    }
    read_workspace(root)


def test_bump_by_a_patch_leaves_ranges_that_admit_it(root: Path) -> None:
    assert shown(plan(root, "patch", "od-tensor")) == [
        "mojo/tensor/mojo.toml package.version: 0.1.0 -> 0.1.1 ()",
        "packyard.toml meta[0].version: 0.5.0 -> 0.5.1 (tensor is part of it)",
        "CHANGELOG.md : Unreleased -> [od-tensor 0.1.1, odyssey 0.5.1] - 2026-11-25 ()",
    ]


def test_bump_of_a_python_member_takes_its_own_changelog_and_its_dependants(root: Path) -> None:
    assert edited(root, plan(root, "major", "Core_Lib")) == {
        "py/core/pyproject.toml": FILES["py/core/pyproject.toml"].replace('"1.2"', '"2.0.0"'),
        "py/web/pyproject.toml": FILES["py/web/pyproject.toml"].replace('"core-lib==1.2"', '"core-lib==2.0.0"'),
        "py/core/CHANGELOG.md": "## Unreleased\n\n## [2.0.0] - 2026-11-25\n\n- Core.\n",
    }


def test_bump_of_a_morloc_package_keeps_the_form_of_its_manifest(root: Path) -> None:
    assert edited(root, plan(root, "minor", "geo", "tools")) == {
        "morloc/geo/package.yaml": "name: geo\nversion: 0.2.0  # first\n",
        "morloc/maps/package.yaml": FILES["morloc/maps/package.yaml"].replace("'0.1.0'", "'0.2.0'"),
        "packyard.toml": FILES["packyard.toml"].replace('"0.1.0"', '"0.2.0"'),
        "CHANGELOG.md": FILES["CHANGELOG.md"].replace(
            "## [Unreleased]\n", "## [Unreleased]\n\n## [geo 0.2.0, tools 0.2.0] - 2026-11-25\n"
        ),
    }


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "web",
            "py/web/pyproject.toml: project.version: is dynamic: the build backend gets it from elsewhere\n"
            "  hint: change it there by hand",
        ),
        (
            "tenso",
            "'tenso' is not a member, meta-package, archive or site of this workspace\n  hint: did you mean 'tensor'?",
        ),
    ],
)
def test_bump_refuses_what_it_cannot_change(root: Path, name: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        plan(root, "patch", name)
    assert str(caught.value) == message


def test_bump_says_that_the_changelog_has_nothing_to_move(root: Path) -> None:
    (root / "CHANGELOG.md").unlink()
    assert plan(root, "patch", "geo").notes == (
        "there is no CHANGELOG.md: 'packyard check' requires an entry for each version",
    )
    (root / "CHANGELOG.md").write_text("## [0.1.0]\n\n- All.\n")
    assert plan(root, "patch", "geo").notes == ("CHANGELOG.md: there is nothing under 'Unreleased' to move",)


def test_bump_on_a_read_only_folder_changes_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = plan(root, "minor", "tensor")

    def refuse(self: Path, data: bytes) -> int:
        if self.name.startswith(".CHANGELOG"):
            raise OSError(28, "No space left on device", os.fspath(self))
        with self.open("wb") as stream:
            return stream.write(data)

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(Exception, match="cannot be written: No space left on device"):
        write_bump(root, found)
    assert {path: (root / path).read_text() for path in FILES} == FILES
    assert not list(root.rglob("*.part"))


# git --------------------------------------------------------------------------------------------------------------


def test_bump_commits_its_files_alone_and_tags_them(repository: Path) -> None:
    (repository / "LICENSE").write_text("not so free\n")
    found = plan(repository, "minor", "odyssey")
    refuse_commit(repository, found)
    write_bump(repository, found)
    commit_bump(repository, found)
    assert git(repository, "tag", "--points-at", "HEAD") == "v0.6.0\n"
    assert git(repository, "log", "-1", "--format=%s", "--name-only") == (
        "Release odyssey 0.6.0\n\nCHANGELOG.md\npackyard.toml\n"
    )
    assert git(repository, "status", "--porcelain") == " M LICENSE\n"


def test_bump_refuses_to_commit_other_changes_or_a_tag_twice(repository: Path) -> None:
    git(repository, "tag", "geo-v0.1.1")
    (repository / "morloc/geo/package.yaml").write_text("# mine\n" + FILES["morloc/geo/package.yaml"])
    with pytest.raises(FormatError) as caught:
        refuse_commit(repository, plan(repository, "patch", "geo"))
    assert str(caught.value) == (
        "the tag 'geo-v0.1.1': already exists\n"
        "morloc/geo/package.yaml: has uncommitted changes, which --tag would commit\n"
        "  hint: commit them first"
    )


def test_bump_takes_a_minor_step_for_a_meta_package_that_grew(repository: Path) -> None:
    def due() -> list[str]:
        return [str(one) for one in growths(repository, read_workspace(repository).manifest.metas).values()]

    assert due() == []
    path = repository / "packyard.toml"
    path.write_text(path.read_text().replace('members = ["tensor"]', 'members = ["tensor", "nn"]'))
    assert due() == ["'nn' is new in odyssey since 0.5.0"]
    git(repository, "commit", "-qam", "grown")
    assert due() == ["'nn' is new in odyssey since 0.5.0"]
    assert [growth.due for growth in plan(repository, "patch", "geo").due] == ["0.6.0"]
    found = plan(repository, "patch", "tensor")
    assert "packyard.toml meta[0].version: 0.5.0 -> 0.6.0 ('nn' is new in odyssey since 0.5.0)" in shown(found)
    path.write_text(path.read_text().replace("0.5.0", "0.5.1"))
    assert due() == ["'nn' is new in odyssey since 0.5.0"]
    path.write_text(path.read_text().replace("0.5.1", "0.5.0"))
    write_bump(repository, found)
    assert due() == []
    git(repository, "commit", "-qam", "released")
    assert due() == []


def test_tags_without_a_name_are_for_what_is_called_like_the_workspace(root: Path) -> None:
    known = components(read_workspace(root))
    found = {component.name: tags(component, known, "odyssey") for component in known}
    assert found["odyssey"] == ("odyssey-v0.5.0", "v0.5.0")
    assert found["od-tensor"] == ("od-tensor-v0.1.0",)
