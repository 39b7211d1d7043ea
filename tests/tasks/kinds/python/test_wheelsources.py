from __future__ import annotations

from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.python.entrypoint import parse_entry_point
from packyard.tasks.kinds.python.wheelparts import matches, missing_part, own_tests
from packyard.tasks.kinds.python.wheelsources import check_commands, module_sources, wheel_sources
from packyard.tasks.workspace.belonging import notice
from packyard.tasks.workspace.workspace import Member, Workspace, read_workspace

HEAD = '[project]\nname = "app"\nversion = "1.0"\n'
FLAVOR = '[tool.flavor]\nentry_point = "{}"\n'


def app(
    root: Path, pyproject: str, files: dict[str, str], members: str = '"app"', named: str = "app"
) -> tuple[Member, Workspace]:
    for path, text in {
        "packyard.toml": f'[workspace]\nname = "w"\nmembers = [{members}]\n', "app/pyproject.toml": pyproject, **files,
    }.items():  # fmt: skip
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    space = read_workspace(root)
    return next(member for member in space.members if member.name == named), space


def test_sources_leave_out_what_builds_members_and_environments_leave(tmp_path: Path) -> None:
    files = dict.fromkeys(
        [
            "app/src/app/__init__.py", "app/README.md", "app/tests/test_a.py", "app/data/big.bin",
            "app/dist/app.whl", "app/build/lib/a.py", "app/app.egg-info/PKG-INFO", "app/env/pyvenv.cfg",
            "app/env/lib/x.py", "app/src/app/__pycache__/a.pyc", "app/a.pyc", "app/pylock.toml",
            "app/.venv/x", "app/plugin/src/p.py", "app/src/build/kept.py",
        ],
        "",
    )  # fmt: skip
    files["app/plugin/pyproject.toml"] = '[project]\nname = "plugin"\nversion = "1"\n'
    flavor = FLAVOR.format("app:main") + '[tool.flavor.build]\nexclude = ["*.bin", "tests"]\n'
    member, space = app(tmp_path, HEAD + flavor, files, '"app", "app/plugin"')
    assert wheel_sources(member, space) == [
        "app/README.md",
        "app/pyproject.toml",
        "app/src/app/__init__.py",
        "app/src/build/kept.py",
    ]


def test_sources_leave_out_signing_keys(tmp_path: Path) -> None:
    (tmp_path / "app/keys").mkdir(parents=True)
    for path in ("keys/flavor-private.key", "keys/flavor-public.key", "release.pem", "app.py", "flavor-public.key"):
        (tmp_path / "app" / path).write_text("")
    member, space = app(
        tmp_path, HEAD + FLAVOR.format("app:main"), {}, members='"app"]\n[sign]\nkey="app/release.pem" #'
    )
    assert wheel_sources(member, space) == ["app/app.py", "app/flavor-public.key", "app/pyproject.toml"]


def test_sources_leave_out_bundles_of_the_member_wherever_they_lie(tmp_path: Path) -> None:
    files = dict.fromkeys(
        ["app/app.py", "app/any.psp", "app/out/app-1.0.psp", "app/out/app-1.0-windows_amd64.psp.exe", "app/art/x.psp"],
        "",
    )
    member, space = app(tmp_path, HEAD + FLAVOR.format("app:main"), files)
    assert wheel_sources(member, space) == ["app/app.py", "app/art/x.psp", "app/pyproject.toml"]


def test_sources_are_what_git_tracks_or_would_track_and_what_the_manifest_includes(tmp_path: Path) -> None:
    files = dict.fromkeys(["app/app.py", "app/local_settings.py", "app/gen.py", "app/a.log", "app/build/x"], "")
    include = '[tool.packyard]\ninclude = ["gen.py"]\n'
    member, space = app(tmp_path, HEAD + include, {**files, ".gitignore": "local_*\n/app/gen.py\nbuild/\n*.log\n"})
    assert wheel_sources(member, space) == ["app/app.py", "app/gen.py", "app/pyproject.toml"]
    assert notice(space.watch).startswith(
        "warning: 2 files that git ignores stay out of what is built: app/a.log, app/local_settings.py\n"
    )


def test_module_sources_are_what_git_tracks_or_would_track(tmp_path: Path) -> None:
    files = {
        "app/app/__init__.py": "import local, gone\ndef main(): ...\n",
        "app/app/tok.secret": "",
        "app/local.py": "",
    }
    member, space = app(
        tmp_path,
        HEAD + FLAVOR.format("app:main"),
        {**files, "app/gone/a.py": "", ".gitignore": "*.secret\nlocal.py\ngone/\n"},
    )
    assert list(module_sources(member, space)) == ["app/__init__.py"]


