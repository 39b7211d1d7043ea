"""Make a wheel by its backend, or plainly where there is none."""

from __future__ import annotations

import re
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packyard.formats.archive.entry import Entry
from packyard.formats.python import entrypointsfile
from packyard.formats.python.wheel import Wheel, info_folder, write_wheel
from packyard.tasks.errors import ActionError
from packyard.tasks.index.pep517 import build_wheel, usable_wheel
from packyard.tasks.kinds.interpreter.program import PythonParams, program_in
from packyard.tasks.kinds.python.builtmetadata import check_requirements
from packyard.tasks.kinds.python.wheelparts import import_name
from packyard.tasks.target.params import Params
from packyard.tasks.target.room import Room


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyWheelParams(Params):
    """The parameters of every wheel: the name of its `file`, the target of the `hook` that writes a part of it ('' is
    none), the time of what is in it (in seconds), and what compresses it."""

    file: str
    hook: str
    epoch: int
    compressor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelParams(AnyWheelParams):
    """The parameters of a wheel that a backend makes: the version that it must have, the folder of the project among
    the inputs ('' when there is nothing else), the backend, the folders of the project that it is looked for in first,
    the target of its environment, the Python that runs it, the files of the project that belong to it although a
    .gitignore says otherwise, and the canonical names of all distributions that the manifest tells of."""

    release: str
    folder: str
    backend: str
    backend_path: tuple[str, ...]
    buildenv: str
    python: PythonParams
    included: tuple[str, ...]
    planned: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelMetadata:
    """What a manifest says of its distribution: requirements are PEP 508 texts, `extras` those of each extra, `scripts`
    entry points ('module:function') by the names of commands."""

    name: str
    version: str
    requires_python: str
    dependencies: tuple[str, ...]
    extras: Mapping[str, tuple[str, ...]]
    scripts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainWheelParams(AnyWheelParams):
    """The parameters of a wheel that needs no backend: its metadata."""

    metadata: WheelMetadata


def make_wheel(room: Room[WheelParams]) -> None:
    """Build the member's wheel with its backend, and write it again with our bytes."""
    params = room.params
    top = room.scratch / "project"
    shutil.copytree(room.inputs, top)
    project = top / params.folder
    written: list[str] = []
    if params.hook:
        tree = room.trees[params.hook]
        shutil.copytree(tree, project, dirs_exist_ok=True)
        written = sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file())
    _let_in(project, [*params.included, *written])
    file = build_wheel(
        room,
        program_in(room, params.python),
        project=project,
        tree=room.trees[params.buildenv],
        backend=params.backend,
        path=params.backend_path,
        out=room.scratch / "built",
    )
    wheel = usable_wheel(file, params.backend, room.scratch.parent)
    if wheel.version != params.release:
        raise ActionError(f"the wheel has version {wheel.version!r}; expected {params.release!r} from the manifest")
    check_requirements(wheel, params.planned)
    _write(room, wheel)


def _let_in(project: Path, included: Sequence[str]) -> None:
    """Let no backend that reads the project's .gitignore leave out what the manifest includes, and what hooks wrote.
    Nothing else that git ignores is there."""
    ignoring = project / ".gitignore"
    if not (included and ignoring.is_file()):
        return
    lines: dict[str, None] = {}
    for path in included:
        *folders, name = (re.sub(r"([\\*?\[ ])", r"\\\1", part) for part in path.split("/"))
        for depth in range(1, len(folders) + 1):
            lines[f"!/{'/'.join(folders[:depth])}/"] = None
        lines[f"!/{'/'.join([*folders, name])}"] = None
    text = ignoring.read_bytes()
    ignoring.unlink()  # it may be read-only
    ignoring.write_bytes(text + "\n".join(["", *lines, ""]).encode("utf-8", "surrogateescape"))


def make_plain_wheel(room: Room[PlainWheelParams]) -> None:
    """Put the wheel together from the staged modules and the manifest's metadata; ActionError when there is none: the
    wheel would be empty, and what imports it would fail where it is started."""
    about = room.params.metadata
    info = info_folder(about.name, about.version)
    files = {
        path.relative_to(room.inputs).as_posix(): Entry(
            path.relative_to(room.inputs).as_posix(), path.read_bytes(), bool(path.stat().st_mode & stat.S_IXUSR)
        )
        for path in sorted(room.inputs.rglob("*"))
        if path.is_file()
    }
    if room.params.hook:
        files.update(_written(room.trees[room.params.hook], {path.partition("/")[0] for path in files}))
    if not files:
        name = about.name
        raise ActionError(
            f"{name!r} has no [build-system] and no module {import_name(name)!r}, so its wheel would be empty",
            hint='say what builds it: [build-system] with requires = ["setuptools>=77"] and '
            'build-backend = "setuptools.build_meta"',
        )
    for name, text in (
        ("METADATA", _metadata(about)),
        ("WHEEL", "Wheel-Version: 1.0\nGenerator: packyard\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
        (entrypointsfile.NAME, entrypointsfile.write_commands(about.scripts)),
    ):
        if text:
            files[f"{info}/{name}"] = Entry(f"{info}/{name}", text.encode())
    _write(room, Wheel(name=about.name, version=about.version, tags=("py3-none-any",), info=info, files=files))


def _written(tree: Path, packages: set[str]) -> Iterator[tuple[str, Entry]]:
    """What a hook wrote into one of the packages, by its path in the wheel."""
    for path in sorted(tree.rglob("*")):
        at = path.relative_to(tree).as_posix().removeprefix("src/")
        if path.is_file() and at.partition("/")[0] in packages:
            yield at, Entry(at, path.read_bytes(), bool(path.stat().st_mode & stat.S_IXUSR))


def _write(room: Room[AnyWheelParams], wheel: Wheel) -> None:
    params = room.params
    if wheel.file_name != params.file:
        room.say(f"this is {wheel.file_name}, kept as {params.file}")
    with (room.outputs / params.file).open("wb") as out:
        write_wheel(wheel, out, epoch=params.epoch)


def _metadata(about: WheelMetadata) -> str:
    lines = ["Metadata-Version: 2.1", f"Name: {about.name}", f"Version: {about.version}"]
    if about.requires_python:
        lines.append(f"Requires-Python: {about.requires_python}")
    lines += [f"Requires-Dist: {text}" for text in about.dependencies]
    for extra, texts in sorted(about.extras.items()):
        lines.append(f"Provides-Extra: {extra}")
        for text in texts:
            requirement, _, marker = text.partition(";")
            condition = f"({marker.strip()}) and extra == '{extra}'" if marker else f"extra == '{extra}'"
            lines.append(f"Requires-Dist: {requirement.strip()} ; {condition}")
    return "\n".join(lines) + "\n"
