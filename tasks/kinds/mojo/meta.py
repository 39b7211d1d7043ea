"""Meta-packages: what the parts of one export together, and their sources as they are compiled."""

from __future__ import annotations

from packyard.formats.errors import Problem
from packyard.formats.mojo.exports import exports
from packyard.tasks.errors import PlanError
from packyard.tasks.kinds.mojo.package import Package, source_texts, sources
from packyard.tasks.workspace.workspace import MANIFEST, Workspace


def flat_exports(package: Package, workspace: Workspace) -> dict[str, tuple[str, ...]]:
    """What each part exports; PlanError with the names that two of them do."""
    found: dict[str, tuple[str, ...]] = {}
    owners: dict[str, str] = {}
    problems: list[Problem] = []
    for part in package.parts:
        texts = source_texts(part, sources(part, workspace.watch), workspace.watch)
        found[part.name] = exports(part.name, texts)
        for name in found[part.name]:
            other = owners.setdefault(name, part.name)
            if other != part.name:
                message = (
                    f"{name!r} is exported by {other!r} and by {part.name!r}; a flat package can export it only once"
                )
                problems.append(Problem(message, key=f"meta {package.label!r}", place=MANIFEST))
    if problems:
        raise PlanError(*problems)
    return found
