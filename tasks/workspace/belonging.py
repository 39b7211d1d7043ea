"""What belongs to a workspace and its members: what git tracks or would track, and what a manifest names on purpose.

Patterns and folders take what belongs; a path without a wildcard takes the file that it names, and of a folder that git
ignores as a whole everything. What was left out is counted, so that one notice can tell of it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from packyard.formats.errors import Problem
from packyard.formats.text import gitignore
from packyard.tasks.errors import PlanError
from packyard.tasks.workspace.tracked import Tracked, tracked, tracked_of
from packyard.tasks.workspace.watch import Watch
from packyard.tasks.workspace.workspace import Member, Workspace

Keeps = Callable[[str], bool]  # a workspace path -> whether the file there belongs

_HIDDEN, _MEMBERS = "hidden", "belonging"  # in Watch.derived
_SHOWN = 5
_WILDCARD = re.compile(r"[*?[]")


@dataclass(frozen=True, slots=True)
class Named:
    """The files that a pattern names, sorted: those that belong, and those that git hid from it."""

    files: tuple[str, ...]
    hidden: tuple[str, ...]

    @property
    def hint(self) -> str:
        """Why there may be nothing; '' when git hid nothing."""
        if not self.hidden:
            return ""
        return f"git ignores {_listed(self.hidden)}; name it without a wildcard, or in include of [tool.packyard]"


def belongs_to(member: Member, workspace: Workspace) -> Keeps:
    """Which files below a member belong to it; PlanError when a pattern of [tool.packyard] include finds none."""
    known: dict[str, Keeps] = workspace.watch.derived.setdefault(_MEMBERS, {})
    if member.folder not in known:
        known[member.folder] = _of_member(member, workspace)
    return known[member.folder]


def included(member: Member, workspace: Workspace) -> tuple[str, ...]:
    """The files that git ignores and that [tool.packyard] include brings into a member, sorted."""
    patterns = member.project.packyard.include if member.project else ()
    if not patterns:
        return ()
    whole = _git_of(member, workspace.watch)
    found = {path for pattern in patterns for path in workspace.watch.matching_files(member.path(pattern))}
    return tuple(sorted(path for path in found if not whole.keeps(path)))


def belongs(workspace: Workspace) -> Keeps:
    """Which files of the workspace belong to it; in a Python member its manifest decides too."""
    members = sorted((one for one in workspace.members if one.project), key=lambda one: -len(one.folder))
    whole = tracked(workspace.watch)

    def keeps(path: str) -> bool:
        for member in members:
            if path.startswith(member.path("")):
                return belongs_to(member, workspace)(path)
        return whole.keeps(path)

    return keeps


def find_files(workspace: Workspace, pattern: str, keeps: Keeps, skip: Callable[[str], bool] | None = None) -> Named:
    """The files that a pattern (of Watch.matching_files) names and that belong, as `keeps` says."""
    watch = workspace.watch
    found = watch.matching_files(pattern, skip)
    if not _WILDCARD.search(pattern) and (
        watch.is_file(pattern) or (not any(map(keeps, found)) and _whole(pattern, watch).ignores(pattern))
    ):
        return Named(tuple(found), ())
    files = tuple(filter(keeps, found))
    kept = set(files)
    hidden = tuple(path for path in found if path not in kept)
    hide(watch, hidden)
    return Named(files, hidden)


def hide(watch: Watch, paths: Iterable[str]) -> None:
    """Remember files that were left out because git ignores them."""
    watch.derived.setdefault(_HIDDEN, {}).update(dict.fromkeys(paths))


def notice(watch: Watch) -> str:
    """What to tell of all the files that were left out; '' when there are none."""
    hidden = sorted(watch.derived.get(_HIDDEN, ()), key=os.fsencode)
    if not hidden:
        return ""
    count = "1 file that git ignores stays" if len(hidden) == 1 else f"{len(hidden)} files that git ignores stay"
    return (
        f"warning: {count} out of what is built: {_listed(hidden)}\n"
        "  hint: include = [...] in [tool.packyard] of a pyproject.toml brings files into its member; archives and "
        "slots take a file that they name without a wildcard"
    )


def _of_member(member: Member, workspace: Workspace) -> Keeps:
    watch, project = workspace.watch, member.project
    whole = _git_of(member, watch)
    if project is None:
        return whole.keeps
    problems: list[Problem] = []
    chosen: set[str] = set()
    for position, pattern in enumerate(project.packyard.include):
        found = watch.matching_files(member.path(pattern))
        if not found:
            key = f"tool.packyard.include[{position}]"
            problems.append(Problem(f"{pattern!r} matches no file", key, member.path("pyproject.toml")))
        chosen.update(found)
    if problems:
        raise PlanError(*problems)
    artifacts = gitignore.read_gitignores({"": "\n".join(project.artifacts)})
    prefix = member.path("")
    return lambda path: whole.keeps(path) or path in chosen or artifacts(path.removeprefix(prefix))


def _git_of(member: Member, watch: Watch) -> Tracked:
    """What git says of a member."""
    manifests = map(member.path, ("pyproject.toml", "mojo.toml", "package.yaml"))
    return tracked_of(watch, member.folder, next(filter(watch.is_file, manifests), ""))


def _whole(path: str, watch: Watch) -> Tracked:
    """What git says of the folder that holds a path."""
    return tracked(watch, path) if path.startswith("..") else tracked(watch)


def _listed(paths: Iterable[str]) -> str:
    names = list(paths)
    more = [f"and {len(names) - _SHOWN + 1} more"] if len(names) > _SHOWN else []
    return ", ".join([*names[: _SHOWN - 1 if more else _SHOWN], *more])
