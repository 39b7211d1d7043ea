from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from packyard.formats.text.gitignore import read_gitignores

FILES = [
    "a.py", "a.pyc", "build/x", "src/build/y", "src/a.tmp", "doc/a.txt", "doc/sub/b.txt", "doc/sub/keep.txt", "#x",
    "x y", "deep/a/b/c.log", "a1", "ab", "a[", "foo/bar", "src/foo/bar", "log/keep.log", "!b", "e ",
    "foobar", "foox/bar", "foo/x/y/bar", "]b", "a-b", "a]", "a\x0cb", "z/a", "a\\b", "A",
]  # fmt: skip
TEXTS = [
    "*.pyc\n# a comment\n\\#x\n",
    "build/\n",
    "/build\n",
    "doc/*.txt\n",
    "doc/**/b.txt\n",
    "**/c.log\n",
    "deep/**\n",
    "*.txt\n!keep.txt\n",
    "doc/\n!doc/sub/keep.txt\n",
    "a[0-9]\n",
    "a[!0-9]\n",
    "a?\n",
    "foo/bar\n",
    "**/foo/bar\n",
    "x y   \n",
    "\\!b\n",
    "log/*\n!log/keep.log\n",
    "*\n!*/\n!*.py\n",
    "\ufeff*.pyc\n",
    "*.pyc\r\nbuild/\r\n",
    "a\x0cb\n",
    "foo**/bar\n",
    "foo/**/bar\n",
    "foo//\n",
    "[[:alpha:]]b\n",
    "[[:digit:][:upper:]]\na[[:nothing:]]\n",
    "a[a\\]]\n",
    "[]a]b\n",
    "[^a]b\n",
    "a[!]]\n",
    "[z-a]\na[b-]b\n",
    "a[a&&b]\na[[--]\n",
    "a[\n",
]


@pytest.mark.parametrize("text", TEXTS)
def test_gitignore_agrees_with_git(tmp_path: Path, text: str) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for file in FILES:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("")
    (tmp_path / ".gitignore").write_text(text)
    words = ["git", "-C", tmp_path, "-c", "core.excludesFile=", "ls-files", "-z", "--others", "--exclude-standard"]
    kept = set(subprocess.run(words, check=True, capture_output=True, text=True).stdout.split("\0"))
    ignored = read_gitignores({"": text})
    assert {file for file in FILES if ignored(file)} == set(FILES) - kept


def test_gitignore_that_crosses_folders_again_and_again_takes_no_time() -> None:
    ignored = read_gitignores({"": "**/" * 20 + "x\n"})
    assert [ignored("a/" * 40 + name) for name in "xy"] == [True, False]


def test_gitignore_in_a_folder_is_for_that_folder() -> None:
    ignored = read_gitignores({"": "*.log\n", "a": "!keep.log\n/top\n"})
    assert [ignored(p) for p in ("x.log", "a/x.log", "a/keep.log", "keep.log", "a/top", "a/b/top")] == [
        True,
        True,
        False,
        True,
        True,
        False,
    ]
