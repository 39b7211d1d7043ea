"""The arrows: who may import whom, which names exist, and what no file may say."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import uv
from packyard.tasks.engine.graph.graph import KINDS

ROOT = Path(__file__).parent.parent
FORMATS = sorted((ROOT / "formats").rglob("*.py"))
TASKS = sorted((ROOT / "tasks").rglob("*.py"))
# What tells time, place or person, or reaches out: a format computes with what its caller gives.
OUTSIDE = {
    "subprocess", "socket", "ssl", "urllib", "http", "ftplib", "asyncio", "multiprocessing", "threading", "logging",
    "time", "random", "secrets", "uuid", "getpass", "platform", "locale", "importlib",
}  # fmt: skip
OUTSIDE_NAMES = {
    "environ", "environb", "getenv", "urandom", "getcwd", "getpid", "stdin", "stdout", "stderr", "now", "today",
    "utcnow",
}  # fmt: skip
COMPUTING = {"cryptography", "xxhash", "packaging", "semver", "yaml", "zlib_ng", "tomlkit"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    """The full names of all modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if name_of(path) == "tasks/kinds/bundle/inside/runtime_module.py" and node.level == 1:
                continue  # it travels, and its package has another name there
            assert node.level == 0, f"{name_of(path)}: imports by full names only"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def importers(package: str) -> set[str]:
    return {name_of(path) for path in [*FORMATS, *TASKS] if package in {name.split(".")[0] for name in imports(path)}}


@pytest.mark.parametrize("path", FORMATS, ids=name_of)
def test_format_imports_only_what_computes(path):
    for name in imports(path):
        top = name.split(".")[0]
        if top == "packyard":
            assert name.startswith("packyard.formats."), name
        else:
            assert top in COMPUTING or top in sys.stdlib_module_names - OUTSIDE, name


@pytest.mark.parametrize("path", FORMATS, ids=name_of)
def test_format_knows_neither_environment_nor_output(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            assert node.attr not in OUTSIDE_NAMES
        if isinstance(node, ast.Name):
            assert node.id not in ("print", "input")


@pytest.mark.parametrize("kind", KINDS)
def test_kind_imports_no_other_kind(kind):
    others = {f"packyard.tasks.{other}" for other in KINDS if other != kind}
    found = set(imports(ROOT / "tasks" / f"{kind}.py"))
    assert not {name for name in found for other in others if name == other or name.startswith(f"{other}.")}


@pytest.mark.parametrize("kind", KINDS)
def test_kind_knows_no_engine(kind):
    engine = {
        "build",
        "front",
        "loader",
        "cli",
        "trace",
        "store",
        "sandbox",
        "memo",
        "plan",
        "opening",
        "null",
        "graph",
    }
    assert not {
        name for name in imports(ROOT / "tasks" / f"{kind}.py") if name.split(".")[2:3] and name.split(".")[2] in engine
    }


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("rich", {"tasks/console/live.py"}),
        (
            "subprocess",
            {"tasks/host/process.py", "tasks/kinds/bundle/inside/runtime_slots.py"},
        ),  # the second one travels in bundles
        ("networkx", {"tasks/engine/graph/critical.py"}),
        ("multiprocessing", set()),
        ("logging", set()),
    ],
)
def test_package_is_imported_in_one_place(package, allowed):
    assert importers(package) <= allowed


def test_doit_is_known_to_the_front_door_only():
    assert all(name.startswith(("tasks/console/", "tasks/commands/")) for name in importers("doit"))


def test_commands_are_imported_by_the_entry_only():
    for path in TASKS:
        if path.parent.name != "commands" and name_of(path) != "tasks/__main__.py":
            assert not {name for name in imports(path) if name.startswith("packyard.tasks.commands")}, name_of(path)


@pytest.mark.parametrize("path", [*FORMATS, *TASKS], ids=name_of)
def test_module_says_what_it_knows_and_is_no_drawer(path):
    assert path.stem not in ("utils", "util", "helpers", "helper", "common", "base", "misc", "constants", "tools")
    if path.read_text(encoding="utf-8"):
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), "a module opens with one sentence"


def _packages() -> dict[str, Path]:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    folders = config["package-dir"]
    found = {}
    for package in config["packages"]:
        parent, _, last = package.rpartition(".")
        found[package] = ROOT / (folders.get(package) or f"{folders[parent]}/{last}")
    return found


def test_every_source_file_belongs_to_a_package_of_the_wheel():
    packed = {path for folder in _packages().values() for path in folder.glob("*.py")}
    assert packed == {*FORMATS, *TASKS}
    assert all((folder / "__init__.py").is_file() for folder in _packages().values())


def test_top_level_has_one_python_file():
    assert {path.name for path in ROOT.glob("*.py")} <= {"dodo.py"}


@pytest.mark.real
def test_wheel_holds_exactly_our_files(tmp_path):
    subprocess.run([uv.find_uv_bin(), "build", "--wheel", "--quiet", "--out-dir", tmp_path, ROOT], check=True)
    wheel = next(tmp_path.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    wanted = {
        f"{package.replace('.', '/')}/{path.name}"
        for package, folder in _packages().items()
        for path in folder.glob("*.py")
    }
    assert names == wanted


# Assembled, so that this file does not hold what it looks for.
FORBIDDEN = re.compile(
    "|".join(
        [re.escape(f"{name}.{top}") for name, top in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"))]
        + [rf"(?<![\w.]){re.escape(f'/{name}/')}" for name in ("work", "root", "home")]
    )
)
TEXTS = ("*.py", "*.toml", "*.md", "*.yaml", "*.yml", "*.mojo", "*.loc", "*.cfg", "*.sh")


@pytest.mark.parametrize(
    "folder", ["tasks", "formats", "tests", "examples", "docs", "benchmarks", "."], ids=lambda name: name or "top"
)
def test_no_file_names_a_registry_host_or_a_machine_path(folder):
    walk = (ROOT / folder).glob if folder == "." else (ROOT / folder).rglob
    found = [
        f"{name_of(path)}:{number}: {line.strip()}"
        for pattern in TEXTS
        for path in sorted(walk(pattern))
        if not {".packyard", "node_modules", ".venv"} & {*path.parts}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if FORBIDDEN.search(line)
    ]
    assert found == []
