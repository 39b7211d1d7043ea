from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.tasks.workspace.belonging import Named, belongs, belongs_to, find_files, included, notice
from packyard.tasks.workspace.workspace import Workspace, read_workspace

HEAD = '[project]\nname = "app"\nversion = "1.0"\n'
FILES = (
    "app/app.py", "app/.env", "app/secrets/a.key", "app/secrets/README", "app/models/a.bin", "app/models/b.bin",
    "app/gen/build.py", "app/gen/deep/c.py", "docs/a.md", "docs/a.log", "web/x.js", "app/nested/.gitignore",
    "app/nested/local.py",
)  # fmt: skip


def space(root: Path, more: str = "") -> Workspace:
    for path in FILES:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("local.py\n" if path.endswith(".gitignore") else path)
    (root / "packyard.toml").write_text('[workspace]\nname = "w"\nmembers = ["app"]\n')
    (root / "app/pyproject.toml").write_text(HEAD + more)
    (root / ".gitignore").write_text("*.log\n*.key\n*.bin\n.env\n/app/gen/\n/web/\n")
    subprocess.run(["git", "init", "-q", root], check=True)
    return read_workspace(root)


def of_member(workspace: Workspace) -> list[str]:
    member = workspace.members[0]
    return list(filter(belongs_to(member, workspace), workspace.watch.files("app")))


PLAIN = ["app/app.py", "app/nested/.gitignore", "app/pyproject.toml", "app/secrets/README"]


def test_member_holds_what_git_would_track(tmp_path: Path) -> None:
    assert of_member(space(tmp_path)) == PLAIN


@pytest.mark.parametrize(
    ("more", "brought"),
    [
        ('[tool.packyard]\ninclude = ["models/*.bin"]\n', ["app/models/a.bin", "app/models/b.bin"]),
        ('[tool.packyard]\ninclude = ["gen"]\n', ["app/gen/build.py", "app/gen/deep/c.py"]),
        ('[tool.packyard]\ninclude = ["./.env"]\n', ["app/.env"]),
        ('[tool.hatch.build]\nartifacts = ["*.bin", "!b.bin"]\n', ["app/models/a.bin"]),
        ('[tool.hatch.build.targets.wheel]\nartifacts = ["/gen/build.py"]\n', ["app/gen/build.py"]),
        (
            '[tool.hatch.build.targets.wheel.force-include]\n"gen/deep" = "app/deep"\n',
            ["app/gen/deep/c.py"],
        ),
        ('[tool.poetry]\ninclude = ["models/a.bin"]\n', ["app/models/a.bin"]),
        (
            '[tool.poetry]\ninclude = [{ path = "gen/**/*.py", format = "wheel" }]\n',
            ["app/gen/build.py", "app/gen/deep/c.py"],
        ),
        ("[tool.hatch.build]\nartifacts = 3\n[tool.poetry]\ninclude = [4, { path = 5 }]\n", []),
    ],
)
def test_manifest_brings_in_what_it_names(tmp_path: Path, more: str, brought: list[str]) -> None:
    assert sorted(of_member(space(tmp_path, more))) == sorted([*PLAIN, *brought])


def test_included_are_those_that_git_ignores(tmp_path: Path) -> None:
    workspace = space(tmp_path, '[tool.packyard]\ninclude = ["models/a.*", "app.py"]\n')
    assert included(workspace.members[0], workspace) == ("app/models/a.bin",)


def test_include_that_matches_nothing_is_refused(tmp_path: Path) -> None:
    workspace = space(tmp_path, '[tool.packyard]\ninclude = ["a.none", "models", "*.none"]\n')
    with pytest.raises(FormatError) as error:
        belongs_to(workspace.members[0], workspace)
    assert str(error.value) == (
        "app/pyproject.toml: tool.packyard.include[0]: 'a.none' matches no file\n"
        "app/pyproject.toml: tool.packyard.include[2]: '*.none' matches no file"
    )


@pytest.mark.parametrize(
    ("pattern", "files", "hidden"),
    [
        ("docs", ("docs/a.md",), ("docs/a.log",)),
        ("docs/*", ("docs/a.md",), ("docs/a.log",)),
        ("docs/*.log", (), ("docs/a.log",)),
        ("docs/a.log", ("docs/a.log",), ()),
        ("web", ("web/x.js",), ()),
        ("web/**", (), ("web/x.js",)),
        ("app/secrets", ("app/secrets/README",), ("app/secrets/a.key",)),
        ("app/models", ("app/models/a.bin",), ("app/models/b.bin",)),
        ("none", (), ()),
    ],
)
def test_pattern_takes_what_belongs_and_a_path_what_it_names(
    tmp_path: Path, pattern: str, files: tuple[str, ...], hidden: tuple[str, ...]
) -> None:
    workspace = space(tmp_path, '[tool.packyard]\ninclude = ["models/a.bin"]\n')
    assert find_files(workspace, pattern, belongs(workspace)) == Named(files, hidden)


def test_folder_whose_files_are_ignored_one_by_one_holds_none(tmp_path: Path) -> None:
    workspace = space(tmp_path)
    named = find_files(workspace, "app/models", belongs(workspace))
    assert named == Named((), ("app/models/a.bin", "app/models/b.bin"))
    assert named.hint == (
        "git ignores app/models/a.bin, app/models/b.bin; name it without a wildcard, or in include of [tool.packyard]"
    )


def test_notice_counts_what_was_left_out(tmp_path: Path) -> None:
    workspace = space(tmp_path)
    assert notice(workspace.watch) == ""
    keeps = belongs(workspace)
    find_files(workspace, "docs", keeps)
    hint = (
        "  hint: include = [...] in [tool.packyard] of a pyproject.toml brings files into its member; archives and "
        "slots take a file that they name without a wildcard"
    )
    first = "warning: 1 file that git ignores stays out of what is built: docs/a.log\n"
    assert notice(workspace.watch) == first + hint
    find_files(workspace, "app", keeps)
    find_files(workspace, "docs/*", keeps)
    find_files(workspace, "**", keeps)
    assert notice(workspace.watch) == (
        "warning: 9 files that git ignores stay out of what is built: app/.env, app/gen/build.py, app/gen/deep/c.py, "
        f"app/models/a.bin, and 5 more\n{hint}"
    )
