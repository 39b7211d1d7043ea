"""Items shown by git, and by the files that it should or should not track."""

from __future__ import annotations

import re

from packyard.tasks.publish.checklist.evidence import OWN_FOLDERS, Evidence
from packyard.tasks.publish.checklist.item import Found, failed, passed, skipped
from packyard.tasks.publish.component import Component, tags

_TAG = re.compile(r"(.*?)v\d+\..*")
_NO_GIT = "this workspace is not in git"
_KEPT = (".gitkeep", ".gitignore")
_STATES = {
    "missing": "is missing",
    "outdated": "does not match the workspace as it is now",
    "edited": "was edited by hand",
    "needless": "is for something that the workspace does not have",
}


def tag(component: Component, evidence: Evidence) -> Found:
    """The tag of the commit, if it has one, is its version; with `--tag`, the given one is."""
    meant = tags(component, evidence.components, evidence.workspace.manifest.name)
    given = [evidence.tag] if evidence.tag else list(evidence.tags)
    found = [name for name in given if _owner(name) in {_owner(one) for one in meant}]
    wrong = [name for name in found if name not in meant]
    if wrong:
        fix = f"git tag -d {wrong[0]}, or change {component.place}"
        return failed(f"the tag is {wrong[0]}, but the version is {component.version}", fix)
    if found:
        return passed(found[0])
    if evidence.revision is None:
        return skipped(_NO_GIT)
    return skipped(f"no tag here is for it; expected {meant[-1]}")


def release_tag(evidence: Evidence) -> Found:
    """The given tag releases something in this workspace."""
    known = evidence.components
    owners = {_owner(one) for component in known for one in tags(component, known, evidence.workspace.manifest.name)}
    if _owner(evidence.tag) in owners:
        return passed(evidence.tag)
    forms = ", ".join(f"{owner}vVERSION" for owner in sorted(owner for owner in owners if owner is not None))
    return failed(f"{evidence.tag!r} is not the tag of anything here", f"a tag is one of {forms}")


def growth(component: Component, evidence: Evidence) -> Found:
    """A meta-package that got a new component has taken a minor step."""
    owed = evidence.growths.get(component.name)
    if owed is None:
        return skipped(_NO_GIT) if evidence.revision is None else passed("no component is new")
    return failed(str(owed), f"packyard bump minor {component.name}")


def workflow(evidence: Evidence) -> Found:
    """The workflows are there, and are those for this workspace."""
    wrong = [one for one in evidence.workflows if one.state != "current"]
    if wrong:
        return failed(f"{wrong[0].path} {_STATES[wrong[0].state]}", "packyard ci")
    return passed(", ".join(one.path for one in evidence.workflows))


def ignored(evidence: Evidence) -> Found:
    """git ignores what Packyard makes."""
    if not evidence.git("rev-parse", "--git-dir"):
        return skipped(_NO_GIT)
    missing = not_ignored(evidence)
    if missing:
        return failed(f"git does not ignore {' and '.join(f'{one}/' for one in missing)}", "packyard check --fix")
    return passed(", ".join(f"{one}/" for one in OWN_FOLDERS))


def not_ignored(evidence: Evidence) -> list[str]:
    """The folders of artifacts in which git would not ignore a new file."""
    return [one for one in OWN_FOLDERS if not evidence.git("check-ignore", "--no-index", f"{one}/artifact-0.1.0")]


def _owner(tag: str) -> str | None:
    """What comes before the version in a tag: 'tensor-' of 'tensor-v0.2.0', '' of 'v0.2.0'; None for another tag."""
    match = _TAG.fullmatch(tag)
    return match[1] if match else None


def tracked(evidence: Evidence) -> Found:
    """No artifact is in git."""
    if not evidence.git("rev-parse", "--git-dir"):
        return skipped(_NO_GIT)
    made = {path for target in evidence.graph.targets.values() for path in evidence.artifacts(target).values()}
    others = sorted(path for path in made if path.partition("/")[0] not in OWN_FOLDERS)
    said = evidence.git("ls-files", "-z", "--", *OWN_FOLDERS, *others)
    found = [path for path in said.split("\0") if path and path.rpartition("/")[2] not in _KEPT]
    if found:
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        return failed(f"{found[0]}{more} is committed", f"git rm --cached {' '.join(found[:3])}")
    return passed("no artifact is committed")
