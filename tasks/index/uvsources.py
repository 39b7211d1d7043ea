"""Where [tool.uv] of a project says that distributions come from, and what else it says that decides a lock."""

from __future__ import annotations

import json
import posixpath
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packyard.formats.errors import Problem
from packyard.formats.python.requirement import passwords
from packyard.formats.python.uvtable import UvSource, UvTable, read_uv
from packyard.formats.text.table import reading
from packyard.formats.text.toml import read_toml
from packyard.tasks.errors import PlanError
from packyard.tasks.workspace.workspace import Member, Workspace

_SOURCE = "sources."


def settings_of(
    member: Member, workspace: Workspace, requirements: Iterable[str], beside: Iterable[Member] = ()
) -> tuple[str, ...]:
    """What uv is told that decides which distributions answer the requirements of a member and of the members `beside`
    it, as 'KEY = JSON', sorted; PlanError for every source that is not followed, with its key."""
    names = {canonicalize_name(Requirement(text).name) for text in requirements if not Requirement(text).url}
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for one in (member, *beside):
        place = one.path("pyproject.toml")
        for name, every in _sources(one, workspace).items():
            sources = tuple(source for source in every if not source.extra or _is_of_extra(source, name, one))
            if name not in names or not sources:
                continue
            problems.extend(problem for source in sources for problem in _refused(source, name, one, workspace))
            text = json.dumps([_told(source, one, workspace) for source in sources], sort_keys=True)
            if found.setdefault(name, text) != text:
                message = "differs from that of another member that goes into one bundle; expected one source"
                problems.append(Problem(message, f"tool.uv.{_SOURCE}{name}", place))
    if problems:
        raise PlanError(*problems)
    return (*sorted(f"{_SOURCE}{name} = {text}" for name, text in found.items()), *_deciding(member, workspace))


def other_sources(
    member: Member, workspace: Workspace, requirements: Iterable[str], locked: Mapping[str, frozenset[tuple[str, str]]]
) -> Iterator[str]:
    """In words, the requirements that a uv.lock has from elsewhere than the manifest says; `locked` as
    formats.python.otherlocks.read_uv_sources gives it."""
    for name in dict.fromkeys(canonicalize_name(Requirement(text).name) for text in requirements):
        there = {where.rstrip("/") for _, where in locked.get(name, ())}
        for source in _sources(member, workspace).get(name, ()):
            at = _indexes(member, workspace).get(source.value, "") if source.kind == "index" else source.value
            if source.extra or (source.kind in ("path", "workspace") or "://" not in at):
                continue
            if not any(where.startswith(at.rstrip("/")) for where in there):
                yield f"{name!r} is not from {at!r} there ({source.key})"


def manifests_of(member: Member, workspace: Workspace, beside: Iterable[Member] = ()) -> tuple[str, ...]:
    """The manifests with passwords that count for a member and those `beside` it, and those of the root."""
    found = [one.path("pyproject.toml") for one in (member, *beside) if one.project and one.project.has_password]
    more = {"pyproject.toml", "uv.toml", member.path("uv.toml")}
    found += [path for path in more if workspace.watch.is_file(path) and passwords(workspace.watch.text(path))]
    return tuple(sorted({*found}))


def check_local(name: str, member: Member, other: Member, workspace: Workspace) -> Iterator[Problem]:
    """Why another member is not what a member's manifest means by a distribution of its name."""
    for source in _sources(member, workspace).get(name, ()):
        folder = posixpath.normpath(member.path(source.value))
        if source.kind == "workspace" or (source.kind == "path" and folder == (other.folder or ".")):
            continue
        message = (
            f"{source.value!r} is not the member {other.name!r} of this workspace, which is built; expected that one"
        )
        hint = f"take the source out, or {other.folder!r} out of workspace.members"
        yield Problem(message, source.key, member.path("pyproject.toml"), hint)


def as_tables(settings: Sequence[str], root: Path, project: Path) -> dict[str, Any]:
    """The tables `sources` and `index` of [tool.uv] that say again what `settings` say of sources; {} when that is
    nothing. An index that is a folder of the project stands in it as a whole path."""
    texts = dict(text.partition(" = ")[::2] for text in settings if text.startswith(_SOURCE))
    sources = {name.removeprefix(_SOURCE): json.loads(text) for name, text in texts.items()}
    named = {source["index"]: source["at"] for each in sources.values() for source in each if "index" in source}
    known = {index["name"]: index for index in _indexes_below(root, project)}
    tables = {
        name: [{key: value for key, value in source.items() if key != "at"} for source in each]
        for name, each in sources.items()
    }
    indexes = [known.get(name, {"name": name, "url": at, "explicit": True}) for name, at in sorted(named.items())]
    return {"sources": tables, "index": indexes} if tables else {}


