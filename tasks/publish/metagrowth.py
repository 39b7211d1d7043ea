"""Meta-packages whose list of components grew since their version was set: git remembers which list belongs to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packyard.formats.errors import FormatError
from packyard.formats.semver import is_step, is_version, next_version
from packyard.formats.text.toml import read_toml
from packyard.formats.workspace.metaspec import MetaSpec
from packyard.tasks.errors import ActionError
from packyard.tasks.host.gitstate import git_said, read_revision
from packyard.tasks.workspace.workspace import MANIFEST

_DEPTH = 200  # commits that changed packyard.toml


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """A meta-package that needs a minor step: `added` are the components that are new since `since`, a version."""

    name: str
    added: tuple[str, ...]
    since: str
    due: str

    def __str__(self) -> str:
        added = " and ".join(f"{name!r}" for name in self.added)
        return f"{added} {'is' if len(self.added) == 1 else 'are'} new in {self.name} since {self.since}"


def growths(root: Path, metas: Sequence[MetaSpec]) -> dict[str, Growth]:
    """The meta-packages that need a minor step, by name; none if the workspace is not in git."""
    if not metas:
        return {}
    try:
        revision = read_revision(root, "HEAD")
    except FormatError:
        return {}
    history = [_metas(text) for text in _texts(revision.top, revision.prefix + MANIFEST)]
    found = (_growth(spec, [then[spec.name] for then in history if spec.name in then]) for spec in metas)
    return {growth.name: growth for growth in found if growth}


def _growth(spec: MetaSpec, history: Sequence[tuple[str, tuple[str, ...]]]) -> Growth | None:
    """How `spec` grew since earlier states of it, newest first: (version, components)."""
    same = [members for version, members in history if version == spec.version]
    if same and (added := _added(spec.members, same[-1])):
        return Growth(name=spec.name, added=added, since=spec.version, due=next_version(spec.version, "minor"))
    earlier = [entry for entry in history if entry[0] != spec.version]
    if not earlier or not is_version(earlier[0][0]):
        return None
    before = earlier[0][0]
    added = _added(spec.members, next(members for version, members in reversed(earlier) if version == before))
    if not added or is_step(before, spec.version, "minor"):
        return None
    return Growth(name=spec.name, added=added, since=before, due=next_version(before, "minor"))


def _added(now: Sequence[str], then: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in now if name not in then)


def _texts(top: Path, path: str) -> Iterator[str]:
    """The committed texts of a file, the newest first."""
    said = git_said(top, "log", f"--max-count={_DEPTH}", "--format=%H", "--", path)
    for commit in said.split():
        try:
            yield git_said(top, "show", f"{commit}:{path}")
        except ActionError:  # it was deleted there
            continue


def _metas(text: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The version and the components of each `[[meta]]` of a text, whatever else is wrong with it."""
    try:
        tables: Any = read_toml(text, MANIFEST).get("meta", [])
    except FormatError:
        return {}
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for table in tables if isinstance(tables, list) else ():
        if isinstance(table, dict) and isinstance(table.get("members"), list):
            members = tuple(str(name) for name in table["members"])
            found[str(table.get("name"))] = (str(table.get("version")), members)
    return found
