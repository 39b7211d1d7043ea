"""The platforms that members are made for."""

from __future__ import annotations

from packyard.formats.python.flavor import Flavor
from packyard.tasks.workspace.workspace import Member, Workspace


def platforms_of(flavor: Flavor, workspace: Workspace) -> tuple[str, ...]:
    """The platforms that a member's bundles are for: those of its manifest, else this machine's."""
    return tuple(dict.fromkeys(flavor.platforms)) or (workspace.platform,)


def platforms_of_all(workspace: Workspace) -> dict[str, tuple[Member, tuple[str, ...]]]:
    """The members with [tool.flavor] by name, each with the platforms of its bundles."""
    return {
        member.name: (member, platforms_of(member.project.flavor, workspace))
        for member in workspace.members
        if member.project and member.project.flavor
    }


def at(platform: str, workspace: Workspace) -> str:
    """What distinguishes another platform's targets from this machine's: '@linux_arm64', or nothing."""
    return "" if platform == workspace.platform else f"@{platform}"


def env_platforms(flavor: Flavor, workspace: Workspace) -> tuple[str, ...]:
    """The platforms that a member's environment is needed for: those of its bundles, and this one when hooks run."""
    hooks = (workspace.platform,) if flavor.build.pre_build or flavor.build.post_build else ()
    return tuple(dict.fromkeys((*platforms_of(flavor, workspace), *hooks)))
