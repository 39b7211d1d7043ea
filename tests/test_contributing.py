"""What CONTRIBUTING.md tells to do is done: the example kind is added to a copy of the tree, and built."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILE = re.compile(r"^`(tasks/kinds/card/\w+\.py)`.*?```python\n(.*?)```", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^The row in `(tasks/kinds/__init__\.py)`:\n\n```python\n(.*?)```", re.MULTILINE | re.DOTALL)

CARD = "packyard.tasks.kinds.card"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the tree with the example kind in it, importable as `packyard`."""
    tree = tmp_path / "packyard"
    for folder in ("tasks", "formats"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for path, text in FILE.findall(PAGE):
        (tree / path).parent.mkdir(exist_ok=True)
        (tree / path).write_text(text, encoding="utf-8")
    [(path, row)] = ROW.findall(PAGE)
    table = (tree / path).read_text(encoding="utf-8")
    (tree / path).write_text(table.replace("KINDS = {\n", f"KINDS = {{\n{row}"), encoding="utf-8")
    return tree


def test_example_kind_is_one_folder_and_one_row(tree: Path) -> None:
    ours = {path.relative_to(ROOT) for path in (ROOT / "tasks").rglob("*.py")}
    with_it = {path.relative_to(tree) for path in (tree / "tasks").rglob("*.py")}
    assert {path.parent.as_posix() for path in with_it - ours} == {"tasks/kinds/card"}
    changed = {path.as_posix() for path in ours if (ROOT / path).read_bytes() != (tree / path).read_bytes()}
    assert changed == {"tasks/kinds/__init__.py"}


def test_example_kind_is_built(tree: Path, tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    (shop / "lib").mkdir(parents=True)
    (shop / "packyard.toml").write_text('[workspace]\nname = "shop"\nmembers = ["lib"]\n')
    (shop / "lib/pyproject.toml").write_text('[project]\nname = "lib"\nversion = "1.0"\n')

    def build() -> str:
        return subprocess.run(
            [sys.executable, "-m", "packyard.tasks", "card:lib"], cwd=shop, capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONPATH": os.fspath(tmp_path), "PACKYARD_CACHE_DIR": os.fspath(tmp_path / "cache")},
        ).stdout  # fmt: skip

    assert "1 ran" in build()
    assert (shop / "dist/lib.card.txt").read_text() == "Dear lib!\n"
    assert "nothing to do" in build()


def test_example_kind_passes_the_type_checker(tree: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--ignore-missing-imports", "-p", CARD],
        cwd=tree.parent, capture_output=True, text=True, check=False, env={**os.environ, "MYPYPATH": "."},
    )  # fmt: skip
    assert done.stdout.startswith("Success"), done.stdout
