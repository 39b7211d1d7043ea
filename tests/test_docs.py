"""The documents name what is there: every key of packyard.toml, every kind of target, every variable."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from packyard.formats import workspace as manifest
from packyard.formats.flavor import BuildSpec
from packyard.formats.slotspec import LIFECYCLES, PURPOSES, SlotSpec
from packyard.formats.workspace import read_workspace
from packyard.tasks import graph, null
from packyard.tasks.commands import pack

ROOT = Path(__file__).parents[1]
WORKSPACE = (ROOT / "docs/workspace.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs/guide.md").read_text(encoding="utf-8")

TABLES = {
    "[toolchain]": manifest.ToolchainSpec,
    "[sign]": manifest.SignSpec,
    "[[archive]]": manifest.ArchiveSpec,
    "[[docs]]": manifest.DocsSpec,
    "[[meta]]": manifest.MetaSpec,
    "[morloc]": manifest.MorlocSpec,
    "[cache]": manifest.CacheSpec,
}


def test_workspace_page_has_every_table() -> None:
    tables = re.findall(r"^## `\[+(\w+)\]+`", WORKSPACE, re.M)
    top = {"name", "members", "compression"}  # keys of [workspace]
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
    assert set(graph.KINDS) <= set(re.findall(r"`([a-z]+):", GUIDE))


def test_guide_names_every_variable() -> None:
    assert set(null.VARIABLES) <= set(re.findall(r"`([A-Z_]+)`", GUIDE))


def test_morloc_page_names_every_finding() -> None:
    source = (ROOT / "tasks/morloclint.py").read_text(encoding="utf-8")
    codes = set(re.findall(r"""(?:yield|return|code=|_error\()\s*\(?\s*"([a-z]+(?:-[a-z]+)+)\"""", source))
    page = (ROOT / "docs/morloc.md").read_text(encoding="utf-8")
    assert len(codes) > 30
    assert codes <= set(re.findall(r"`([a-z-]+)`", page))


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
