from __future__ import annotations

from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.tasks.kinds.python.version import version
from packyard.tasks.workspace.workspace import read_workspace

DYNAMIC = '[project]\nname = "my-app"\ndynamic = ["version"]\n'


def known(root: Path, pyproject: str, files: dict[str, str]) -> str:
    for path, text in {"packyard.toml": '[workspace]\nname = "w"\nmembers = ["app"]\n', **files}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (root / "app").mkdir(exist_ok=True)
    (root / "app/pyproject.toml").write_text(pyproject)
    space = read_workspace(root)
    return version(space.members[0], space)


def backend(name: str) -> str:
    return f'{DYNAMIC}[build-system]\nrequires = ["x"]\nbuild-backend = "{name}"\n'


@pytest.mark.parametrize(
    ("pyproject", "files"),
    [
        ('[project]\nname = "a"\nversion = "1.2.0"\n', {}),
        (backend("setuptools.build_meta") + '[tool.setuptools.dynamic]\nversion = {attr = "pkg.about.VERSION"}\n',
         {"app/src/pkg/about.py": 'VERSION = "1.2.0"\n'}),
        (backend("setuptools.build_meta") + '[tool.setuptools]\npackage-dir = {"" = "lib"}\n'
         '[tool.setuptools.dynamic]\nversion = {attr = "pkg.__version__"}\n',
         {"app/lib/pkg/__init__.py": '__version__ = "1.2.0"\n'}),
        (backend("setuptools.build_meta") + '[tool.setuptools.dynamic]\nversion = {file = ["VERSION"]}\n',
         {"app/VERSION": "1.2.0\n"}),
        (backend("hatchling.build") + '[tool.hatch.version]\npath = "src/a.py"\n',
         {"app/src/a.py": "__version__ = 'v1.2.0'\n"}),
        (backend("flit_core.buildapi"), {"app/my_app.py": '"""Docs."""\n__version__ = "1.2.0"\n'}),
        (backend("flit_core.buildapi") + '[tool.flit.module]\nname = "other"\n',
         {"app/src/other/__init__.py": '__version__ = "1.2.0"\n'}),
        (backend("pdm.backend") + '[tool.pdm.version]\nsource = "file"\npath = "v.py"\n',
         {"app/v.py": '__version__ = "1.2.0"\n'}),
    ],
)  # fmt: skip
def test_version_is_known_without_a_build(tmp_path: Path, pyproject: str, files: dict[str, str]) -> None:
    assert known(tmp_path, pyproject, files) == "1.2.0"


@pytest.mark.parametrize(
    ("pyproject", "message"),
    [
        (backend("setuptools.build_meta") + "[tool.setuptools_scm]\n",
         "setuptools_scm computes it from version control, which a build does not see"),
        (backend("setuptools.build_meta") + '[tool.setuptools.dynamic]\nversion = {attr = "pkg.v"}\n',
         "the module 'pkg' that sets it was not found"),
        (backend("hatchling.build") + '[tool.hatch.version]\nsource = "vcs"\n',
         "only hatch itself can compute it from 'vcs'"),
        (backend("maturin"), "only the backend 'maturin' can compute it"),
    ],
)  # fmt: skip
def test_version_that_only_a_backend_knows_is_an_error(tmp_path: Path, pyproject: str, message: str) -> None:
    with pytest.raises(FormatError) as error:
        known(tmp_path, pyproject, {})
    assert str(error.value) == (
        f"app/pyproject.toml: project.version: is dynamic, and {message}\n"
        "  hint: a static version in [project] always works"
    )
