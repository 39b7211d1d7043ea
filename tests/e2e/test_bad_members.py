"""Bad input in members: one clear message, status 1, nothing written; stock doit shows the same without a traceback."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from packyard.tasks.host import network

APP = {
    "packyard.toml": '[workspace]\nname = "bad"\nmembers = ["apps/*"]\n',
    "apps/hello/pyproject.toml": """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "hello"
version = "0.1.0"
dependencies = ["click>=8.1"]

[tool.flavor]
entry_point = "hello.cli:main"
""",
    "apps/hello/src/hello/__init__.py": "",
    "apps/hello/src/hello/cli.py": "def main():\n    print('hello')\n",
}
MANIFEST = "apps/hello/pyproject.toml"


@pytest.fixture
def app(make_space):  # type: ignore[no-untyped-def]
    """A workspace of one application."""
    space = make_space("bad")
    for path, text in APP.items():
        space.write(path, text)
    space.write("dodo.py", "from packyard.tasks import *\n")
    return space


def misspelled_function(space) -> str:  # type: ignore[no-untyped-def]
    space.replace(MANIFEST, "hello.cli:main", "hello.cli:mian")
    return f"{MANIFEST}: tool.flavor.entry_point: 'hello.cli:mian' does not exist: the module 'hello.cli' has no 'mian'"


def missing_module(space) -> str:  # type: ignore[no-untyped-def]
    space.replace(MANIFEST, "hello.cli:main", "hello.cly:main")
    return f"{MANIFEST}: tool.flavor.entry_point: 'hello.cly:main' does not exist: there is no module 'hello.cly'"


def two_of_one_name(space) -> str:  # type: ignore[no-untyped-def]
    for path, text in APP.items():
        space.write(path.replace("apps/hello", "apps/other"), text)
    space.write("packyard.toml", APP["packyard.toml"])
    return "apps/other: 'hello' is the name of two members; the other is 'apps/hello'"


def missing_slot_source(space) -> str:  # type: ignore[no-untyped-def]
    space.append(MANIFEST, '\n[[tool.flavor.slots]]\nid = "models"\nsource = "models"\n')
    return (
        f"{MANIFEST}: tool.flavor.slots[0].source: 'models' is missing; expected a file, a folder or a pattern that "
        "matches something"
    )


def unknown_key(space) -> str:  # type: ignore[no-untyped-def]
    space.append(MANIFEST, "slotz = 1\n")
    return f"{MANIFEST}: tool.flavor.slotz: unknown key\n  hint: did you mean 'slots'?"


def bad_version(space) -> str:  # type: ignore[no-untyped-def]
    space.replace(MANIFEST, '"0.1.0"', '"0.1.x"')
    return f"{MANIFEST}: project.version: '0.1.x' is not a version; expected a PEP 440 version like 1.2.0"


def member_without_manifest(space) -> str:  # type: ignore[no-untyped-def]
    space.write("apps/empty/x.txt", "x\n")
    return (
        "apps/empty: is a member without a manifest; expected one of mojo.toml, pyproject.toml, package.yaml\n"
        "  hint: add one, or remove the folder from workspace.members in packyard.toml"
    )


def import_name_not_an_identifier(space) -> str:  # type: ignore[no-untyped-def]
    space.write("apps/bad-name/mojo.toml", '[project]\nname = "bad-name"\nversion = "0.1.0"\n')
    space.write("apps/bad-name/__init__.mojo", "")
    space.append("packyard.toml", '[toolchain]\nmojo = "1.0.0"\n')
    return (
        "apps/bad-name/mojo.toml: the package's folder 'bad-name' cannot be imported; "
        "expected an identifier (letters, digits, _)\n"
        '  hint: rename the folder, or name the package: [packages] with NAME = "."'
    )


def lock_for_other_dependencies(space) -> str:  # type: ignore[no-untyped-def]
    space.write(
        "apps/hello/pylock.toml",
        'lock-version = "1.0"\ncreated-by = "hand"\npackages = []\n',
    )
    return "apps/hello/pylock.toml: "


CASES: list[Callable[..., str]] = [
    misspelled_function, missing_module, two_of_one_name, missing_slot_source, unknown_key, bad_version,
    member_without_manifest, import_name_not_an_identifier, lock_for_other_dependencies,
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_bad_member_is_said_once_and_nothing_is_written(app, case: Callable[..., str]) -> None:  # type: ignore[no-untyped-def]
    message = case(app)
    before = app.files()
    done = app.packyard(status=1)
    assert done.out == ""
    assert done.err.startswith(f"error: {message}")
    assert done.err.count("error: ") == 1
    stock = app.doit(status=3)
    assert message in stock.err
    if (app.root / "__pycache__").exists():  # of dodo.py, Python's own
        app.remove("__pycache__")
    assert app.files() == before


def test_library_without_modules_gives_no_empty_wheel(app) -> None:  # type: ignore[no-untyped-def]
    app.write("packyard.toml", '[workspace]\nname = "w"\nmembers = ["my-lib"]\n')
    app.write("my-lib/pyproject.toml", '[project]\nname = "my-lib"\nversion = "1.0"\n')
    app.write("my-lib/other/__init__.py", "")
    app.packyard()  # nobody needs it: it may only hold what a workspace's tools read
    done = app.packyard("wheel:my-lib", status=1)
    assert (
        "  'my-lib' has no [build-system] and no module 'my_lib', so its wheel would be empty\n"
        '    hint: say what builds it: [build-system] with requires = ["setuptools>=77"] and build-backend = '
        '"setuptools.build_meta"\n'
    ) in done.out
    app.write("my-lib/src/my_lib.py", "")
    assert app.packyard("wheel:my-lib").ran == ["wheel:my-lib"]


@pytest.mark.real
@pytest.mark.long
def test_wheel_with_another_hash_is_refused(app) -> None:  # type: ignore[no-untyped-def]
    reach = {k: v for k, v in network.environment().items() if not k.startswith(("HOME", "XDG"))}
    app.env.update(reach)
    app.packyard("env:hello")
    [lock] = (app.root / ".packyard" / "locks" / "hello").glob("pylock.*.toml")
    text = lock.read_text()
    lock.write_text(re.sub(r'sha256 = "[0-9a-f]{8}', 'sha256 = "00000000', text))
    app.remove(".packyard/trace.sqlite")
    done = app.packyard("bundle:hello", status=1)
    assert done.failed == ["env:hello"]
    assert "the lock expects 00000000" in done.out
    assert "skipped because of that: " in done.out
    assert not list(app.root.glob("dist/*"))
    lock.write_text(text)
    assert app.packyard("env:hello").restored == ["env:hello"]
