"""This repository by its own checklist: what papers show, and its workflows. Artifacts are tests/e2e's matter."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from packyard.tasks.publish.checklist.checklist import go_through
from packyard.tasks.publish.checklist.evidence import Evidence
from packyard.tasks.publish.workflow import workflows
from packyard.tasks.publish.workflowtexts import BUILT_IN
from packyard.tasks.workspace.workspace import read_workspace

ROOT = Path(__file__).parents[1]
PAPERS = {
    "manifest", "documentation", "licence", "semantic version", "changelog", "tag", "minor step", "executable",
    "ignored by git", "not in git",
}  # fmt: skip
LOCKING = """\
      - name: Lock what the bundles and the planes are made of
        run: packyard lock # these files name hosts, so they are not committed here
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository as git has it, without a build."""
    root = tmp_path_factory.mktemp("repository") / "packyard"
    ignored = shutil.ignore_patterns(".git", ".packyard", "__pycache__", "*.egg-info", "typings", ".*_cache", "build")
    shutil.copytree(ROOT, root, ignore=ignored)
    for folder in ("dist", "site"):
        shutil.rmtree(root / folder, ignore_errors=True)
    for words in (("init", "-q"), ("add", "-A"), ("-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-qm", "x")):
        subprocess.run(["git", *words], cwd=root, check=True, capture_output=True)
    return root


def test_repository_has_every_paper_that_its_checklist_asks_for(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PACKYARD_CACHE_DIR", str(tmp_path / "cache"))
    items = [(judged.subject, item) for judged in go_through(Evidence(repository, "0.1.0")) for item in judged.items]
    wrong = [
        f"{subject}: {item.name}: {item.text}"
        for subject, item in items
        if item.name in PAPERS and item.verdict == "failed"
    ]
    assert wrong == []
    assert {item.name for _, item in items} >= PAPERS - {"minor step"}
    # Every bundle wants a lock beside it. These name the hosts of packages, and so none is committed.
    unlocked = {subject for subject, item in items if item.name == "dependencies" and "pylock.toml" in item.text}
    assert unlocked == {"hello 0.1.0", "packyard 0.1.0", "web 0.1.0"}


def test_workflows_are_those_that_the_command_writes() -> None:
    found = workflows(read_workspace(ROOT), "0.1.0")
    assert {one.path.rpartition("/")[2]: one.state for one in found} == {
        "package.yml": "current", "benchmark.yml": "current", "docs.yml": "current",
    }  # fmt: skip


def test_template_of_the_package_workflow_is_the_built_in_one_with_a_lock() -> None:
    text = (ROOT / "templates/package_workflow.yml").read_text(encoding="utf-8")
    assert LOCKING in text
    assert text.replace(LOCKING, "") == BUILT_IN["package"]
