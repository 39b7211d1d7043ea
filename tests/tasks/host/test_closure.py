"""Closures: what an action reaches is in its key, and nothing else of Packyard is."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

import pytest
from packyard.tasks.engine.build.build import Build
from packyard.tasks.engine.build.opening import read_only_graph
from packyard.tasks.engine.execute import plain, sandbox
from packyard.tasks.engine.store.store import Store
from packyard.tasks.engine.trace.trace import Trace
from packyard.tasks.host import closure
from packyard.tasks.host.closure import LIBRARIES, closure_of, imported
from packyard.tasks.host.own import TASKS, own_files
from packyard.tasks.kinds import TABLE
from packyard.tasks.target.room import Room

ROOT = TASKS.parent
OWN = {path.relative_to(ROOT).as_posix(): path for path in own_files()}
TRAVELS = "tasks/kinds/bundle/inside/"  # what runs in bundles, with the libraries that are there


def statements(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports below a node that can be run by what is in Packyard."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING") and not (
            isinstance(node, ast.FunctionDef) and node.name == "__getattr__" and isinstance(tree, ast.Module)
        ):
            yield from statements(node)


def names(path: Path) -> set[str]:
    """The full names of everything that a file imports, by its syntax tree."""
    found: set[str] = set()
    for node in statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif not node.level:
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def file_of(module: str) -> str | None:
    path = "/".join(module.split(".")[1:])
    return next((file for file in (f"{path}.py", f"{path}/__init__.py") if file in OWN), None)


def module_of(file: str) -> str:
    return "packyard." + file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def graph_of_imports() -> dict[str, set[str]]:
    """By file, the files that it imports, with the `__init__` of each package on the way, and those it declares."""
    found: dict[str, set[str]] = {}
    for file, path in OWN.items():
        modules = {module_of(file), *(name for name in names(path) if name.startswith("packyard."))}
        modules |= {
            line[11:] for line in path.read_text(encoding="utf-8").split("\n") if line.startswith("# closure: ")
        }
        packages = {name.rsplit(".", cut)[0] for name in modules for cut in range(name.count("."))}
        found[file] = {one for name in modules | packages if (one := file_of(name))}
    return found


def makers() -> list[str]:
    """The modules of kinds with a function that takes a room alone, which is what an action calls."""
    return sorted(
        module_of(file)
        for file, path in OWN.items()
        if file.startswith("tasks/kinds/")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and len(node.args.args) == 1 and node.args.args[0].arg == "room"
    )


MAKERS = dict.fromkeys(makers())


@pytest.mark.parametrize("file", OWN)
def test_imports_by_pattern_are_those_of_the_syntax_tree(file: str) -> None:
    assert names(OWN[file]) <= set(imported(OWN[file].read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import a, b.c as d  # e\n", {"a", "b.c"}),
        (
            "def f():\n    from a.b import (  # why\n        c,  # d\n        e as f,\n    )\n",
            {"a.b", "a.b.c", "a.b.e"},
        ),
        ("if TYPE_CHECKING:\n    from a import b\n\n    import c\nimport d\n", {"d"}),
        ("def __getattr__(name):\n    from a import b\n\nimport c\n", {"c"}),
        ("# closure: packyard.formats.elf\n# closure: see there\n", {"packyard.formats.elf"}),
        ("x = 'important'\nfromage = 1\n", set()),
    ],
)
def test_imports_of_a_text(text: str, found: set[str]) -> None:
    assert set(imported(text)) == found


def test_nothing_imports_what_a_package_makes_when_it_is_asked() -> None:
    lazy = {"packyard.tasks.DOIT_CONFIG", "packyard.tasks.task_packyard", "packyard.tasks.*"}
    assert not [file for file, path in OWN.items() if names(path) & lazy]


def test_every_library_is_known() -> None:
    for file, path in OWN.items():
        tops = {name.partition(".")[0] for name in names(path)} - sys.stdlib_module_names
        assert file.startswith(TRAVELS) or tops <= {*LIBRARIES, "packyard", "_ssl", "_imp"}, file


def test_closures_are_those_of_the_syntax_trees() -> None:
    edges = graph_of_imports()
    for module in MAKERS:
        waiting, reached = [str(file_of(module))], set()
        while waiting:
            if (file := waiting.pop()) not in reached:
                reached.add(file)
                waiting.extend(edges[file])
        assert set(closure_of(module).files) == reached, module


def test_what_is_imported_by_name_or_read_as_a_file_is_declared() -> None:
    known = {
        "tasks/host/own.py",  # names the folder of Packyard; whoever reads in it has a name of it too
        "tasks/workspace/watch.py",  # asks again what a graph was read from, which no action does
    }
    for file in {file for module in MAKERS for file in closure_of(module).files} - known:
        if file.startswith(TRAVELS):
            continue
        text = OWN[file].read_text(encoding="utf-8")
        called = {ast.unparse(node.func) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)}
        named = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
        if called & {"importlib.import_module", "import_module", "__import__"} or "__file__" in named:
            assert "\n# closure: " in text, f"{file}: declare what is imported by name or read: # closure: MODULE"


def test_declared_modules_are_there() -> None:
    for path in OWN.values():
        declared = [
            line[11:] for line in path.read_text(encoding="utf-8").split("\n") if line.startswith("# closure: ")
        ]
        assert [module for module in declared if file_of(module) is None] == []


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Packyard in a copy; what forgets how one of its files looks."""
    for folder in ("tasks", "formats"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    looked: dict[str, object] = {}
    look = closure._look.__wrapped__

    def remembered(file: str) -> object:
        if file not in looked:
            looked[file] = look(file)
        return looked[file]

    monkeypatch.setattr(closure, "_ROOT", tmp_path)
    monkeypatch.setattr(closure, "_look", remembered)
    closure_of.cache_clear()

    def forget(file: str) -> None:
        looked.pop(file, None)
        closure_of.cache_clear()

    yield forget
    closure_of.cache_clear()


def test_a_changed_module_changes_the_keys_of_what_reaches_it_and_of_nothing_else(
    copied: Callable[[str], None], tmp_path: Path
) -> None:
    edges = graph_of_imports()
    before = {module: closure_of(module) for module in MAKERS}
    for file in OWN:
        reaching, waiting = set(), [file]
        while waiting:
            if (one := waiting.pop()) not in reaching:
                reaching.add(one)
                waiting.extend(other for other, to in edges.items() if one in to)
        text = (tmp_path / file).read_text(encoding="utf-8")
        (tmp_path / file).write_text(f"{text}\n# changed\n", encoding="utf-8")
        copied(file)
        changed = {module for module in MAKERS if closure_of(module).digest != before[module].digest}
        assert changed == {module for module in MAKERS if file_of(module) in reaching}, file
        (tmp_path / file).write_text(text, encoding="utf-8")
        copied(file)
    assert {module: closure_of(module) for module in MAKERS} == before


@pytest.mark.parametrize(
    "file",
    ["tasks/commands/why.py", "tasks/console/display.py", "tasks/web/siteserver.py", "tasks/engine/build/verdict.py"],
)
def test_what_only_people_see_is_in_no_closure(file: str) -> None:
    assert not [module for module in MAKERS if file in closure_of(module).files]


def test_writers_are_in_the_closures_of_what_they_write() -> None:
    with_pspf = {module for module in MAKERS if "formats/pspf/writer.py" in closure_of(module).files}
    assert "packyard.tasks.kinds.bundle.make_bundle" in with_pspf
    assert "packyard.tasks.kinds.archive.make_archive" not in with_pspf
    assert "formats/archive/tarball.py" in closure_of("packyard.tasks.kinds.archive.make_archive").files


def test_another_version_of_a_library_is_another_closure(monkeypatch: pytest.MonkeyPatch) -> None:
    module = "packyard.tasks.kinds.bundle.make_bundle"
    before = closure_of(module)
    assert dict(before.libraries)["cryptography"] == metadata.version("cryptography")
    version = closure._version
    monkeypatch.setattr(closure, "_version", lambda name: "0" if name == "cryptography" else version(name))
    closure_of.cache_clear()
    try:
        assert closure_of(module).digest != before.digest
        assert closure_of("packyard.tasks.kinds.docs.make_docs").libraries == (("zlib-ng", version("zlib-ng")),)
    finally:
        closure_of.cache_clear()


def test_closure_of_a_module_that_is_not_ours_is_all_of_packyard() -> None:
    assert set(closure_of("m").files) == {*OWN}


def test_records_are_files_of_the_installed_versions() -> None:
    found = {path.parent.name.partition("-")[0].lower().replace("_", "-"): path for path in closure.records()}
    assert all(path.is_file() for path in found.values())
    assert {"cryptography", "zlib-ng", "packaging"} <= found.keys()


# what real actions load --------------------------------------------------------------------------------------

# Runs one action as the plain way does, and tells what it loaded, and which other files of Packyard it opened.
CHILD = """
import importlib, json, pickle, sys
opened, early, root = set(), set(sys.modules), sys.argv[3]
def see(event, args):
    if event == "open" and str(args[0]).startswith(root):
        opened.add(str(args[0]))
sys.addaudithook(see)
module, _, name = sys.argv[1].partition(":")
function = getattr(importlib.import_module(module), name)
room = pickle.load(open(sys.argv[2], "rb"))
from packyard.tasks.target.params import typed
function(typed(function, room))
loaded = {name: getattr(module, "__file__", None) or "" for name, module in sys.modules.items() if name not in early}
print(json.dumps([loaded, sorted(opened)]))
"""
FILES = {
    "packyard.toml": '[workspace]\nname = "w"\nmembers = ["app", "m"]\n'
    '[[archive]]\nname = "one"\nversion = "1.0.0"\ninclude = ["src"]\n'
    '[[archive]]\nname = "two"\nversion = "1.0.0"\nformat = "zip"\ninclude = ["src"]\n',
    "src/a.txt": "a\n",
    "app/pyproject.toml": '[project]\nname = "app"\nversion = "1.0"\n[tool.flavor]\nentry_point = "app:main"\n'
    '[[tool.flavor.slots]]\nid = "s"\nsource = "static"\n',
    "app/app.py": "def main(): ...\n",
    "app/static/a.txt": "a\n",
    "m/package.yaml": "name: m\nversion: 0.1.0\nsynopsis: null\n",
    "m/main.loc": "module m (*)\n",
}
RUN = {"make_archive", "make_slot", "make_plain_wheel", "make_morloc"}
Loaded = tuple[dict[str, str], list[str]]


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Loaded]:
    """By action, what it loaded and opened in a process of its own."""
    monkeypatch.setenv("PACKYARD_CONFIG_DIR", str(tmp_path / "config"))
    (tmp_path / "rooms").mkdir()
    monkeypatch.setattr(sandbox, "base", lambda: tmp_path / "rooms")
    for path, text in FILES.items():
        (tmp_path / "w" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "w" / path).write_text(text)
    found: dict[str, Loaded] = {}

    def invoke(run: str, room: Room[object]) -> None:
        import pickle

        (tmp_path / "room").write_bytes(pickle.dumps(room))
        words = [sys.executable, "-c", CHILD, run, str(tmp_path / "room"), str(ROOT)]
        env = {
            "PYTHONPATH": str(Path(sys.modules["packyard.tasks"].__file__ or "").parents[2]),
            "PATH": "/usr/bin:/bin",
        }
        said = subprocess.run(words, check=True, capture_output=True, text=True, env=env).stdout
        found[run] = tuple(json.loads(said))

    monkeypatch.setattr(plain, "invoke", invoke)
    graph = read_only_graph(tmp_path / "w", TABLE)
    build = Build(tmp_path / "w", graph, Trace(tmp_path / "w"), lambda: Store(tmp_path / "store"), print)
    wanted = [name for name, target in graph.targets.items() if target.run.rpartition(":")[2] in RUN]
    build.plan(wanted)
    for name in wanted:
        assert build.make(name).how == "ran", build.outcomes[name].message
    build.close()
    build.trace.close()
    return found


def test_real_actions_load_and_read_nothing_that_their_closures_lack(loaded: Mapping[str, Loaded]) -> None:
    assert {run.rpartition(":")[2] for run in loaded} == RUN
    behind = metadata.packages_distributions()
    for run, (modules, opened) in loaded.items():
        found = closure_of(run.partition(":")[0])
        ours = {name: file_of(name) for name in modules if name.startswith(("packyard.tasks", "packyard.formats"))}
        assert set(ours.values()) <= {*found.files}, run
        tops = {name.partition(".")[0] for name in modules} - {"packyard"} - sys.stdlib_module_names
        libraries = {one.lower() for top in tops for one in behind.get(top, ())}
        assert libraries <= {name.lower() for name, _ in found.libraries}, run
        read = {Path(path).relative_to(ROOT).as_posix() for path in opened if not path.endswith(".pyc")}
        read = {path.removeprefix("typings/packyard/") for path in read}
        assert {path for path in read if path.startswith(("tasks/", "formats/")) and path in OWN} <= {*found.files}, run