def _is_of_extra(source: UvSource, name: str, member: Member) -> bool:
    """Whether a source that is for one extra may be meant: the member asks for the distribution in that alone."""
    assert member.project is not None
    own = {canonicalize_name(Requirement(text).name) for text in member.project.dependencies}
    return name not in own


def _refused(source: UvSource, name: str, member: Member, workspace: Workspace) -> Iterator[Problem]:
    place, hint = member.path("pyproject.toml"), "list its folder in workspace.members of packyard.toml"
    if source.extra:
        message = f"is for the extra {source.extra!r} alone; expected one source for every use in a bundle"
        yield Problem(message, source.key, place)
    elif source.kind == "git":
        message = f"{source.value!r} is a repository, which no digest identifies; expected an index, a URL or a member"
        hint = "depend on a release, or clone it into the workspace and list its folder in workspace.members"
        yield Problem(message, source.key, place, hint)
    elif source.kind in ("path", "workspace"):
        what = repr(source.value) if source.kind == "path" else repr(name)
        yield Problem(f"{what} is no member of this workspace named {name!r}; expected one", source.key, place, hint)
    elif source.kind == "index" and source.value not in _indexes(member, workspace):
        message = f"{source.value!r} is not declared; expected the name of a [[tool.uv.index]]"
        yield Problem(message, source.key, place)
    elif source.kind == "url" and not source.value.startswith(("https://", "http://")):
        message = f"{source.value!r} is a file of this machine; expected an https or http URL"
        yield Problem(message, source.key, place)


def _told(source: UvSource, member: Member, workspace: Workspace) -> dict[str, str]:
    """A source as uv has it; `at` is where its index is, which is a part of the question too."""
    at = _indexes(member, workspace).get(source.value, "") if source.kind == "index" else ""
    more = {"marker": source.marker, "subdirectory": source.subdirectory, "at": at}
    return {source.kind: source.value, **{key: value for key, value in more.items() if value}}


def _sources(member: Member, workspace: Workspace) -> Mapping[str, tuple[UvSource, ...]]:
    """By name: a member's own, and those of the root of the uv workspace that it belongs to."""
    own = member.project.uv.sources if member.project else {}
    root = _root(workspace)
    return {**root.sources, **own} if root.members is not None else own


def _indexes(member: Member, workspace: Workspace) -> Mapping[str, str]:
    return {**_root(workspace).indexes, **(member.project.uv.indexes if member.project else {})}


def _deciding(member: Member, workspace: Workspace) -> tuple[str, ...]:
    """The settings that uv finds: those of a uv workspace at its root, else the nearest ones."""
    root = _root(workspace)
    own = member.project.uv.settings if member.project else ()
    return root.settings if root.members is not None else own or root.settings


def _root(workspace: Workspace) -> UvTable:
    """[tool.uv] of the workspace's root."""
    path = "pyproject.toml"
    return _read_root(workspace.watch.text(path)) if workspace.watch.is_file(path) else UvTable()


@lru_cache(maxsize=4)
def _read_root(text: str) -> UvTable:
    """Every member asks for it."""
    tool = read_toml(text, "pyproject.toml").get("tool", {})
    with reading({"tool": tool if isinstance(tool, dict) else {}}, "pyproject.toml") as top:
        table = top.table("tool")
        table.ignore_rest()
        return read_uv(table.table("uv"))


def _indexes_below(root: Path, project: Path) -> Iterator[Mapping[str, Any]]:
    """Every named index of two folders' manifests, with its password; the nearer last. A path is made absolute."""
    for folder in dict.fromkeys((root, project)):
        for name, keys in (("pyproject.toml", ("tool", "uv")), ("uv.toml", ())):
            try:
                table = tomllib.loads((folder / name).read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue
            for key in keys:
                table = table.get(key, {})
            for index in table.get("index", []):
                if "name" in index and "url" in index:
                    url = index["url"]
                    yield index if "://" in url else {**index, "url": (folder / url).absolute().as_uri()}
