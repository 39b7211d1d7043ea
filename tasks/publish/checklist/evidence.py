"""What the checklist is judged on: the workspace, what its targets were made from, and what git knows. It is read once,
and nothing is built."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from packyard.formats.errors import FormatError
from packyard.formats.workspace.cleanroom import Check, read_proof
from packyard.tasks.engine.build.opening import Opened, open_workspace
from packyard.tasks.engine.build.verdict import Verdict
from packyard.tasks.engine.graph.graph import Graph
from packyard.tasks.errors import ActionError
from packyard.tasks.host.gitstate import Revision, git_said, read_revision
from packyard.tasks.kinds import TABLE
from packyard.tasks.publish.component import Component, components
from packyard.tasks.publish.metagrowth import Growth, growths
from packyard.tasks.publish.workflow import Workflow, workflows
from packyard.tasks.target.target import Made, Target
from packyard.tasks.workspace.workspace import Workspace, read_workspace

OWN_FOLDERS = ("dist", "site", ".packyard")


class Evidence:
    """The workspace at `root` as it is now; `version` is Packyard's, `tag` the tag that is to be released, or ''."""

    def __init__(self, root: Path, version: str, tag: str = "", *, online: bool = False) -> None:
        self.root = root
        self.tag = tag
        self.online = online  # whether other hosts may be asked
        self._version = version

    @cached_property
    def workspace(self) -> Workspace:
        """The members and what packyard.toml makes of them."""
        return read_workspace(self.root)

    @cached_property
    def components(self) -> Sequence[Component]:
        """Everything with a version that is distributed; not libraries used by others, nor Mojo packages that can only
        be compiled as part of a meta-package."""
        inner = ("wheel", "mojo")
        return tuple(one for one in components(self.workspace) if self.targets(one) or one.kind not in inner)

    @cached_property
    def opened(self) -> Opened:
        """The workspace, opened to be read."""
        return open_workspace(self.root, TABLE, readonly=True)

    @property
    def graph(self) -> Graph:
        """The targets."""
        return self.opened.graph

    @cached_property
    def verdicts(self) -> Mapping[str, Verdict]:
        """Whether each target that leaves an artifact in the workspace, and what it is made from, is fresh."""
        names = [name for name, target in self.graph.targets.items() if target.final or self.artifacts(target)]
        return self.opened.build(lambda _: None).plan(names, remember=False)

    # targets and their artifacts -------------------------------------------------------------------------------

    @cached_property
    def _final(self) -> Mapping[str, list[Target]]:
        """The final targets by name, those of other platforms with the one of this."""
        found: dict[str, list[Target]] = {}
        for name in self.graph.final:
            found.setdefault(name.partition("@")[0], []).append(self.graph.targets[name])
        return found

    @cached_property
    def _cleanrooms(self) -> Mapping[str, list[Target]]:
        """The clean rooms by the target whose artifact they verify."""
        found: dict[str, list[Target]] = {}
        for target in self.graph.targets.values():
            if target.kind == "cleanroom":
                found.setdefault(_subject(target), []).append(target)
        return found

    def targets(self, component: Component) -> list[Target]:
        """The final targets of a component."""
        names = {package.target for package in component.packages} or {f"{component.kind}:{component.name}"}
        return [target for name in sorted(names) for target in self._final.get(name, ())]

    def cleanrooms(self, component: Component) -> list[Target]:
        """The targets that verify a component's artifacts in a clean room."""
        return [room for target in self.targets(component) for room in self._cleanrooms.get(target.name, ())]

    def artifacts(self, target: Target) -> dict[str, str]:
        """The paths of a target's artifacts by part."""
        return {output.part: output.artifact for output in target.outputs if output.artifact}

    def is_fresh(self, target: Target) -> bool:
        """Whether a target and its artifacts are what the workspace asks for."""
        return self.verdicts[target.name].state == "fresh"

    def made(self, target: Target) -> Mapping[str, Made]:
        """What a fresh target made, by part."""
        record = self.opened.trace.record(target.name)
        return record.outputs if record else {}

    def why_not(self, target: Target) -> tuple[str, str]:
        """Why a target is not fresh, and what to do: it failed, or something changed since it was made."""
        failure = self.opened.trace.failure(target.name)
        if failure is not None:
            lines = failure.message.splitlines()
            return "; ".join(line.strip() for line in lines[:2]), f"fix it, and run 'packyard {target.name}'"
        if not self.made(target):
            return "it was never built here", f"packyard {target.name}"
        return f"it is not up to date: {self._first_reason(target)}", f"packyard {target.name}"

    def _first_reason(self, target: Target) -> str:
        """Why a target is stale; for one that waits, why the first target it waits for is stale."""
        for name in self.graph.closure([target.name]):
            verdict = self.verdicts[name]
            if verdict.state == "stale":
                reason = next(iter(verdict.reasons), "")
                return reason if name == target.name else f"{name}: {reason}"
        return ""

    def report(self, target: Target) -> tuple[Check, ...]:
        """The checks of a clean room that is fresh."""
        path = self.artifacts(target).get("", "")
        try:
            return read_proof((self.root / path).read_text(encoding="utf-8"), path).checks
        except (OSError, UnicodeDecodeError, FormatError):
            return ()

    # files -----------------------------------------------------------------------------------------------------

    def text(self, path: str) -> str | None:
        """The text of a file of the workspace, None when it is not there or is not text."""
        try:
            return self.workspace.watch.text(path) if self.workspace.watch.is_file(path) else None
        except FormatError:
            return None

    def find(self, folder: str, *stems: str) -> str:
        """The first file of a folder whose name is one of `stems`, with or without a suffix; '' if there is none."""
        at = self.root / folder
        names = sorted(os.listdir(at)) if at.is_dir() else []
        for stem in stems:
            for name in names:
                if name.partition(".")[0].lower() == stem.lower() and (at / name).is_file():
                    return f"{folder}/{name}" if folder else name
        return ""

    def starts_as_script(self, path: str) -> bool:
        """Whether a file begins with `#!`."""
        try:
            with (self.root / path).open("rb") as stream:
                return stream.read(2) == b"#!"
        except OSError:
            return False

    # git and workflows -----------------------------------------------------------------------------------------

    @cached_property
    def revision(self) -> Revision | None:
        """The commit that is checked out; None if the workspace is not in git, or nothing is committed."""
        try:
            return read_revision(self.root, "HEAD")
        except FormatError:
            return None

    def git(self, *words: str) -> str:
        """What git prints in the workspace, '' when it fails."""
        try:
            return git_said(self.root, *words)
        except ActionError:
            return ""

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """The tags of the commit that is checked out."""
        return tuple(self.git("tag", "--points-at", "HEAD").split()) if self.revision else ()

    @cached_property
    def growths(self) -> Mapping[str, Growth]:
        """The meta-packages that need a minor step."""
        return growths(self.root, self.workspace.manifest.metas)

    @cached_property
    def workflows(self) -> Sequence[Workflow]:
        """The workflows, as they should be and as they are."""
        return workflows(self.workspace, self._version)


def _subject(cleanroom: Target) -> str:
    """The target whose artifact a clean room verifies: the one of the same name, or what an archive's is made from."""
    name = cleanroom.name.partition(":")[2]
    uses = [use.target for use in cleanroom.uses if not use.target.startswith("toolchain:")]
    return next((use for use in uses if use.partition(":")[2] == name), uses[0] if uses else "")
