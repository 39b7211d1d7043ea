"""What a wheel is made from that lies beside its member: [tool.packyard] inputs."""

from __future__ import annotations

import posixpath

from packyard.formats.errors import Problem
from packyard.tasks.errors import PlanError
from packyard.tasks.workspace.belonging import belongs, find_files
from packyard.tasks.workspace.workspace import Member, Workspace


def beside_sources(member: Member, workspace: Workspace) -> list[str]:
    """The workspace paths of a member's declared inputs, sorted; PlanError when one matches nothing, or when a backend
    is told of files outside of the member that are not declared: it would not find them."""
    project = member.project
    assert project is not None
    place = member.path("pyproject.toml")
    found: dict[str, None] = {}
    problems: list[Problem] = []
    for position, text in enumerate(project.packyard.inputs):
        key = f"tool.packyard.inputs[{position}]"
        path = posixpath.normpath(member.path(text))
        if path.startswith(".."):
            problems.append(Problem(f"{text!r} leaves the workspace; expected a path inside", key, place))
            continue
        named = find_files(workspace, path, belongs(workspace))
        if not named.files:
            problems.append(Problem(f"{text!r} matches no file", key, place, named.hint))
        found.update(dict.fromkeys(path for path in named.files if not path.startswith(member.path(""))))
    problems += _undeclared(member, workspace, found)
    if problems:
        raise PlanError(*problems)
    return sorted(found)


def _undeclared(member: Member, workspace: Workspace, found: dict[str, None]) -> list[Problem]:
    assert member.project is not None
    watch, problems = workspace.watch, []
    for key, text in member.project.beside:
        path = posixpath.normpath(member.path(text))
        if path in found or any(one.startswith(f"{path}/") for one in found) or path == (member.folder or "."):
            continue
        place = member.path("pyproject.toml")
        if path.startswith(".."):
            problem = Problem(f"{text!r} leaves the workspace; expected a path inside", key, place)
            problems.append(problem)
        elif path == "." or watch.is_file(path) or watch.is_folder(path) or watch.matching_files(path):
            message = f"{text!r} lies outside of the member and is not declared, so its wheel cannot be made from it"
            hint = f'add inputs = ["{posixpath.normpath(text)}"] to [tool.packyard]'
            problems.append(Problem(message, key, place, hint))
    return problems
