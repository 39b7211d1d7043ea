"""The files that a Python member's wheel is made from, and where its commands are in them."""

from __future__ import annotations

import re
from functools import partial

from packyard.formats.errors import FormatError, Problem
from packyard.formats.python.entrypoint import parse_entry_point
from packyard.formats.python.module import imports, read_module
from packyard.formats.reference import TargetRef, read_reference
from packyard.tasks.kinds.python.wheelparts import import_name, matches, missing_part
from packyard.tasks.workspace.belonging import belongs_to, hide
from packyard.tasks.workspace.workspace import PRIVATE_NAME, PUBLIC_NAME, Member, Workspace

ROOTS = ("src", "")  # where packages stand below a member, the first that has them wins
_LEFT_OUT = frozenset({"build", "dist", "site"})
_LOCKS = ("pylock.toml", "pylock.build.toml", "pylock.hooks.toml", "uv.lock", "poetry.lock")
_BUNDLE = re.compile(r".+\.psp(\.exe)?")  # `packyard pack` leaves it in the current folder, or where --output says


def wheel_sources(member: Member, workspace: Workspace) -> list[str]:
    """The workspace paths of what a member's wheel is made from, sorted: its files but those that
    [tool.flavor.build] excludes."""
    flavor = member.project.flavor if member.project else None
    return member_files(member, workspace, flavor.build.exclude if flavor else ())


def member_files(member: Member, workspace: Workspace, excluded: tuple[str, ...] = ()) -> list[str]:
    """The workspace paths of a member's files, sorted: all that git tracks or would track or that its manifest
    includes, but other members, what builds and hooks leave behind, virtual environments (told by their pyvenv.cfg),
    locks, signing keys, and what is excluded."""
    others = [other.folder for other in workspace.members if other.folder != member.folder]
    flavor = member.project.flavor if member.project else None
    written = flavor.build.hook_outputs if flavor and flavor.build.pre_build else ()
    own = f"{flavor.package_name}-" if flavor else "/"  # what a bundle of this member is called, wherever it lies

    def left_out(path: str) -> bool:
        relative = path.removeprefix(f"{member.folder}/") if member.folder else path
        name = relative.rstrip("/").rpartition("/")[2]
        if relative in written:
            return True
        if path.endswith("/"):
            return (
                path[:-1] in others
                or relative[:-1] in _LEFT_OUT
                or name.endswith(".egg-info")
                or workspace.watch.is_file(f"{path}pyvenv.cfg")
                or matches(relative[:-1], excluded)
            )
        bundle = _BUNDLE.fullmatch(name) and ("/" not in relative or name.startswith(own))
        made = name.endswith(".pyc") or relative in _LOCKS or bundle
        return bool(made) or is_key(path) or matches(relative, excluded)

    def is_key(path: str) -> bool:
        folder, slash, name = path.rpartition("/")
        pair = name == PUBLIC_NAME and workspace.watch.is_file(f"{folder}{slash}{PRIVATE_NAME}")
        return name == PRIVATE_NAME or path == workspace.manifest.sign.key or pair

    found = list(workspace.watch.files(member.folder, left_out))
    return _belonging(found, member, workspace)


def _belonging(found: list[str], member: Member, workspace: Workspace) -> list[str]:
    """Those of a member's files that belong to it; the others are told of."""
    keeps = belongs_to(member, workspace)
    kept = list(filter(keeps, found))
    if len(kept) < len(found):
        belong = set(kept)
        hide(workspace.watch, (path for path in found if path not in belong))
    return kept


def commands(member: Member) -> dict[str, str]:
    """The entry points of a member by the key that declares each."""
    project = member.project
    assert project is not None
    found = {f"project.scripts.{name}": text for name, text in project.scripts.items()}
    if project.flavor and project.flavor.entry_point:
        found["tool.flavor.entry_point"] = project.flavor.entry_point
    return found


def module_sources(member: Member, workspace: Workspace) -> dict[str, str]:
    """For a manifest without [build-system]: where each file of the wheel is, by its path in the wheel.

    The modules are those of the entry points, for a library also the one that is named like it, and the local ones that
    they import; the folder of a declared slot is never one. FormatError when an entry point's module is not there.
    """
    slots = _slot_folders(member)
    found: dict[str, str] = {}
    problems: list[Problem] = []
    waiting = [(parse_entry_point(text).module.partition(".")[0], key) for key, text in commands(member).items()]
    if member.project and not member.project.flavor:
        waiting.append((import_name(member.project.name), ""))
    done: set[str] = set()
    while waiting:
        name, key = waiting.pop(0)
        if name in done:
            continue
        done.add(name)
        files = _module_files(member, workspace, name, slots)
        if files is None:
            if key:
                problems.append(_missing(member, commands(member)[key], key, f"the module {name!r} is missing"))
            continue
        found.update(files)
        for path in files.values():
            if path.endswith(".py"):
                try:
                    module = read_module(workspace.watch.text(path), path)
                except FormatError as error:
                    problems.extend(error.problems)
                    continue
                waiting.extend((other, "") for other in sorted(imports(module)) if other not in done)
    if problems:
        raise FormatError(*problems)
    return dict(sorted(found.items()))


def check_commands(member: Member, workspace: Workspace) -> None:
    """Refuse entry points whose module is a member's own but lacks the function; FormatError with all of them.

    Only what can be told from the usual layouts (`src/NAME`, `NAME`): where a backend puts packages
    together by its own rules, the finished wheel is asked instead.
    """
    problems: list[Problem] = []
    for key, text in commands(member).items():
        entry = parse_entry_point(text)
        for root in ROOTS:
            folder = member.path(f"{root}/" if root else "")
            problem = missing_part(entry, partial(_read, workspace, folder), folder)
            if problem != "":
                break
        if problem:
            problems.append(_missing(member, text, key, problem))
    if problems:
        raise FormatError(*problems)


def _read(workspace: Workspace, prefix: str, path: str) -> str | None:
    path = f"{prefix}{path}"
    return workspace.watch.text(path) if workspace.watch.is_file(path) else None


def _missing(member: Member, text: str, key: str, what: str) -> Problem:
    return Problem(f"{text!r} does not exist: {what}", key, member.path("pyproject.toml"))


def _slot_folders(member: Member) -> set[str]:
    project = member.project
    found: set[str] = set()
    for spec in project.flavor.slots if project and project.flavor else ():
        reference = read_reference(spec.source)
        if not isinstance(reference, TargetRef):
            found.add(reference)
    return found


def _module_files(member: Member, workspace: Workspace, name: str, slots: set[str]) -> dict[str, str] | None:
    """The files of a local top-level module or package, None when there is none."""
    for root in ROOTS:
        relative = f"{root}/{name}" if root else name
        path = member.path(relative)
        if workspace.watch.is_file(f"{path}.py") and _belonging([f"{path}.py"], member, workspace):
            return {f"{name}.py": f"{path}.py"}
        if relative not in slots and workspace.watch.is_folder(path):
            files = [file for file in workspace.watch.files(path) if not file.endswith(".pyc")]
            files = _belonging(files, member, workspace)
            if any(file.endswith(".py") for file in files):
                return {f"{name}{file.removeprefix(path)}": file for file in files}
    return None