@pytest.mark.parametrize(
    ("path", "pattern", "found"),
    [
        ("a/b.txt", "*.txt", True), ("a/b.txt", "a", True), ("a/b.txt", "a/", True), ("a/b.txt", "a/*", True),
        ("a/b.txt", "b.txt", True), ("x/a/b.txt", "a", False), ("a/b.txt", "*.md", False),
    ],
)  # fmt: skip
def test_matches_patterns_of_an_exclude(path: str, pattern: str, found: bool) -> None:
    assert matches(path, (pattern,)) is found


def test_module_sources_follow_local_imports_and_pass_slots_over(tmp_path: Path) -> None:
    slots = '[[tool.flavor.slots]]\nid = "static"\nsource = "static/"\n'
    files = {
        "app/model.py": "import features\nimport static\nimport numpy\ndef predict(): ...\n",
        "app/features/__init__.py": "from deep import x\n",
        "app/features/table.csv": "1\n",
        "app/src/deep.py": "x = 1\n",
        "app/static/x.py": "",
        "app/unused.py": "",
    }
    member, space = app(tmp_path, HEAD + FLAVOR.format("model:predict") + slots, files)
    assert module_sources(member, space) == {
        "deep.py": "app/src/deep.py",
        "features/__init__.py": "app/features/__init__.py",
        "features/table.csv": "app/features/table.csv",
        "model.py": "app/model.py",
    }


def test_module_sources_of_a_library_are_those_named_like_it(tmp_path: Path) -> None:
    files = {"app/src/my_app/__init__.py": "import deep\n", "app/src/deep.py": "", "app/src/other.py": ""}
    member, space = app(tmp_path, HEAD.replace('"app"', '"my-app"'), files, named="my-app")
    assert module_sources(member, space) == {
        "deep.py": "app/src/deep.py",
        "my_app/__init__.py": "app/src/my_app/__init__.py",
    }


def test_module_sources_missing_module_is_an_error(tmp_path: Path) -> None:
    member, space = app(tmp_path, HEAD + FLAVOR.format("model:predict"), {})
    with pytest.raises(FormatError) as error:
        module_sources(member, space)
    assert str(error.value) == (
        "app/pyproject.toml: tool.flavor.entry_point: 'model:predict' does not exist: the module 'model' is missing"
    )


@pytest.mark.parametrize(
    ("entry", "missing"),
    [
        ("app:main", None),
        ("app.cli:run", None),
        ("app:cli", None),  # a submodule of that name has a function of that name
        ("app.cli:App.run", None),
        ("app:nope", "the module 'app' has no 'nope'"),
        ("app.cli:nope", "the module 'app.cli' has no 'nope'"),
        ("app.gone:main", "there is no module 'app.gone'"),
        ("other:main", ""),
    ],
)
def test_missing_part_of_an_entry_point(entry: str, missing: str | None) -> None:
    files = {"app/__init__.py": "def main(): ...\n", "app/cli.py": "class App: ...\ndef run(): ...\ndef cli(): ...\n"}
    assert missing_part(parse_entry_point(entry), files.get) == missing


def test_check_commands_names_each_that_does_not_exist(tmp_path: Path) -> None:
    scripts = '[project.scripts]\na = "app:gone"\nb = "app:main"\nc = "elsewhere:main"\n'
    files = {"app/src/app/__init__.py": "def main(): ...\n"}
    member, space = app(tmp_path, HEAD + scripts + FLAVOR.format("app.x:main"), files)
    with pytest.raises(FormatError) as error:
        check_commands(member, space)
    assert str(error.value) == (
        "app/pyproject.toml: project.scripts.a: 'app:gone' does not exist: the module 'app' has no 'gone'\n"
        "app/pyproject.toml: tool.flavor.entry_point: 'app.x:main' does not exist: there is no module 'app.x'"
    )


def test_check_commands_names_file_and_line_of_what_is_not_python(tmp_path: Path) -> None:
    files = {"app/src/app/__init__.py": "import sys\n\ndef main(:\n"}
    member, space = app(tmp_path, HEAD + FLAVOR.format("app:main"), files)
    with pytest.raises(FormatError) as error:
        check_commands(member, space)
    assert str(error.value) == "app/src/app/__init__.py:3: is not Python: invalid syntax"


def test_tests_are_told_by_folder_and_name() -> None:
    paths = ["app/tests/x.py", "app/test_a.py", "app/a_test.py", "conftest.py", "app/testing.py", "app/contest.py"]
    assert list(own_tests(paths)) == ["app/tests/x.py", "app/test_a.py", "app/a_test.py", "conftest.py"]
