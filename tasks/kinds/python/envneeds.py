"""What the action of an environment, or of a distribution in it, needs to install."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from packyard.tasks.index.projectindexes import indexes_of
from packyard.tasks.index.uvsources import manifests_of
from packyard.tasks.kinds.interpreter import choice
from packyard.tasks.kinds.python.abi import MachineParams
from packyard.tasks.kinds.python.dependencies import dependencies, members_beside
from packyard.tasks.kinds.python.sitepackages import InstallParams
from packyard.tasks.target.packing import Packing
from packyard.tasks.target.target import Json, Use
from packyard.tasks.workspace.workspace import Member, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What `install` needs in an action: parameters, what is so on this machine alone, and uses; and how the action
    packs."""

    install: InstallParams
    packing: Packing
    local: dict[str, Json]
    uses: tuple[Use, ...]


def needs(member: Member, workspace: Workspace, platform: str) -> Needs:
    """What `install` needs in an action for a platform's bundle."""
    assert member.project is not None and member.project.flavor is not None
    build = member.project.flavor.build
    # This machine's, whatever the platform: it compiles.
    one = choice.find(choice.version(member, workspace), workspace)
    python, uses = choice.python_for(one)
    facts = choice.facts_use(member, workspace, platform, at="runtime")
    # Which Python compiles is told by the facts, wherever it lies; those of another platform tell of another Python.
    told = platform == workspace.platform
    indexes = indexes_of(member, workspace)
    beside = members_beside(dependencies(member, workspace), workspace)
    manifests = [os.fspath(workspace.root / path) for path in manifests_of(member, workspace, beside)]
    return Needs(
        install=InstallParams(
            python=replace(python, program="") if told else python,
            machine=MachineParams(python=one.version, platform=platform, manylinux=build.manylinux),
            strip=build.strip,
            trim=build.trim,
            keep=build.keep,
        ),
        packing=Packing.of(workspace.manifest.compression, epoch=workspace.epoch),
        local={
            **({"indexes": indexes} if indexes else {}),
            **({"manifests": manifests} if manifests else {}),
            **({"python": python.program} if told else {}),
        },
        uses=(*uses, facts),
    )
