"""What a site of `[[docs]]` is made with and what it makes: the environment of mkdocs, and the names of artifacts."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import replace

from packyard.formats.reference import TargetRef
from packyard.formats.text.mkdocs import MkdocsConfig
from packyard.formats.workspace.manifest import DocsSpec, WorkspaceManifest
from packyard.tasks.errors import PlanError
from packyard.tasks.index import lock
from packyard.tasks.index.pin import Pin
from packyard.tasks.kinds.interpreter import choice
from packyard.tasks.kinds.python.backend import buildenv_name
from packyard.tasks.target.target import Target
from packyard.tasks.workspace.workspace import Member, Workspace

SITE = "site"  # the part that is the folder
LOCK = "pylock.docs.toml"  # at the root: all sites of a workspace are made with the same


def docs_python(workspace: Workspace) -> str:
    """The Python ('3.12') that mkdocs runs on."""
    return choice.version(_member(), workspace)


def docs_requirements(workspace: Workspace) -> tuple[str, ...]:
    """What the sites of the workspace require, together; nothing when there are none."""
    return tuple(sorted({text for spec in workspace.manifest.docs for text in spec.requires}))


def docs_pin(workspace: Workspace) -> Pin | None:
    """The lock of what the workspace's sites require: `pylock.docs.toml`, else our own; None when there are none."""
    requirements = docs_requirements(workspace)
    if not requirements:
        return None
    python = docs_python(workspace)
    try:
        return lock.pin_of(_member(), workspace, requirements=requirements, python=python, name=LOCK)
    except PlanError as error:  # the lock belongs to no member
        raise PlanError(*(replace(problem, hint="run 'packyard lock'") for problem in error.problems)) from None


def docsenv_of(pin: Pin) -> str:
    """The target that makes the environment of what makes the sites."""
    return buildenv_name("docs", pin, committed=LOCK)


def pages_folder(spec: DocsSpec, config: MkdocsConfig) -> str:
    """The folder of a site's pages: the one that its `[[docs]]` names, else that of its configuration."""
    return spec.source or _beside(spec, config.docs_dir or "docs")


def named_files(spec: DocsSpec, config: MkdocsConfig) -> Mapping[str, str]:
    """The other files and folders that a configuration names, by their keys."""
    named = {"theme.custom_dir": config.custom_dir, "INHERIT": config.inherit}
    named |= {f"hooks[{number}]": path for number, path in enumerate(config.hooks)}
    return {key: _beside(spec, path) for key, path in named.items() if path}


def _beside(spec: DocsSpec, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(spec.config), path))


def site_folder(name: str, manifest: WorkspaceManifest) -> str:
    """Where the workspace keeps a site: `site`, with several of them `site/NAME`."""
    return "site" if len(manifest.docs) <= 1 else f"site/{name}"


def zip_name(spec: DocsSpec, manifest: WorkspaceManifest) -> str:
    """What the offline copy is called."""
    stem = "docs-offline" if len(manifest.docs) == 1 else f"{spec.name}-docs-offline"
    return f"{stem}-{spec.version}.zip"


def site_folders(target: Target) -> list[str]:
    """The folders of sites that a target makes."""
    return [output.artifact for output in target.outputs if output.part == SITE and output.artifact]


def is_site(reference: TargetRef) -> bool:
    """Whether a reference names the folder of a site, `docs:NAME#site`; actions find it as a tree."""
    return reference.target.startswith("docs:") and reference.part == SITE


def _member() -> Member:
    """The workspace's own folder, for which the lock is asked."""
    return Member(name="docs", folder="")
