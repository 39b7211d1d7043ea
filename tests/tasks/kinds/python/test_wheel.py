"""Wheels as they are planned, and those without a backend as they are made; test_python_real.py drives backends."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from packyard.formats.archive.gzipped import COMPRESSOR
from packyard.tasks.errors import ActionError
from packyard.tasks.host.gitfiles import read_gitfiles
from packyard.tasks.kinds.interpreter.choice import RUNNING, find
from packyard.tasks.kinds.interpreter.program import PythonParams
from packyard.tasks.kinds.python.make_wheel import (
    PlainWheelParams,
    WheelMetadata,
    WheelParams,
    _let_in,
    make_plain_wheel,
)
from packyard.tasks.kinds.python.wheel import targets
from packyard.tasks.target.params import read_params
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Target
from packyard.tasks.workspace.workspace import read_workspace

METADATA = WheelMetadata(
    name="app", version="1.0", requires_python=">=3.11", dependencies=("attrs",),
    extras={"more": ("rich; python_version < '4'",)}, scripts={"app": "app:main"},
)  # fmt: skip


def plan(root: Path, project: str) -> Target:
    (root / "app").mkdir()
    (root / "app/app.py").write_text("def main(): ...\n")
    (root / "app/pyproject.toml").write_text(project)
    (root / "packyard.toml").write_text('[workspace]\nname = "w"\nmembers = ["app"]\n')
    (target,) = targets(read_workspace(root))
    return target


def made(root: Path, files: dict[str, str], params: PlainWheelParams) -> dict[str, str]:
    """The files of the wheel, by path."""
    places = {name: root / name for name in ("inputs", "outputs", "scratch", "home")}
    for place in places.values():
        place.mkdir()
    for path, text in files.items():
        (places["inputs"] / path).parent.mkdir(exist_ok=True)
        (places["inputs"] / path).write_text(text)
    make_plain_wheel(Room(params=params, log=root / "log", trees={"hook:app/pre_build": root / "hook"}, **places))
    with zipfile.ZipFile(io.BytesIO((places["outputs"] / params.file).read_bytes())) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def plain(**values: str) -> PlainWheelParams:
    given = {"file": "app-1.0-py3-none-any.whl", "hook": "", **values}
    return PlainWheelParams(**given, epoch=315532800, compressor=COMPRESSOR, metadata=METADATA)


def test_plan_of_a_wheel_without_a_backend_holds_its_metadata(tmp_path: Path) -> None:
    project = (
        '[project]\nname = "app"\nversion = "1.0"\nrequires-python = ">=3.11"\ndependencies = ["attrs"]\n'
        "[project.optional-dependencies]\nmore = [\"rich; python_version < '4'\"]\n"
        '[project.scripts]\napp = "app:main"\n'
    )
    target = plan(tmp_path, project)
    assert target.run == "packyard.tasks.kinds.python.make_wheel:make_plain_wheel"
    params = read_params(PlainWheelParams, target.params)
    assert (params.file, params.hook, params.metadata) == ("app-1.0-py3-none-any.whl", "", METADATA)
    assert ([source.at for source in target.sources], target.uses) == (["app.py"], ())


def test_plan_of_a_wheel_by_a_backend_names_what_runs_it(tmp_path: Path) -> None:
    build = '[build-system]\nrequires = ["flit_core"]\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    target = plan(tmp_path, f'[project]\nname = "app"\nversion = "1.0"\n{build}')
    params = read_params(WheelParams, target.params)
    one = find(RUNNING, read_workspace(tmp_path))
    assert params.python == PythonParams(version=RUNNING, program=one.program, runtime=one.target)
    assert (params.backend, params.backend_path, params.release) == ("backend", ("",), "1.0")
    assert [use.target for use in target.uses] == [params.buildenv]


def test_wheel_without_a_backend_says_what_the_manifest_says(tmp_path: Path) -> None:
    found = made(tmp_path, {"app.py": "x = 1\n"}, plain())
    assert found["app.py"] == "x = 1\n"
    assert found["app-1.0.dist-info/METADATA"] == (
        "Metadata-Version: 2.1\nName: app\nVersion: 1.0\nRequires-Python: >=3.11\nRequires-Dist: attrs\n"
        "Provides-Extra: more\nRequires-Dist: rich ; (python_version < '4') and extra == 'more'\n"
    )
    assert found["app-1.0.dist-info/entry_points.txt"] == "[console_scripts]\napp = app:main\n"


def test_wheel_has_what_a_hook_wrote_into_its_packages(tmp_path: Path) -> None:
    for path in ("hook/src/app/data.txt", "hook/elsewhere/data.txt"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text("written\n")
    found = made(tmp_path, {"app/__init__.py": ""}, plain(hook="hook:app/pre_build"))
    assert [path for path in found if path.endswith("data.txt")] == ["app/data.txt"]


def test_wheel_without_a_module_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ActionError) as caught:
        made(tmp_path, {}, plain())
    assert str(caught.value) == (
        "'app' has no [build-system] and no module 'app', so its wheel would be empty\n"
        '  hint: say what builds it: [build-system] with requires = ["setuptools>=77"] and '
        'build-backend = "setuptools.build_meta"'
    )


def test_backend_that_reads_gitignore_leaves_in_what_the_manifest_includes(tmp_path: Path) -> None:
    for path in ("gen/a b.txt", "gen/deep/[x].py", "other/kept.log"):
        (tmp_path / "project" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "project" / path).write_text("")
    (tmp_path / "project/.gitignore").write_bytes(b"gen/\n*.log")
    _let_in(tmp_path / "project", ["gen/a b.txt", "gen/deep/[x].py"])
    found = read_gitfiles(tmp_path / "project")
    assert found is not None and found.files == {".gitignore", "gen/a b.txt", "gen/deep/[x].py"}
    before = (tmp_path / "project/.gitignore").read_bytes()
    _let_in(tmp_path / "project", [])
    assert (tmp_path / "project/.gitignore").read_bytes() == before
