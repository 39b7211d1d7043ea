"""What a member's manifest leaves to files: dependencies that setuptools reads out of them."""

from __future__ import annotations

from dataclasses import replace

from packyard.formats.errors import FormatError, Problem
from packyard.formats.python.dynamicfiles import read_dependency_lines
from packyard.formats.python.pyproject import ProjectManifest
from packyard.formats.relpath import read_relpath
from packyard.tasks.workspace.watch import Watch


def with_dynamic_files(project: ProjectManifest, watch: Watch, folder: str, place: str) -> ProjectManifest:
    """The manifest at `place` with the dependencies that it leaves to files of its folder, as setuptools reads them;
    itself when it leaves none. FormatError with every file that cannot be read."""
    if not (project.dynamic_files and project.build_backend.startswith("setuptools")):
        return project
    found: dict[str, tuple[str, ...]] = {}
    problems: list[Problem] = []
    for extra, files in project.dynamic_files.items():
        key = f"optional-dependencies.{extra}" if extra else "dependencies"
        if key.partition(".")[0] not in project.dynamic:
            continue
        for file in files:
            try:
                inner = read_relpath(file)
            except FormatError as error:
                where = f"tool.setuptools.dynamic.{key}.file"
                problems += [Problem(problem.message, where, place) for problem in error.problems]
                continue
            try:
                path = f"{folder}/{inner}" if folder else inner
                found[extra] = (*found.get(extra, ()), *read_dependency_lines(watch.text(path), path))
            except FormatError as error:
                problems += error.problems
    if problems:
        raise FormatError(*problems)
    extras = {extra: texts for extra, texts in found.items() if extra}
    return replace(
        project,
        dependencies=(*project.dependencies, *found.get("", ())),
        optional_dependencies={**project.optional_dependencies, **extras},
    )
