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
from typing import NamedTuple

import pytest
import uv
from packyard.tasks.kinds import KINDS

ROOT = Path(__file__).parent.parent
FORMATS = sorted((ROOT / "formats").rglob("*.py"))
TASKS = sorted((ROOT / "tasks").rglob("*.py"))


class Room(NamedTuple):
    """A folder (or module) and what it is for. It imports what stands on lower floors; of its own floor only what it
    `knows`."""

    floor: int
    path: str
    purpose: str
    knows: tuple[str, ...] = ()


# The plan of the house, top to bottom. docs/architecture.md shows it, and every import is held to it.
ROOMS = (
    Room(10, "tasks/commands", "one file for each command: words -> exit status"),
    Room(9, "tasks/console", "the terminal and doit"),
    Room(8, "tasks/web", "pages for browsers on this machine"),
    Room(7, "tasks/publish", "the repository's own release"),
    Room(6, "tasks/kinds", "what can be made"),
    Room(6, "tasks/engine", "how anything is made; knows no kind by name"),
    Room(5, "tasks/index", "the package index"),
    Room(5, "tasks/texts", "texts that receivers get"),
    Room(4, "tasks/target", "the contract between kinds and engine"),
    Room(4, "tasks/workspace", "what is on disk"),
    Room(3, "tasks/host", "this machine"),
    Room(2, "tasks/errors", "the classes of error"),
    Room(2, "tasks/nullpath", "the path of a run with nothing to do"),
    Room(1, "formats", "file formats: text and bytes to frozen values, and back"),
)
ENTRIES = (
    "tasks/__init__",
    "tasks/__main__",
)  # where doit and the command line come in: they hand over to the commands
# The rooms inside of a room, and which others of the same room each may import.
INSIDE = {
    "tasks/kinds": {
        "interpreter": (),
        "python": ("interpreter",),
        "docs": ("interpreter", "python"),
        "bundle": ("interpreter", "python", "docs"),
        "mojo": (),
        "morloc": (),
        "archive": ("docs", "mojo"),
        "delivery": ("python", "mojo", "morloc"),
        "cleanroom": ("interpreter", "python", "docs", "bundle", "mojo", "morloc", "archive", "delivery"),
    },
    "tasks/engine": {
        "store": (),
        "trace": (),
        "graph": ("store", "trace"),
        "execute": ("store", "trace"),
        "build": ("store", "trace", "graph", "execute"),
    },
    "formats": {
        "": (),  # the modules that stand directly in formats/
        "text": ("",),
        "archive": ("",),
        "python": ("", "text", "archive"),
        "pspf": ("", "text", "archive"),
        "morloc": ("", "text", "archive", "python", "pspf"),
        "mojo": ("", "text", "archive", "python", "pspf"),
        "workspace": ("", "text", "archive", "python", "pspf", "morloc", "mojo"),
    },
}
LONGEST = {"module": 300, "class": 200, "function": 50}  # lines
# What may be longer, and why. At most five.
LONGER: dict[str, str] = {
    "tasks/kinds/bundle/inside/runtime_slots.py": "travels in bundles as one file, and imports nothing of ours there",
}
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


def room_of(name: str) -> Room | None:
    """The room that a module ('tasks/kinds/mojo/mojo') stands in."""
    return next((room for room in ROOMS if name == room.path or name.startswith(f"{room.path}/")), None)


def modules_imported(path: Path) -> Iterator[str]:
    """The modules of Packyard that a file imports, as paths without an ending."""
    for name in imports(path):
        if name.startswith("packyard."):
            words = name.split(".")[1:]
            while words and not (ROOT / "/".join(words)).is_dir() and not (ROOT / f"{'/'.join(words)}.py").is_file():
                words.pop()
            yield "/".join(words)


def inner(name: str, room: str) -> str:
    """The room inside of `room` that a module stands in, '' when it stands directly there."""
    first, _, rest = name.removeprefix(room).strip("/").partition("/")
    return first if rest or (ROOT / room / first).is_dir() else ""


@pytest.mark.parametrize("path", [*FORMATS, *TASKS], ids=name_of)
def test_imports_lead_down(path):
    name = name_of(path).removesuffix(".py")
    here = room_of(name)
    assert here or name in ENTRIES, "a module stands in a room"
    if here is None:
        return
    for other in modules_imported(path):
        there = room_of(other)
        assert there, f"{other} stands in no room"
        assert there == here or there.floor < here.floor, f"{here.path} -> {other}"


@pytest.mark.parametrize("path", [*FORMATS, *TASKS], ids=name_of)
def test_imports_inside_a_room_lead_down(path):
    name = name_of(path).removesuffix(".py")
    here = room_of(name)
    if here is None or here.path not in INSIDE:
        return
    rooms = INSIDE[here.path]
    mine = inner(name, here.path)
    for other in modules_imported(path):
        if room_of(other) == here and inner(other, here.path) != mine and other != here.path:
            assert inner(other, here.path) in rooms[mine], f"{name} -> {other}"


@pytest.mark.parametrize("path", [path for path in TASKS if path.name.startswith("make_")], ids=name_of)
def test_making_reads_no_workspace(path):
    assert not [name for name in modules_imported(path) if name.startswith(("tasks/workspace", "tasks/engine"))]


@pytest.mark.parametrize("path", sorted((ROOT / "tasks/kinds/bundle/inside").glob("*.py")), ids=name_of)
def test_what_travels_in_bundles_imports_nothing_of_ours(path):
    assert not list(modules_imported(path))


@pytest.mark.parametrize("path", sorted((ROOT / "tasks/engine").rglob("*.py")), ids=name_of)
def test_engine_names_no_kind(path):
    texts = {
        node.value for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Constant)
    }
    starts = ("packyard.tasks.kinds", *(f"{kind}:" for kind in KINDS))
    texts -= {"dist"}  # where artifacts lie
    assert not {text for text in texts if isinstance(text, str) and (text in KINDS or text.startswith(starts))}


def test_modules_classes_and_functions_are_short():
    long = []
    for path in [*FORMATS, *TASKS]:
        text = path.read_text(encoding="utf-8")
        found = [("module", "", text.count("\n"))]
        for node in ast.walk(ast.parse(text)):
            kind = {ast.ClassDef: "class", ast.FunctionDef: "function"}.get(type(node))
            if kind:
                found.append((kind, f":{node.name}", node.end_lineno - node.lineno + 1))
        long += [name_of(path) + name for kind, name, size in found if size > LONGEST[kind]]
    assert sorted(long) == sorted(LONGER)
    assert len(LONGER) <= 5


def test_page_shows_the_rooms():
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    assert picture() in page, f"docs/architecture.md needs this picture:\n{picture()}"


def picture() -> str:
    """The rooms as docs/architecture.md shows them: a line for each floor, and the rooms inside of three of them."""
    lines = []
    for floor in sorted({room.floor for room in ROOMS}, reverse=True):
        lines += [f"    {floor:2}  {room.path:16} {room.purpose}" for room in ROOMS if room.floor == floor]
    for path, rooms in INSIDE.items():
        lines += ["", f"    {path}:"]
        for name, below in rooms.items():
            if name:
                lines.append(f"        {name:12} imports {', '.join(filter(None, below)) or 'none of these'}")
    return "\n".join(lines)


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


def test_doit_is_known_to_the_console_and_commands_only():
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
    """The folder of each package that the wheel holds."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    assert config["package-dir"] == {"packyard.tasks": "tasks", "packyard.formats": "formats"}
    return {name: ROOT / name.removeprefix("packyard.").replace(".", "/") for name in config["packages"]}


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
