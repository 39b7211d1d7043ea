"""A version bump, planned completely before a byte is written: the component's own version, the meta-packages it is
part of, the ranges of those that need it, and the unreleased part of the changelog."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packyard.formats.errors import FormatError, Problem
from packyard.formats.python.requirement import requirement_for
from packyard.formats.semver import STEPS, Step, next_version
from packyard.formats.text.changelog import release, title_of
from packyard.formats.text.edit import Path as Key
from packyard.formats.text.edit import edit_toml, edit_yaml, path_text
from packyard.formats.versionrange import range_for
from packyard.tasks.engine.store.blobs import full_or
from packyard.tasks.errors import ActionError, PlanError
from packyard.tasks.host.gitstate import git_said, read_revision
from packyard.tasks.publish.component import Component, choose, components, leads
from packyard.tasks.publish.metagrowth import Growth, growths
from packyard.tasks.workspace.workspace import Member, Workspace

CHANGELOG = "CHANGELOG.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One value of one file: what it was, what it will be, and why, if it is not what was requested."""

    place: str
    key: str
    before: str
    after: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a step changes. `texts` are the new contents of files; `tag` is its git tag; `due` are the meta-packages
    that need a minor step and do not get it here."""

    changes: tuple[Change, ...]
    texts: Mapping[str, bytes]
    versions: tuple[tuple[str, str], ...]
    tag: str
    due: tuple[Growth, ...] = ()
    notes: tuple[str, ...] = ()


def plan_bump(workspace: Workspace, names: Sequence[str], step: Step, date: str) -> Plan:
    """What `packyard bump STEP NAME...` changes, with `date` ('2026-11-25') in the changelog; PlanError with everything
    that cannot be changed."""
    known = components(workspace)
    grown = growths(workspace.root, workspace.manifest.metas)
    chosen = [component for name in names for component in choose(known, name)]
    steps = _steps(chosen, known, step, grown)
    return _plan(workspace, known, steps, grown, date)


def write_bump(root: Path, plan: Plan) -> None:
    """Write the files of a plan: all are written to temporary files before the first is replaced."""
    asides: dict[Path, Path] = {}
    try:
        for path, content in plan.texts.items():
            final = root / path
            aside = final.with_name(f".{final.name}.{os.getpid()}.part")
            asides[aside] = final
            aside.write_bytes(content)
            aside.chmod(final.stat().st_mode & 0o777)
        for aside, final in asides.items():
            os.replace(aside, final)
    except OSError as error:
        raise full_or(error, os.fspath(error.filename or root)) from None
    finally:
        for aside in asides:
            with suppress(OSError):  # not there, or it could not be written in the first place
                aside.unlink()


def commit_bump(root: Path, plan: Plan) -> None:
    """Commit the files of a written plan, and nothing else, and tag the commit; ActionError if git fails."""
    message = f"Release {title_of(plan.versions) if len(plan.versions) > 1 else ' '.join(plan.versions[0])}"
    git_said(root, "commit", "--quiet", f"--message={message}", "--", *plan.texts)
    git_said(root, "tag", "--annotate", f"--message={message}", "--", plan.tag)


def refuse_commit(root: Path, plan: Plan) -> None:
    """PlanError if a plan could not be committed and tagged afterwards: no repository, no author, a tag that exists, or
    files with other changes, which would get into the commit."""
    revision = read_revision(root, "HEAD")
    problems: list[Problem] = []
    if git_said(root, "tag", "--list", "--", plan.tag):
        problems.append(Problem("already exists", place=f"the tag {plan.tag!r}"))
    changed = revision.changed()
    for path in plan.texts:
        if path in changed:
            message = "has uncommitted changes, which --tag would commit"
            problems.append(Problem(message, place=path, hint="commit them first"))
    try:
        git_said(root, "var", "GIT_AUTHOR_IDENT")
    except ActionError as error:
        problems.append(Problem(f"git has no identity to commit with: {error.detail.strip().splitlines()[-1]}"))
    if problems:
        raise PlanError(*problems)


@dataclass(slots=True)
class _Texts:
    """The files as they will be, read from the workspace when they are first needed."""

    workspace: Workspace
    changed: dict[str, str] = field(default_factory=dict)

    def text(self, place: str) -> str:
        return self.changed[place] if place in self.changed else self.workspace.watch.text(place)

    def edit(self, place: str, key: Key, value: str) -> None:
        edit = edit_yaml if place.endswith(".yaml") else edit_toml
        self.changed[place] = edit(self.text(place), key, value, place)


def _steps(
    chosen: Sequence[Component], known: Sequence[Component], step: Step, grown: Mapping[str, Growth]
) -> dict[Component, tuple[Step, str]]:
    """The components that take a step, and why: the chosen ones, and the meta-packages made of them, by the same step;
    one that needs a minor step takes at least that."""
    steps: dict[Component, tuple[Step, str]] = dict.fromkeys(chosen, (step, ""))
    packages = {package.name for component in chosen for package in component.packages}
    for component in known:
        parts = {part.name for package in component.packages for part in package.parts}
        if component.kind == "meta" and component not in steps and parts & packages:
            steps[component] = (step, f"{' and '.join(sorted(parts & packages))} is part of it")
    for component, (taken, _) in list(steps.items()):
        growth = grown.get(component.name) if component.kind == "meta" else None
        if growth and STEPS.index(taken) < STEPS.index("minor"):
            steps[component] = ("minor", str(growth))
    return steps


def _plan(
    workspace: Workspace,
    known: Sequence[Component],
    steps: Mapping[Component, tuple[Step, str]],
    grown: Mapping[str, Growth],
    date: str,
) -> Plan:
    texts = _Texts(workspace)
    changes: list[Change] = []
    problems: list[Problem] = []
    after: dict[Component, str] = {}
    for component, (step, why) in steps.items():
        try:
            after[component] = _version(component, step, texts)
        except FormatError as error:
            problems += error.problems
            continue
        changes.append(
            Change(
                place=component.place,
                key=path_text(component.key),
                before=component.version,
                after=after[component],
                why=why,
            )
        )
    if problems:
        raise PlanError(*problems)
    changes += _follow(workspace, after, texts)
    moved, notes = _changelogs(workspace, known, after, texts, date)
    named = next(iter(steps))
    stepped = [_stepped(component, after.get(component)) for component in known]
    head = _stepped(named, after[named])
    tag = f"v{head.version}" if leads(head, stepped, workspace.manifest.name) else f"{head.name}-v{head.version}"
    return Plan(
        changes=(*changes, *moved),
        texts={place: text.encode("utf-8") for place, text in texts.changed.items()},
        versions=tuple(dict.fromkeys((component.name, version) for component, version in after.items())),
        tag=tag,
        due=tuple(growth for name, growth in grown.items() if name not in {one.name for one in steps}),
        notes=tuple(notes),
    )


def _stepped(component: Component, version: str | None) -> Component:
    return replace(component, version=version) if version else component


def _version(component: Component, step: Step, texts: _Texts) -> str:
    if component.is_dynamic:
        message = "is dynamic: the build backend gets it from elsewhere"
        raise FormatError(Problem(message, path_text(component.key), component.place, "change it there by hand"))
    version = next_version(component.version, step)
    texts.edit(component.place, component.key, version)
    return version


# those that need it -----------------------------------------------------------------------------------------------


def _follow(workspace: Workspace, after: Mapping[Component, str], texts: _Texts) -> Iterator[Change]:
    """The ranges of other members that would not admit the new versions."""
    mojo = {name: version for one, version in after.items() if one.packages for name in one.names}
    python: dict[str, str] = {
        canonicalize_name(one.name): v for one, v in after.items() if one.kind in ("wheel", "bundle")
    }
    morloc = {one.name: version for one, version in after.items() if one.kind == "morloc"}
    for member in workspace.members:
        for place, key, old, new in _ranges(member, mojo, python, morloc):
            if new != old:
                texts.edit(place, key, new)
                yield Change(place=place, key=path_text(key), before=old, after=new, why="to admit it")


def _ranges(
    member: Member, mojo: Mapping[str, str], python: Mapping[str, str], morloc: Mapping[str, str]
) -> Iterator[tuple[str, Key, str, str]]:
    """Each range of a member for one of the changed components: where it is, its value, and the value it must have."""
    if member.mojo is not None:
        for name, text in member.mojo.dependencies.items():
            if name in mojo:
                yield member.path("mojo.toml"), ("dependencies", name), text, range_for(text, mojo[name])
    if member.project is not None:
        place = member.path("pyproject.toml")
        lists: list[tuple[Key, tuple[str, ...]]] = [(("project", "dependencies"), member.project.dependencies)]
        for extra, requirements in member.project.optional_dependencies.items():
            lists.append((("project", "optional-dependencies", extra), requirements))
        for key, requirements in lists:
            for position, text in enumerate(requirements):
                version = python.get(canonicalize_name(Requirement(text).name))
                if version is not None:
                    yield place, (*key, position), text, requirement_for(text, version)
    if member.morloc is not None:
        for name, text in member.morloc.requires.items():
            if name in morloc:
                key = ("x-packyard", "requires", name)
                yield member.path("package.yaml"), key, text, range_for(text, morloc[name])


# the changelog ----------------------------------------------------------------------------------------------------


def changelog_of(component: Component, workspace: Workspace) -> str:
    """The path of the changelog of a component: its own, else the workspace's."""
    own = f"{component.folder}/{CHANGELOG}"
    return own if component.folder and workspace.watch.is_file(own) else CHANGELOG


def _changelogs(
    workspace: Workspace, known: Sequence[Component], after: Mapping[Component, str], texts: _Texts, date: str
) -> tuple[list[Change], list[str]]:
    """Move the unreleased entries in the changelog of each changed component."""
    changes: list[Change] = []
    notes: list[str] = []
    users: dict[str, dict[str, str]] = {}
    for component, version in after.items():
        users.setdefault(changelog_of(component, workspace), {})[component.name] = version
    for path, versions in users.items():
        if not workspace.watch.is_file(path):
            notes.append(f"there is no {path}: 'packyard check' requires an entry for each version")
            continue
        others = {one.name for one in known if changelog_of(one, workspace) == path} - versions.keys()
        leading = any(one.name == workspace.manifest.name for one in after)
        pairs = list(versions.items())
        title = title_of(pairs) if not others or leading else ", ".join(f"{name} {version}" for name, version in pairs)
        text = release(texts.text(path), title, date)
        if text is None:
            notes.append(f"{path}: there is nothing under 'Unreleased' to move")
            continue
        texts.changed[path] = text
        changes.append(Change(place=path, key="", before="Unreleased", after=f"[{title}] - {date}"))
    return changes, notes
