from __future__ import annotations

import tomllib

from packyard.formats.python.othertables import other_sources


def test_sources_of_other_tools_are_found_by_key() -> None:
    tool = tomllib.loads("""
        [[poetry.source]]
        name = "corp"
        url = "https://host/simple"
        [poetry.dependencies]
        python = "^3.11"
        plain = "^1"
        near = { path = "../near" }
        far = [{ git = "https://host/far.git", python = "<3.12" }, { version = "1", source = "corp" }]
        [[pdm.source]]
        name = "corp"
        [pdm.resolution]
        excludes = ["a"]
        overrides = {}
        [[rye.sources]]
        name = "corp"
    """)
    assert list(other_sources(tool)) == [
        "tool.poetry.source",
        "tool.pdm.source",
        "tool.rye.sources",
        "tool.poetry.dependencies.near.path",
        "tool.poetry.dependencies.far.git",
        "tool.poetry.dependencies.far.source",
        "tool.pdm.resolution.excludes",
    ]
    assert list(other_sources({"poetry": {"dependencies": {"a": "^1"}}, "pdm": {"distribution": True}})) == []
