"""The kind `wheel`: a member's own distribution, made by its PEP 517 backend in a cached build environment.

A manifest without [build-system] needs no backend: its wheel is put together from the modules of its entry
points. Either way the same files give the same bytes: the zip and the RECORD are written by us.
"""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import COMPRESSOR
from packyard.formats.errors import FormatError
from packyard.formats.python.wheel import Wheel, info_folder, write_wheel
from packyard.tasks.errors import ActionError, gather
from packyard.tasks.index.pep517 import build_wheel, usable_wheel
from packyard.tasks.kinds.bundle.slotsource import hook_of
from packyard.tasks.kinds.interpreter import choice
from packyard.tasks.kinds.python.backend import buildenv_of
from packyard.tasks.kinds.python.version import version
from packyard.tasks.kinds.python.wheelsources import check_commands, import_name, module_sources, wheel_sources
from packyard.tasks.target.room import Room
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


def make_wheel(room: Room) -> None:
    """Build the member's wheel with its backend, and write it again with our bytes."""
    project = room.scratch / "project"
    shutil.copytree(room.inputs, project)
    if room.params["hook"]:
        shutil.copytree(room.trees[room.params["hook"]], project, dirs_exist_ok=True)
    file = build_wheel(
        room,
        choice.program_in(room, room.params["runtime"], room.params["version"]),
        project=project,
        tree=room.trees[room.params["buildenv"]],
        backend=room.params["backend"],
        path=room.params["backend_path"],
        out=room.scratch / "built",
    )
    wheel = usable_wheel(file, room.params["backend"], room.scratch.parent)
    if wheel.version != room.params["release"]:
        raise ActionError(
            f"the wheel has the version {wheel.version!r}, {room.params['release']!r} was expected from the manifest"
        )
    _write(room, wheel)


def make_plain_wheel(room: Room) -> None:
    """Put the wheel together from the staged modules and the manifest's metadata; ActionError when there is none: the
    wheel would be empty, and what imports it would fail where it is started."""
    about = room.params["metadata"]
    info = info_folder(about["name"], about["version"])
    files = {
        path.relative_to(room.inputs).as_posix(): Entry(
            path.relative_to(room.inputs).as_posix(), path.read_bytes(), bool(path.stat().st_mode & stat.S_IXUSR)
        )
        for path in sorted(room.inputs.rglob("*"))
        if path.is_file()
    }
    if room.params["hook"]:
        files.update(_written(room.trees[room.params["hook"]], {path.partition("/")[0] for path in files}))
    if not files:
        name = about["name"]
        raise ActionError(
            f"{name!r} has no [build-system] and no module {import_name(name)!r}, so its wheel would be empty",
            hint='state what builds it: [build-system] with requires = ["setuptools>=77"] and '
            'build-backend = "setuptools.build_meta"',
        )
    for name, text in (
        ("METADATA", _metadata(about)),
        ("WHEEL", "Wheel-Version: 1.0\nGenerator: packyard\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
        ("entry_points.txt", _entry_points(about["scripts"])),
    ):
        if text:
            files[f"{info}/{name}"] = Entry(f"{info}/{name}", text.encode())
    _write(
        room,
        Wheel(name=about["name"], version=about["version"], tags=("py3-none-any",), info=info, files=files),
    )


def _written(tree: Path, packages: set[str]) -> Iterator[tuple[str, Entry]]:
    """What a hook wrote into one of the packages, by its path in the wheel."""
    for path in sorted(tree.rglob("*")):
        at = path.relative_to(tree).as_posix().removeprefix("src/")
        if path.is_file() and at.partition("/")[0] in packages:
            yield at, Entry(at, path.read_bytes(), bool(path.stat().st_mode & stat.S_IXUSR))


def _write(room: Room, wheel: Wheel) -> None:
    if wheel.file_name != room.params["file"]:
        room.say(f"this is {wheel.file_name}, kept as {room.params['file']}")
    with (room.outputs / room.params["file"]).open("wb") as out:
        write_wheel(wheel, out, epoch=room.params["epoch"])


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
        run=f"packyard.tasks.kinds.python.wheel:{'make_wheel' if project.build_backend else 'make_plain_wheel'}",
        params=params,
        sources=tuple(Source(path=path, at=at) for at, path in sources.items()),
        uses=uses,
        outputs=(Output(at=file),),
    )


def _metadata(about: Json) -> str:
    lines = ["Metadata-Version: 2.1", f"Name: {about['name']}", f"Version: {about['version']}"]
    if about["requires_python"]:
        lines.append(f"Requires-Python: {about['requires_python']}")
    lines += [f"Requires-Dist: {text}" for text in about["dependencies"]]
    for extra, texts in sorted(about["extras"].items()):
        lines.append(f"Provides-Extra: {extra}")
        for text in texts:
            requirement, _, marker = text.partition(";")
            condition = f"({marker.strip()}) and extra == '{extra}'" if marker else f"extra == '{extra}'"
            lines.append(f"Requires-Dist: {requirement.strip()} ; {condition}")
    return "\n".join(lines) + "\n"


def _entry_points(scripts: dict[str, str]) -> str:
    if not scripts:
        return ""
    return "[console_scripts]\n" + "".join(f"{name} = {scripts[name]}\n" for name in sorted(scripts))
