"""The kind `wheel`: a member's own distribution, made by its PEP 517 backend in a cached build environment.

A manifest without [build-system] needs no backend: its wheel is put together from the modules of its entry
points. Either way the same files give the same bytes: the zip and the RECORD are written by us.
"""

from __future__ import annotations

from collections.abc import Iterator

from packyard.formats.archive.gzipped import COMPRESSOR
from packyard.formats.errors import FormatError
from packyard.formats.python.wheel import info_folder
from packyard.tasks.errors import gather
from packyard.tasks.kinds.interpreter import choice
from packyard.tasks.kinds.python.backend import buildenv_of
from packyard.tasks.kinds.python.hooknames import hook_of
from packyard.tasks.kinds.python.version import version
from packyard.tasks.kinds.python.wheelsources import check_commands, module_sources, wheel_sources
from packyard.tasks.target.target import Json, Output, Source, Target, Use
from packyard.tasks.workspace.workspace import Member, Workspace


def targets(workspace: Workspace) -> Iterator[Target]:
    """The wheel of each member with a pyproject.toml; FormatError with every entry point that does not exist."""
    problems: list[FormatError] = []
    for member in workspace.members:
        if member.project:
            try:
                yield _target(member, workspace)
            except FormatError as error:
                problems.append(error)
    gather(problems)


def _target(member: Member, workspace: Workspace) -> Target:
    project = member.project
    assert project is not None
    release = version(member, workspace)
    file = f"{info_folder(project.name, release).removesuffix('.dist-info')}-py3-none-any.whl"
    python = choice.version(member, workspace)
    hook = hook_of(member) if project.flavor and project.flavor.build.pre_build else ""
    hook = hook if project.flavor and project.flavor.build.hook_outputs else ""
    params: dict[str, Json] = {
        "file": file,
        "release": release,
        "hook": hook,
        "epoch": workspace.epoch,
        "compressor": COMPRESSOR,
    }
    uses: tuple[Use, ...] = (Use(target=hook),) if hook else ()
    if project.build_backend:
        check_commands(member, workspace)
        prefix = f"{member.folder}/" if member.folder else ""
        sources = {path.removeprefix(prefix): path for path in wheel_sources(member, workspace)}
        one = choice.find(python, workspace)
        program, python_uses = choice.build_program(one)
        buildenv = buildenv_of(member, workspace)
        uses = (*uses, *python_uses, Use(target=buildenv))
        params |= {
            "backend": project.build_backend,
            "backend_path": list(project.backend_path),
            "buildenv": buildenv,
            "python": program,
            "runtime": one.target,
            "version": python,
        }
    else:
        sources = module_sources(member, workspace)
        check_commands(member, workspace)
        params["metadata"] = {
            "name": project.name,
            "version": release,
            "requires_python": project.requires_python,
            "dependencies": list(project.dependencies),
            "extras": {extra: list(texts) for extra, texts in project.optional_dependencies.items()},
            "scripts": dict(project.scripts),
        }
    return Target(
        name=f"wheel:{member.name}",
        doc=f"the wheel {file}",
        place=member.path("pyproject.toml"),
        run=f"packyard.tasks.kinds.python.make_wheel:{'make_wheel' if project.build_backend else 'make_plain_wheel'}",
        params=params,
        sources=tuple(Source(path=path, at=at) for at, path in sources.items()),
        uses=uses,
        outputs=(Output(at=file),),
    )
