"""The kind `wheel`: a member's own distribution, made by its PEP 517 backend in a cached build environment.

A manifest without [build-system] needs no backend: its wheel is put together from the modules of its entry
points. Either way the same files give the same bytes: the zip and the RECORD are written by us.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packyard.formats.archive.gzipped import COMPRESSOR
from packyard.formats.errors import FormatError
from packyard.formats.python.pyproject import ProjectManifest
from packyard.formats.python.wheel import info_folder
from packyard.tasks.errors import gather
from packyard.tasks.kinds.interpreter import choice
from packyard.tasks.kinds.python.backend import buildenv_of
from packyard.tasks.kinds.python.beside import beside_sources
from packyard.tasks.kinds.python.hooknames import hook_of
from packyard.tasks.kinds.python.make_wheel import (
    PlainWheelParams,
    WheelMetadata,
    WheelParams,
    make_plain_wheel,
    make_wheel,
)
from packyard.tasks.kinds.python.version import version
from packyard.tasks.kinds.python.wheelsources import check_commands, module_sources, wheel_sources
from packyard.tasks.target.params import Call, call
from packyard.tasks.target.target import Output, Source, Target, Use
from packyard.tasks.workspace.belonging import included
from packyard.tasks.workspace.workspace import Member, Workspace

# How a wheel is made, the files that it is made from (where each stands -> its path), and what else it uses.
_Way = tuple[Call, Mapping[str, str], tuple[Use, ...]]


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
    release, hook = version(member, workspace), _hook(member)
    file = f"{info_folder(project.name, release).removesuffix('.dist-info')}-py3-none-any.whl"
    way = _by_backend if project.build_backend else _plainly
    making, files, uses = way(member, project, workspace, release, file)
    return Target(
        name=f"wheel:{member.name}",
        doc=f"the wheel {file}",
        place=member.path("pyproject.toml"),
        **making,
        sources=tuple(Source(path=path, at=at) for at, path in files.items()),
        uses=(*((Use(target=hook),) if hook else ()), *uses),
        outputs=(Output(at=file),),
    )


def _by_backend(member: Member, project: ProjectManifest, workspace: Workspace, release: str, file: str) -> _Way:
    check_commands(member, workspace)
    prefix = f"{member.folder}/" if member.folder else ""
    beside = beside_sources(member, workspace)
    if beside:  # all stands as in the workspace, so that '../' leads to the same
        files = {path: path for path in (*wheel_sources(member, workspace), *beside)}
    else:
        files = {path.removeprefix(prefix): path for path in wheel_sources(member, workspace)}
    python, uses = choice.python_for(choice.find(choice.version(member, workspace), workspace))
    buildenv = buildenv_of(member, workspace)
    params = WheelParams(
        file=file,
        release=release,
        folder=member.folder if beside else "",
        hook=_hook(member),
        backend=project.build_backend,
        backend_path=project.backend_path,
        buildenv=buildenv,
        python=python,
        included=tuple(path.removeprefix(prefix) for path in included(member, workspace)),
        planned=_planned(member, project, workspace),
        epoch=workspace.epoch,
        compressor=COMPRESSOR,
    )
    return call(make_wheel, params), files, (*uses, Use(target=buildenv))


def _planned(member: Member, project: ProjectManifest, workspace: Workspace) -> tuple[str, ...]:
    """The canonical names of all distributions that a manifest tells of. Where dependencies are computed, what any
    application adds counts too: that is how it brings in those of a library."""
    build = project.flavor.build if project.flavor else None
    texts = [*project.dependencies, *(build.extra_packages if build else ())]
    if "dependencies" in project.dynamic:
        flavors = [one.project.flavor for one in workspace.members if one.project and one.project.flavor]
        texts += [text for flavor in flavors for text in flavor.build.extra_packages]
    names = {canonicalize_name(Requirement(text).name) for text in texts}
    local = {canonicalize_name(text) for text in build.dependencies} if build else set()
    folders = {posixpath.normpath(member.path(text)) for text in build.dependencies} if build else set()
    for one in workspace.members:
        if one.project and (one.folder in folders or canonicalize_name(one.name) in local):
            names.add(canonicalize_name(one.name))
    return tuple(sorted(names))


def _plainly(member: Member, project: ProjectManifest, workspace: Workspace, release: str, file: str) -> _Way:
    files = module_sources(member, workspace)
    check_commands(member, workspace)
    metadata = WheelMetadata(
        name=project.name,
        version=release,
        requires_python=project.requires_python,
        dependencies=project.dependencies,
        extras=project.optional_dependencies,
        scripts=project.scripts,
    )
    params = PlainWheelParams(
        file=file, hook=_hook(member), metadata=metadata, epoch=workspace.epoch, compressor=COMPRESSOR
    )
    return call(make_plain_wheel, params), files, ()


def _hook(member: Member) -> str:
    """The target of the hook that writes a part of the wheel; '' is none."""
    build = member.project.flavor.build if member.project and member.project.flavor else None
    return hook_of(member) if build and build.pre_build and build.hook_outputs else ""
