"""What the compiled code of an environment needs of the system."""

from __future__ import annotations

from dataclasses import dataclass

from packyard.formats.archive.gzipped import COMPRESSOR, LEVELS
from packyard.tasks.index.projectindexes import indexes_of
from packyard.tasks.kinds.interpreter import choice
from packyard.tasks.target.target import Json, Use
from packyard.tasks.workspace.workspace import Member, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What `install` needs in an action: parameters, what is so on this machine alone, and uses."""

    params: dict[str, Json]
    local: dict[str, Json]
    uses: tuple[Use, ...]


def needs(member: Member, workspace: Workspace, platform: str) -> Needs:
    """What `install` needs in an action for a platform's bundle."""
    assert member.project is not None and member.project.flavor is not None
    build = member.project.flavor.build
    # This machine's, whatever the platform: it compiles.
    one = choice.find(choice.version(member, workspace), workspace)
    program, uses = choice.build_program(one)
    params: dict[str, Json] = {
        "runtime": one.target,
        "version": one.version,
        "manylinux": list(build.manylinux),
        "platform": platform,
        "strip": build.strip,
        "trim": list(build.trim),
        "keep": list(build.keep),
        "epoch": workspace.epoch,
        "compressor": COMPRESSOR,
        "level": LEVELS[workspace.manifest.compression],
    }
    facts = choice.facts_use(member, workspace, platform, at="runtime")
    # Which Python compiles is told by the facts, wherever it lies; those of another platform tell of another Python.
    told = platform == workspace.platform
    indexes = indexes_of(member, workspace)
    return Needs(
        params=params if told else {**params, "python": program},
        local={**({"indexes": indexes} if indexes else {}), **({"python": program} if told else {})},
        uses=(*uses, facts),
    )
