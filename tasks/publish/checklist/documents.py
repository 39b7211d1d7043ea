"""Items that are shown by texts: manifests, documents, the licence, versions and the changelog."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from packyard.formats.errors import FormatError
from packyard.formats.semver import is_version
from packyard.formats.text.changelog import find_entry
from packyard.formats.text.toml import read_toml
from packyard.formats.text.yaml import read_yaml
from packyard.tasks.publish.bump import changelog_of
from packyard.tasks.publish.checklist.evidence import Evidence
from packyard.tasks.publish.checklist.item import Found, failed, passed, skipped
from packyard.tasks.publish.component import Component

_WANTED = {
    "mojo.toml": ("description", "authors", "license"),
    "pyproject.toml": ("description", "authors", "license"),
    "package.yaml": ("synopsis", "author", "license"),
    "packyard.toml": ("description",),
}
_README, _LICENSE = ("README",), ("LICENSE", "LICENCE", "COPYING")
_INSTALL = re.compile(r"^#+ .*\b(?:install|set ?up|getting started)", re.I | re.M)


def manifest(component: Component, evidence: Evidence) -> Found:
    """The manifest says what others want to know: what it is, by whom, under which licence."""
    file = component.place.rpartition("/")[2]
    values = _table(component, evidence)
    missing = [key for key in _WANTED[file] if not values.get(key)]
    if missing:
        return failed(f"{component.place} has no {', '.join(missing)}", f"add {' and '.join(missing)} to it")
    return passed(component.place)


def license_included(component: Component, evidence: Evidence) -> Found:
    """The licence's text is in its folder or the workspace's; an archive contains it."""
    if component.kind == "archive":
        paths = [source.path for target in evidence.targets(component) for source in target.sources]
        found = next((path for path in paths if _stem(path) in _LICENSE), "")
        return passed(found) if found else failed("it contains no LICENSE", 'add "LICENSE" to its include')
    path = evidence.find(component.folder, *_LICENSE) or evidence.find("", *_LICENSE)
    if not path:
        return failed("there is no LICENSE", f"write {component.folder or '.'}/LICENSE")
    stated = _license(component, evidence)
    if component.kind in ("mojo", "meta") and not stated:
        return failed(f"{component.place} names no license, so the package's own manifest has none", "add license")
    return passed(f"{stated}, {path}" if stated else path)


def documentation(component: Component, evidence: Evidence) -> Found:
    """It has a README: in its folder; for an archive, in the archive; for a meta-package, in each part's folder."""
    if component.kind == "archive":
        paths = [source.path for target in evidence.targets(component) for source in target.sources]
        found = next((path for path in paths if _stem(path) == "README"), "")
        return (
            passed(found)
            if found
            else failed("it contains no README that explains its usage", "add one to its include")
        )
    folders = [part.member.folder for package in component.packages for part in package.parts] or [component.folder]
    for folder in dict.fromkeys(folders):
        path = evidence.find(folder, *_README)
        if not path or not (evidence.text(path) or "").strip():
            wanted = f"{folder}/README.md".lstrip("/")
            return failed(f"there is no {wanted}", "say there what it is and how to use it")
    return passed(", ".join(evidence.find(folder, *_README) for folder in dict.fromkeys(folders)))


def dependencies(component: Component, evidence: Evidence) -> Found:
    """What it needs is written where receivers look: beside a Mojo package, or in an application's lock."""
    if component.kind in ("mojo", "meta"):
        return _described(component, evidence)
    if component.kind == "bundle":
        path = f"{component.folder}/pylock.toml".lstrip("/")
        if not evidence.workspace.watch.is_file(path):
            return failed(f"there is no {path}, so a build uses the newest versions", "packyard lock, and commit it")
        return passed(path)
    return passed(component.place)


def semantic_version(component: Component, evidence: Evidence) -> Found:
    """Its version is a semantic one."""
    if is_version(component.version):
        return passed(component.version)
    fix = f"one like 0.1.0: packyard bump patch {component.name}"
    return failed(f"{component.version!r} is not a semantic version" if component.version else "is not known", fix)


def changelog(component: Component, evidence: Evidence) -> Found:
    """The changelog has an entry for its version."""
    path = changelog_of(component, evidence.workspace)
    text = evidence.text(path)
    if text is None:
        return failed(f"there is no {path}", f"write one with a heading '## [{component.version}] - DATE'")
    entry = find_entry(text, component.name, component.version)
    if entry is None or not entry.text:
        what = "has no entry for" if entry is None else "says nothing about"
        return failed(f"{path} {what} {component.version}", f"say there what changed, below '## [{component.version}]'")
    if entry.is_unreleased and evidence.tag:
        return failed(f"{path} calls {component.version} unreleased", "replace that with the date")
    return passed(f"{path}: {entry.title}")


def installation(evidence: Evidence) -> Found:
    """How to install it is written down."""
    return _document(evidence, "INSTALL.md", "nothing says how to install it")


def overview(evidence: Evidence) -> Found:
    """A README says what is distributed: what is inside, versions, compiler, how to install, licence."""
    return _document(evidence, "README.md", "no README says what is distributed")


def _document(evidence: Evidence, name: str, missing: str) -> Found:
    """A document that a target writes to dist/ or, if none does, one at the top of the workspace."""
    for target in evidence.graph.targets.values():
        if f"dist/{name}" in evidence.artifacts(target).values():
            if evidence.is_fresh(target):
                return passed(f"dist/{name}")
            return failed(f"dist/{name}: it was not built, or something has changed since", f"packyard {target.name}")
    text = evidence.text(name)
    if text:
        return passed(name)
    readme = evidence.text("README.md") or ""
    if name == "INSTALL.md" and _INSTALL.search(readme):
        return passed("README.md")
    return failed(missing, f"write {name} beside packyard.toml, or distribute = true in its [workspace]")


def _described(component: Component, evidence: Evidence) -> Found:
    """The dependencies in the manifest beside a Mojo package."""
    for target in evidence.targets(component):
        path = evidence.artifacts(target).get("manifest", "")
        if not path or not evidence.is_fresh(target):
            return failed("the manifest beside the package is missing", f"packyard {target.name}")
        needed = json.loads((evidence.root / path).read_text(encoding="utf-8"))["dependencies"]
        names = ", ".join(f"{one['distribution']} {one['version']}" for one in needed)
        return passed(f"{path}: {names or 'none'}")
    return skipped("nothing is made from it")


def _license(component: Component, evidence: Evidence) -> str:
    if component.packages:
        return component.packages[0].manifest.license
    value = _table(component, evidence).get("license")
    return value if isinstance(value, str) else ""


def _table(component: Component, evidence: Evidence) -> Mapping[str, Any]:
    """The table of a manifest that holds the version."""
    text = evidence.text(component.place) or ""
    try:
        values: Any = (
            read_yaml(text, component.place).values
            if component.place.endswith(".yaml")
            else read_toml(text, component.place)
        )
        for key in component.key[:-1]:
            values = values[key]
    except FormatError:
        return {}
    if component.kind == "meta":
        return {"description": component.packages[0].manifest.description} if component.packages else {}
    found: Mapping[str, Any] = values
    return found


def _stem(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0].upper()
