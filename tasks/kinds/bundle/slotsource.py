"""Where the files of a declared slot come from: the member's folder, another target, or what a hook wrote."""

from __future__ import annotations

import os
from dataclasses import dataclass

from packyard.formats.errors import Problem
from packyard.formats.python.slots import SlotSpec
from packyard.formats.reference import TargetRef, read_reference
from packyard.tasks.errors import PlanError
from packyard.tasks.kinds.docs.site import is_site
from packyard.tasks.kinds.python.hooknames import hook_of, is_written
from packyard.tasks.kinds.python.wheelparts import matches
from packyard.tasks.target.target import Source, Use
from packyard.tasks.workspace.belonging import belongs_to, find_files
from packyard.tasks.workspace.workspace import Member, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotSource:
    """`single` tells a file from a folder or pattern. `written` is the path below the tree that the target `hook`
    makes: what a hook writes, or a site."""

    single: bool
    sources: tuple[Source, ...] = ()
    uses: tuple[Use, ...] = ()
    hook: str = ""
    written: str = ""


def slot_source(member: Member, workspace: Workspace, spec: SlotSpec, key: str) -> SlotSource:
    """The source of a slot that the key `key` declares; PlanError when nothing is there."""
    reference = read_reference(spec.source)
    single = is_single(spec, member, workspace)
    if isinstance(reference, TargetRef):
        use = Use(target=reference.target, part=reference.part, at="source/file" if single else "")
        return SlotSource(single=single, uses=(use,), hook="" if single else reference.target)
    if is_written(member, reference):
        hook = hook_of(member)
        return SlotSource(single=single, uses=(Use(target=hook),), hook=hook, written=reference)
    path = member.path(reference)
    base = path if workspace.watch.is_folder(path) else _fixed_part(path)
    named = find_files(workspace, path, belongs_to(member, workspace))
    found = [path] if single else list(named.files)
    kept = [file for file in found if single or not matches(os.path.relpath(file, base or "."), spec.exclude)]
    if not kept:
        what = "is missing" if not found else "contains only excluded files"
        raise PlanError(
            Problem(
                f"{spec.source!r} {what}; expected a file, a folder or a pattern that matches something",
                key,
                member.path("pyproject.toml"),
                "" if found else named.hint,
            )
        )
    sources = tuple(
        Source(path=file, at="source/file" if single else f"source/{os.path.relpath(file, base or '.')}")
        for file in kept
    )
    return SlotSource(single=single, sources=sources)


def is_single(spec: SlotSpec, member: Member, workspace: Workspace) -> bool:
    """Whether a slot is one file. Of what a hook will write, the manifest tells: folders end with '/'."""
    reference = read_reference(spec.source)
    if isinstance(reference, TargetRef):
        return not is_site(reference)
    if is_written(member, reference):
        outputs = member.project.flavor.build.hook_outputs if member.project and member.project.flavor else ()
        return not spec.source.endswith("/") and f"{reference}/" not in outputs
    return workspace.watch.is_file(member.path(reference))


def _fixed_part(pattern: str) -> str:
    """The folders of a pattern before its first wildcard: what they hold keeps its paths from there on."""
    parts = pattern.split("/")[:-1]
    for position, part in enumerate(parts):
        if any(char in part for char in "*?["):
            return "/".join(parts[:position])
    return "/".join(parts)
