"""The documents name what is there: every key of packyard.toml, every kind of target, every variable."""

from __future__ import annotations

import doctest
import re
import sqlite3
from dataclasses import fields
from pathlib import Path

import pytest
from packyard.formats import pspf
from packyard.formats.archive import gzipped, piece
from packyard.formats.python.flavor import BuildSpec
from packyard.formats.python.slots import LIFECYCLES, PURPOSES, SlotSpec
from packyard.formats.workspace import manifest, metaspec
from packyard.formats.workspace.manifest import read_workspace
from packyard.tasks import nullpath
from packyard.tasks.commands import pack
from packyard.tasks.engine.store.store import Store
from packyard.tasks.engine.trace import database, trace
from packyard.tasks.kinds import KINDS

ROOT = Path(__file__).parents[1]
WORKSPACE = (ROOT / "docs/workspace.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs/guide.md").read_text(encoding="utf-8")

TABLES = {
    "[toolchain]": manifest.ToolchainSpec,
    "[sign]": manifest.SignSpec,
    "[[archive]]": manifest.ArchiveSpec,
    "[[docs]]": manifest.DocsSpec,
    "[[meta]]": metaspec.MetaSpec,
    "[morloc]": manifest.MorlocSpec,
    "[ci]": manifest.CiSpec,
    "[cache]": manifest.CacheSpec,
}


def test_workspace_page_has_every_table() -> None:
    tables = re.findall(r"^## `\[+(\w+)\]+`", WORKSPACE, re.M)
    top = {"name", "members", "compression", "distribute", "allow_keys"}  # keys of [workspace]
    read = {field.name.removesuffix("s") for field in fields(manifest.WorkspaceManifest) if field.name not in top}
    assert {table.removesuffix("s") for table in tables} == {"workspace", *read}


@pytest.mark.parametrize("table", TABLES)
def test_workspace_page_has_every_key(table: str) -> None:
    text = WORKSPACE.partition(f"\n## `{table}`\n")[2].partition("\n## ")[0]
    keys = re.findall(r"^\| `(\w+)`", text, re.M)
    refused = ["remote"] if table == "[cache]" else []
    assert keys == [field.name for field in fields(TABLES[table])] + refused


def test_workspace_page_example_is_read_without_a_problem() -> None:
    example = WORKSPACE.rpartition("```toml\n")[2].partition("```")[0]
    assert read_workspace(example, "packyard.toml").name == "ml-odyssey"


def test_guide_names_every_kind() -> None:
    assert set(KINDS) <= set(re.findall(r"`([a-z]+):", GUIDE))


def test_guide_names_every_variable() -> None:
    assert set(nullpath.VARIABLES) <= set(re.findall(r"`([A-Z_]+)`", GUIDE))


def test_morloc_page_names_every_finding() -> None:
    modules = (ROOT / f"tasks/kinds/morloc/{name}.py" for name in ("lint", "lintwarnings", "scan"))
    source = "\n".join(path.read_text(encoding="utf-8") for path in modules)
    codes = set(re.findall(r"""(?:yield|return|code=|_error\()\s*\(?\s*"([a-z]+(?:-[a-z]+)+)\"""", source))
    page = (ROOT / "docs/morloc.md").read_text(encoding="utf-8")
    assert len(codes) > 30
    assert codes <= set(re.findall(r"`([a-z-]+)`", page))


def test_api_page_is_a_session_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs/pspf-api.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    session = doctest.DocTestParser().get_doctest(page, {}, "docs/pspf-api.md", None, 0)
    told: list[str] = []
    found = doctest.DocTestRunner(verbose=False).run(session, out=told.append)
    assert (found.attempted > 40, "".join(told)) == (True, "")


def test_api_page_names_everything_public() -> None:
    page = (ROOT / "docs/pspf-api.md").read_text(encoding="utf-8")
    assert set(pspf.__all__) <= set(re.findall(r"\b\w+\b", page))


def test_bundles_page_has_every_key_and_lifecycle() -> None:
    page = (ROOT / "docs/bundles.md").read_text(encoding="utf-8")
    names = set(re.findall(r"`([a-z_]+)`", page))
    assert {field.name for field in fields(BuildSpec)} <= names
    assert {field.name for field in fields(SlotSpec)} <= names
    assert {*LIFECYCLES} - {"cache"} <= names
    assert {*PURPOSES} <= set(re.findall(r"`([a-z-]+)`", page))
    options = set(re.findall(r"`(--[a-z-]+)", page))
    assert {option for action in pack.parser()._actions for option in action.option_strings if option[:2] == "--"} <= {
        *options, "--help", "--debug",
    }  # fmt: skip


def test_archives_page_has_the_bytes_that_are_written() -> None:
    page = (ROOT / "docs/archives.md").read_text(encoding="utf-8")
    assert f"`{gzipped.HEADER.hex(' ')}`" in page
    assert f"`{piece.CLOSE.hex(' ')}`" in page
    assert "level 4 (profile `fast`) or 9 (`small`)" in page
    assert gzipped.LEVELS == {"fast": 4, "small": 9}


def test_store_page_has_every_folder_and_column(tmp_path: Path) -> None:
    page = (ROOT / "docs/store.md").read_text(encoding="utf-8")
    Store(tmp_path)
    folders = {path.name for path in (tmp_path / "v2").iterdir()}
    assert folders <= set(re.findall(r"^\| `([a-z-]+)/", page, re.M))
    assert f"`user_version` is the number of its format, now {database.VERSION}" in page
    db = sqlite3.connect(":memory:")
    db.executescript(database._SCHEMA)
    for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        columns = {row[1] for row in db.execute(f"PRAGMA table_info({table})")} - {"id"}
        rows = page.partition(f"\n| `{table}` |")[2]
        assert columns <= set(re.findall(r"`([a-z]+)`", re.split(r"\n\| `[a-z]+` \| |\n\n", rows)[0])), table
    db.close()
    assert f"{trace._LOOK.size} bytes for each path" in page
