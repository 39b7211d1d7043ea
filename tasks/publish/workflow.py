"""The workflows of GitHub Actions for a workspace: what builds, verifies and publishes it, filled from templates."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import yaml
from packaging.utils import canonicalize_name
from packyard.formats.errors import FormatError, Problem
from packyard.formats.reference import TargetRef, read_reference
from packyard.formats.text.mkdocs import MkdocsConfig, read_mkdocs
from packyard.formats.workspace.manifest import DocsSpec
from packyard.tasks.kinds.docs.site import named_files, pages_folder
from packyard.tasks.publish.workflowtexts import ACTIONS, BUILT_IN, SETUP
from packyard.tasks.texts.template import FOLDER as TEMPLATES
from packyard.tasks.texts.template import fill, read_template
from packyard.tasks.workspace.workspace import MANIFEST, Workspace

FOLDER = ".github/workflows"
_SEAL = re.compile(r"# Written by 'packyard ci', SHA-256 ([0-9a-f]{64})\.[^\n]*\n")
_PYTHON = "3.12"
_STORE = "~/.cache/packyard"
_LOCKS = ("packyard.lock", "pylock.*.toml", "uv.lock")
_PAPERS = ("README.md", "CHANGELOG.md", "LICENSE*")  # the checklist reads them
_UNSIGNED = "a seed that everyone knows"  # forks see no secrets, and build anyway

State = Literal["current", "missing", "outdated", "edited", "needless"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """One file: its text as it should be ('' if the workspace does not need it), as it is (None if there is no file),
    and how they compare. An `edited` file is not as Packyard wrote it."""

    path: str
    text: str
    there: str | None
    state: State


def workflows(workspace: Workspace, version: str) -> tuple[Workflow, ...]:
    """The workflows for a workspace, run by this `version` of Packyard; FormatError with everything that is wrong with
    its templates."""
    unknown = [action for action in workspace.manifest.ci.pins if action not in ACTIONS]
    if unknown:
        hint = f"known: {', '.join(ACTIONS)}"
        raise FormatError(
            *(Problem(f"{action!r} is not an action of the built-in workflows", f"ci.pins.{action}", MANIFEST, hint)
              for action in unknown)
        )  # fmt: skip
    texts = {f"{FOLDER}/{name}.yml": text for name, text in _texts(workspace, version)}
    return tuple(
        _compare(path, texts.get(path, ""), workspace)
        for path in (f"{FOLDER}/{name}.yml" for name in BUILT_IN)
        if path in texts or workspace.watch.is_file(path)
    )


def _compare(path: str, text: str, workspace: Workspace) -> Workflow:
    there = workspace.watch.text(path) if workspace.watch.is_file(path) else None
    state: State = "missing"
    if there is not None:
        state = "current" if there == text else "outdated" if _is_ours(there) else "edited"
        if not text:
            state = "needless" if _is_ours(there) else "current"  # written by somebody else
    return Workflow(path=path, text=text, there=there, state=state)


def _is_ours(text: str) -> bool:
    """Whether a file is unchanged since it was written."""
    match = _SEAL.match(text)
    return match is not None and match[1] == _digest(text[match.end() :])


def _sealed(text: str, name: str) -> str:
    hint = f"Change {TEMPLATES}/{name}_workflow.yml, not this file."
    return f"# Written by 'packyard ci', SHA-256 {_digest(text)}. {hint}\n{text}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _texts(workspace: Workspace, version: str) -> Iterator[tuple[str, str]]:
    """Each workflow that the workspace needs."""
    manifest = workspace.manifest
    useful = {
        "package": True,
        "benchmark": any(spec.smoke for spec in manifest.archives),
        "docs": bool(manifest.docs),
    }
    for name, built_in in BUILT_IN.items():
        if useful[name]:
            values = _values(workspace, version, name)
            template = read_template(f"{name}_workflow.yml", built_in, workspace.watch, values)
            text = fill(template, values)
            _check_yaml(text, f"{TEMPLATES}/{name}_workflow.yml")
            yield name, _sealed(text, name)


def _values(workspace: Workspace, version: str, job: str) -> dict[str, str]:
    manifest = workspace.manifest
    actions = {
        action.partition("/")[2].replace("-", "_"): _uses(action, release, manifest.ci.pins)
        for action, release in ACTIONS.items()
    }
    values = {
        **actions,
        "job": job,
        "packyard": _packyard(workspace, version),
        "python": manifest.toolchain.python or _PYTHON,
        "store": manifest.cache.directory or _STORE,
        "paths": _paths(workspace, job),
        "archives": shlex.join(f"archive:{spec.name}" for spec in manifest.archives if spec.smoke),
        "sites": shlex.join(f"docs:{spec.name}" for spec in manifest.docs),
        "environment": _environment(manifest.sign.seed_env),
        "signing": _signing(manifest.sign.key),
    }
    return {**values, "setup": fill(SETUP, values)}


def _uses(action: str, release: str, pins: Mapping[str, str]) -> str:
    return f"{action}@{pins[action]} # {release}" if action in pins else f"{action}@{release}"


def _packyard(workspace: Workspace, version: str) -> str:
    """What pip installs: this version, or a member that is Packyard itself."""
    for member in workspace.members:
        if member.project is not None and canonicalize_name(member.project.name) == "packyard":
            return f"./{member.folder}"
    return f"packyard=={version}"


def _paths(workspace: Workspace, job: str) -> str:
    """What a pull request must touch for the workflow to run, as the value of `pull_request`."""
    manifest = workspace.manifest
    if "" in manifest.members:
        return ""
    found = [f"{pattern}/**" for pattern in manifest.members]
    for text in (text for archive in manifest.archives for text in archive.include):
        reference = read_reference(text)
        if not isinstance(reference, TargetRef):
            found += [reference, f"{reference}/**"] if not reference.endswith("**") else [reference]
    for spec in manifest.docs:
        found += _site_paths(spec, workspace)
    found += [MANIFEST, *_LOCKS, *_PAPERS, f"{TEMPLATES}/**", f"{FOLDER}/{job}.yml"]
    return "paths:\n" + "\n".join(f'  - "{path}"' for path in dict.fromkeys(found))


def _site_paths(spec: DocsSpec, workspace: Workspace) -> list[str]:
    """What a site is made from, as patterns."""
    there = workspace.watch.is_file(spec.config)
    config = read_mkdocs(workspace.watch.text(spec.config), spec.config) if there else MkdocsConfig()
    named = (path if workspace.watch.is_file(path) else f"{path}/**" for path in named_files(spec, config).values())
    return [f"{pages_folder(spec, config)}/**", spec.config, *spec.include, *named]


def _environment(variable: str) -> str:
    return f"env:\n  {variable}: ${{{{ secrets.{variable} || '{_UNSIGNED}' }}}}" if variable else ""


def _signing(key: str) -> str:
    """The step that puts the signing key where packyard.toml expects it; a key in git needs none."""
    if not key:
        return ""
    place = shlex.quote(key)
    folder = os.path.dirname(key)
    return f"""\
- name: Put the signing key where packyard.toml expects it
  env:
    SIGNING_KEY: ${{{{ secrets.PACKYARD_SIGNING_KEY }}}}
  run: |
    umask 077
    if [ -n "$SIGNING_KEY" ]; then
      {f"mkdir -p {shlex.quote(folder)}" if folder else ":"}
      printf '%s\\n' "$SIGNING_KEY" > {place}
    elif [ ! -f {place} ]; then
      echo "PACKYARD_KEY_SEED={_UNSIGNED}" >> "$GITHUB_ENV"
    fi"""


def _check_yaml(text: str, place: str) -> None:
    try:
        yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1} of what it gives" if error.problem_mark else ""
        raise FormatError(Problem(f"is not YAML: {error.problem}", line, place)) from None
