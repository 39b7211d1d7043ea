from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tasks.commands.conftest import Space

PACKAGE = ".github/workflows/package.yml"


def test_ci_writes_what_the_workspace_needs_and_keeps_it(space: Space) -> None:
    assert space.output("ci") == f"wrote    {PACKAGE}\n"
    assert space.output("ci") == f"kept     {PACKAGE}\n"
    assert json.loads(space.output("ci", "--json")) == [{"path": PACKAGE, "state": "current"}]


def test_ci_refuses_to_overwrite_what_a_person_wrote(space: Space) -> None:
    space.output("ci")
    path = space.root / PACKAGE
    written = path.read_text()
    path.write_text(written + "# mine\n")
    assert space.run("ci") == (
        1, "",
        f"error: {PACKAGE}: was edited since Packyard wrote it, and would be overwritten\n  hint: move the changes "
        "to templates/package_workflow.yml; --diff shows them, --force overwrites\n",
    )  # fmt: skip
    assert path.read_text() == written + "# mine\n"
    assert space.output("ci", "--diff").endswith("-# mine\n")
    assert path.read_text() == written + "# mine\n"
    assert space.output("ci", "--force") == f"wrote    {PACKAGE}\n"
    assert path.read_text() == written


def test_ci_removes_a_workflow_that_nothing_needs_any_more(space: Space) -> None:
    manifest = space.root / "packyard.toml"
    before = manifest.read_text()
    manifest.write_text(before + 'smoke = ["./run.sh"]\n')
    benchmark = ".github/workflows/benchmark.yml"
    assert space.output("ci") == f"wrote    {PACKAGE}\nwrote    {benchmark}\n"
    manifest.write_text(before)
    assert space.output("ci") == f"kept     {PACKAGE}\nremoved  {benchmark}\n"
    assert not (space.root / benchmark).exists()


def test_ci_that_cannot_write_says_so_and_leaves_nothing(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *_words: object, **_more: object) -> int:
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_text", refuse)
    assert space.run("ci") == (1, "", f"error: {PACKAGE}: cannot be written: No space left on device\n")
    assert list((space.root / ".github").rglob("*.yml*")) == []
