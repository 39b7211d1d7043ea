"""The checklist of packaging as a program: what each kind of component must show, item by item.

Without an artifact nothing passes, whatever documents exist. An item looks and judges; it makes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from packyard.tasks.publish.checklist.artifacts import (
    addresses,
    artifact,
    examples,
    executable,
    exports,
    file_name,
    links,
    script,
    site,
    trial,
)
from packyard.tasks.publish.checklist.documents import (
    changelog,
    dependencies,
    documentation,
    installation,
    license_included,
    manifest,
    overview,
    semantic_version,
)
from packyard.tasks.publish.checklist.evidence import Evidence
from packyard.tasks.publish.checklist.item import Found, Item
from packyard.tasks.publish.checklist.repository import growth, ignored, release_tag, tag, tracked, workflow
from packyard.tasks.publish.component import Component

_OfComponent = Callable[[Component, Evidence], Found]
_OfWorkspace = Callable[[Evidence], Found]

_ARTIFACT: Mapping[str, _OfComponent] = {"artifact": artifact, "file name": file_name}
_RELEASE: Mapping[str, _OfComponent] = {"semantic version": semantic_version, "changelog": changelog, "tag": tag}
_PAPERS: Mapping[str, _OfComponent] = {
    "manifest": manifest,
    "documentation": documentation,
    "licence": license_included,
    "dependencies": dependencies,
}
_MOJO = {**_ARTIFACT, "imports": exports, "examples": examples, "verify script": script, **_PAPERS, **_RELEASE}

ITEMS: Mapping[str, Mapping[str, _OfComponent]] = {
    "mojo": _MOJO,
    "meta": {**_MOJO, "minor step": growth},
    "bundle": {**_ARTIFACT, "clean room": trial, **_PAPERS, **_RELEASE},
    "wheel": {**_ARTIFACT, **_PAPERS, **_RELEASE},
    "morloc": {**_ARTIFACT, "clean room": trial, **_PAPERS, **_RELEASE},
    "archive": {
        **_ARTIFACT,
        "clean room": trial,
        "executable": executable,
        "documentation": documentation,
        "licence": license_included,
        **_RELEASE,
    },
    "docs": {**_ARTIFACT, "site": site, "links": links, "addresses": addresses, **_RELEASE},
}
COMMON: dict[str, _OfWorkspace] = {
    "workflows": workflow,
    "ignored by git": ignored,
    "not in git": tracked,
    "installation": installation,
    "overview": overview,
}
KINDS = {
    "mojo": "Mojo package",
    "meta": "Mojo meta-package",
    "bundle": "bundle",
    "wheel": "library",
    "morloc": "morloc package",
    "archive": "archive",
    "docs": "documentation",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The items of one component, or of the workspace as a whole ('')."""

    subject: str
    kind: str
    items: tuple[Item, ...]

    @property
    def heading(self) -> str:
        """What the items are about, for people."""
        return f"{self.subject}, {KINDS[self.kind]}" if self.kind in KINDS else self.subject


def go_through(evidence: Evidence) -> Iterator[Judged]:
    """Every item of every component, then those of the workspace."""
    for component in evidence.components:
        found = ((name, judge(component, evidence)) for name, judge in ITEMS[component.kind].items())
        subject = f"{component.name} {component.version}".rstrip()
        yield Judged(subject=subject, kind=component.kind, items=_items(found))
    common = COMMON | ({"release": release_tag} if evidence.tag else {})
    found = ((name, judge_all(evidence)) for name, judge_all in common.items())
    yield Judged(subject=evidence.workspace.manifest.name, kind="workspace", items=_items(found))


def _items(found: Iterable[tuple[str, Found]]) -> tuple[Item, ...]:
    return tuple(Item(name=name, verdict=one.verdict, text=one.text, fix=one.fix) for name, one in found)
