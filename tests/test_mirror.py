"""Every module of some size has its test where one looks for it, and every test is a module's.

`tasks/a/b.py` is tested in `tests/tasks/a/test_b.py`; the two halves of a kind, `b.py` and `make_b.py`, may share it,
and `test_b_real.py` drives real tools.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
LINES = 150  # of a module that must have a test of its own

# Modules that are shown elsewhere: by the command in front of them, or by what they are the larger part of.
ELSEWHERE = {
    "tasks/commands/pack.py": "tests/e2e/test_pack.py",
    "tasks/engine/build/repro.py": "tests/tasks/commands/test_repro.py",
    "tasks/index/lock.py": "tests/tasks/commands/test_lock.py",
    "tasks/kinds/bundle/inside/runtime_module.py": "tests/tasks/kinds/bundle/test_program.py",
    "tasks/kinds/bundle/inside/runtime_slots.py": "tests/tasks/kinds/bundle/test_lifecycle_real.py",
    "tasks/kinds/cleanroom/bundle.py": "tests/tasks/kinds/cleanroom/test_cleanroom.py",
    "tasks/kinds/cleanroom/mojo.py": "tests/tasks/kinds/cleanroom/test_cleanroom_real.py",
    "tasks/kinds/interpreter/make_runtime.py": "tests/tasks/kinds/python/test_python_real.py",
    "tasks/kinds/mojo/dependencies.py": "tests/tasks/kinds/mojo/test_mojo.py",
    "tasks/kinds/mojo/install.py": "tests/tasks/commands/test_mojolibrary.py",
    "tasks/kinds/mojo/package.py": "tests/tasks/kinds/mojo/test_mojo.py",
    "tasks/kinds/morloc/install.py": "tests/tasks/commands/test_install.py",
    "tasks/kinds/morloc/lintwarnings.py": "tests/tasks/kinds/morloc/test_lint.py",
    "tasks/kinds/morloc/planechange.py": "tests/tasks/kinds/morloc/test_planefolder.py",
    "tasks/kinds/morloc/sources.py": "tests/tasks/kinds/morloc/test_lock.py",
    "tasks/kinds/morloc/verify.py": "tests/tasks/kinds/morloc/test_planefolder.py",
    "tasks/publish/checklist/artifacts.py": "tests/tasks/commands/test_check.py",
    "tasks/publish/checklist/documents.py": "tests/tasks/commands/test_check.py",
    "tasks/publish/checklist/evidence.py": "tests/tasks/commands/test_check.py",
    "tasks/publish/workflowtexts.py": "tests/tasks/publish/test_workflow.py",
}
# Tests of more than one module.
OF_MANY = {
    "tests/formats/test_mutations.py": "all readers",
    "tests/formats/pspf/test_fuzz.py": "all readers of bundles",
    "tests/formats/pspf/test_interop.py": "writer and reader, beside FlavorPack's",
    "tests/formats/pspf/test_interop_table.py": "the table of docs/interoperation.md",
    "tests/tasks/kinds/bundle/test_lifecycle_real.py": "slots of started bundles",
    "tests/tasks/kinds/bundle/test_platform_real.py": "bundles for other platforms",
    "tests/tasks/kinds/mojo/test_workspace_real.py": "the engine and a real compiler",
    "tests/tasks/kinds/python/test_python_real.py": "wheels, environments and bundles together",
}


def modules() -> Iterator[str]:
    for folder in ("formats", "tasks"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if path.name != "__init__.py":
                yield path.relative_to(ROOT).as_posix()


def files_of_tests() -> Iterator[str]:
    for folder in ("formats", "tasks"):
        for path in sorted((ROOT / "tests" / folder).rglob("test_*.py")):
            yield path.relative_to(ROOT).as_posix()


def places(module: str) -> set[str]:
    """Where the tests of a module may stand."""
    folder, _, name = module.removesuffix(".py").rpartition("/")
    names = {name, name.strip("_"), name.removeprefix("make_")}
    return {f"tests/{folder}/test_{name}{end}.py" for name in names for end in ("", "_real")}


def has_test(module: str) -> bool:
    return any((ROOT / place).is_file() for place in places(module))


def test_module_of_some_size_has_a_test() -> None:
    without = [module for module in modules() if not has_test(module) and module not in ELSEWHERE]
    sizes = {module: len((ROOT / module).read_text(encoding="utf-8").splitlines()) for module in without}
    assert {module: lines for module, lines in sizes.items() if lines >= LINES} == {}


def test_module_that_is_shown_elsewhere_has_no_test_of_its_own() -> None:
    assert [module for module in ELSEWHERE if has_test(module)] == []
    assert [test for test in ELSEWHERE.values() if not (ROOT / test).is_file()] == []


def test_every_test_is_of_a_module() -> None:
    mirrored = {place for module in modules() for place in places(module)}
    assert [test for test in files_of_tests() if test not in mirrored and test not in OF_MANY] == []


def test_lists_name_what_is_there() -> None:
    assert set(ELSEWHERE) - set(modules()) == set()
    assert set(OF_MANY) - set(files_of_tests()) == set()
