"""The version of a Python member, known when the graph is made: artifacts are named by it.

A static version stands in the manifest. A dynamic one is read from where the backend's configuration says
(setuptools `attr` and `file`, hatch `path`, flit's module, pdm `file`); what only a running backend could
tell (version control, plug-ins) is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from packyard.formats.errors import FormatError, Problem
from packyard.formats.python.module import literal, read_module
from packyard.formats.python.requirement import read_python_release
from packyard.formats.text.table import Table, reading
from packyard.formats.text.toml import read_toml
from packyard.tasks.errors import PlanError
from packyard.tasks.workspace.workspace import Member, Workspace

# What hatch looks for unless told otherwise.
_HATCH_PATTERN = r"(?i)^(__version__|VERSION)(?: ?: ?str)? *= *(['\"])v?(?P<version>.+?)\2"
_ROOTS = ("src/", "")


def version(member: Member, workspace: Workspace) -> str:
    """The version of a member with a pyproject.toml, in PEP 440's normal form; PlanError when it cannot be known."""
    project = member.project
    assert project is not None
    if project.version:
        return project.version
    place = member.path("pyproject.toml")
    tool = read_toml(workspace.watch.text(place), place).get("tool", {})
    try:
        text = _dynamic(member, workspace, tool if isinstance(tool, dict) else {})
        return read_python_release(text)
    except FormatError as error:
        raise PlanError(
            *(
                Problem(
                    f"is dynamic, and {problem.message}",
                    "project.version",
                    place,
                    problem.hint or "a static version in [project] always works",
                )
                for problem in error.problems
            )
        ) from None


def _dynamic(member: Member, workspace: Workspace, tool: Mapping[str, Any]) -> str:
    assert member.project is not None
    backend = member.project.build_backend
    if backend.startswith("setuptools"):
        return _setuptools(member, workspace, tool)
    if backend.startswith("hatchling"):
        return _hatch(member, workspace, tool)
    if backend.startswith("flit_core"):
        with _settings(tool, "flit", "module") as spec:
            name = spec.text("name") or member.project.name.replace("-", "_")
        return _attribute(member, workspace, f"{name}.__version__", _ROOTS)
    if backend.startswith("pdm"):
        with _settings(tool, "pdm", "version") as spec:
            source, path = spec.text("source", "file"), spec.text("path")
        if source == "file" and path:
            return _matched(member, workspace, path, _HATCH_PATTERN)
        raise FormatError(f"only pdm itself can compute it from {source!r}")
    raise FormatError(f"only the backend {backend!r} can compute it")


def _setuptools(member: Member, workspace: Workspace, tool: Mapping[str, Any]) -> str:
    if "setuptools_scm" in tool:
        raise FormatError("setuptools_scm computes it from version control, which a build does not see")
    with _settings(tool, "setuptools") as setuptools:
        folders = setuptools.mapping("package-dir")
    with _settings(tool, "setuptools", "dynamic", "version") as spec:
        attr, file = spec.text("attr"), spec.raw("file")
    if attr:
        base = folders.get("")
        return _attribute(member, workspace, attr, (f"{base}/",) if base else _ROOTS)
    if file:
        path = file[0] if isinstance(file, list) else file
        return workspace.watch.text(member.path(str(path))).strip()
    raise FormatError("[tool.setuptools.dynamic] has neither attr nor file for it")


def _hatch(member: Member, workspace: Workspace, tool: Mapping[str, Any]) -> str:
    with _settings(tool, "hatch", "version") as spec:
        source, path, pattern = spec.text("source", "regex"), spec.text("path"), spec.text("pattern", _HATCH_PATTERN)
    if source != "regex" or not path:
        raise FormatError(f"only hatch itself can compute it from {source!r}")
    return _matched(member, workspace, path, pattern)


@contextmanager
def _settings(tool: Mapping[str, Any], *keys: str) -> Iterator[Table]:
    """The table at `keys` below [tool]; FormatError when what is read of it is not as it should be."""
    with reading(tool, "tool") as top:
        found = top
        found.ignore_rest()
        for key in keys:
            found = found.table(key)
            found.ignore_rest()
        yield found


def _matched(member: Member, workspace: Workspace, path: str, pattern: str) -> str:
    text = workspace.watch.text(member.path(path))
    try:
        found = re.search(pattern, text, re.MULTILINE)
        version = found["version"] if found else ""
    except (re.error, IndexError):
        raise FormatError(f"the pattern {pattern!r} has no group 'version'") from None
    if not version:
        raise FormatError(f"{path!r} has no line that sets it")
    return version


def _attribute(member: Member, workspace: Workspace, attribute: str, roots: tuple[str, ...]) -> str:
    """The literal value of 'package.module.NAME'."""
    module, _, name = attribute.rpartition(".")
    stem = module.replace(".", "/")
    for root in roots:
        for path in (member.path(f"{root}{stem}/__init__.py"), member.path(f"{root}{stem}.py")):
            if workspace.watch.is_file(path):
                value = literal(read_module(workspace.watch.text(path), path), name)
                if not isinstance(value, str):
                    raise FormatError(f"{path} has no line {name} = '...' that sets it")
                return value
    raise FormatError(f"the module {module!r} that sets it was not found")
