from __future__ import annotations

import tomllib

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.python.uvtable import UvSource, UvTable, read_uv
from packyard.formats.text.table import reading


def read(text: str) -> UvTable:
    with reading(tomllib.loads(text), "pyproject.toml") as top:
        return read_uv(top.table("tool").table("uv"))


def test_sources_of_every_kind_are_read_by_canonical_name_without_passwords() -> None:
    found = read("""
        [tool.uv.sources]
        Click_X = { index = "priv" }
        url = { url = "https://me:word@host/url-1.0-py3-none-any.whl", subdirectory = "in" }
        here = [{ path = "../here", marker = "os_name == 'nt'" }, { git = "https://me:word@host/x.git", extra = "e" }]
        team = { workspace = true }
        none = { workspace = false }
        tools = { index = "priv", group = "dev" }
        [[tool.uv.index]]
        name = "priv"
        url = "https://me:word@host/simple"
        explicit = true
    """)
    key = "tool.uv.sources"
    assert found.sources == {
        "click-x": (UvSource(kind="index", value="priv", key=f"{key}.Click_X.index"),),
        "url": (
            UvSource(
                kind="url", value="https://host/url-1.0-py3-none-any.whl", key=f"{key}.url.url", subdirectory="in"
            ),
        ),
        "here": (
            UvSource(kind="path", value="../here", key=f"{key}.here[0].path", marker="os_name == 'nt'"),
            UvSource(kind="git", value="https://host/x.git", key=f"{key}.here[1].git", extra="e"),
        ),
        "team": (UvSource(kind="workspace", value="true", key=f"{key}.team.workspace"),),
        "none": (),
        "tools": (),
    }
    assert found.indexes == {"priv": "https://host/simple"}
    assert found.settings == ('index = [{"explicit": true, "name": "priv", "url": "https://host/simple"}]',)
    assert found.members is None


def test_settings_that_decide_are_a_part_of_the_question_and_others_are_not() -> None:
    found = read("""
        [tool.uv]
        constraint-dependencies = ["a<2"]
        override-dependencies = ["b==1"]
        environments = ["os_name == 'posix'"]
        link-mode = "copy"
        dev-dependencies = ["pytest"]
        [tool.uv.workspace]
        members = ["packages/*"]
    """)
    assert found.settings == (
        'constraint-dependencies = ["a<2"]',
        "environments = [\"os_name == 'posix'\"]",
        'override-dependencies = ["b==1"]',
    )
    assert found.members == ("packages/*",)


def test_sources_that_are_switched_off_are_none() -> None:
    assert read('[tool.uv]\nno-sources = true\nsources = { a = { git = "x" } }').sources == {}
    assert read('[tool.uv]\nno-sources-package = ["A"]\nsources = { a = { git = "x" } }').sources == {}


def test_what_is_not_followed_or_misspelled_is_refused_all_at_once() -> None:
    with pytest.raises(FormatError) as caught:
        read("""
            [tool.uv]
            no-binary-package = ["a"]
            constraint-dependancies = ["a<2"]
            source = { a = { git = "x" } }
            [tool.uv.sources]
            a = { index = "x", url = "https://host/a.whl" }
            b = { index = "x", marker = "linux" }
        """)
    assert str(caught.value) == (
        "pyproject.toml: tool.uv.no-binary-package: is not followed: wheels are taken where there are any; expected a "
        "project without it\n"
        "pyproject.toml: tool.uv.constraint-dependancies: unknown key\n"
        "  hint: did you mean 'constraint-dependencies'?\n"
        "pyproject.toml: tool.uv.source: unknown key\n  hint: did you mean 'sources'?\n"
        "pyproject.toml: tool.uv.sources.a: has 2 of index, url, path, git, workspace; expected one\n"
        "pyproject.toml: tool.uv.sources.b.marker: 'linux' is not a marker; expected one like "
        "\"sys_platform == 'linux'\""
    )
