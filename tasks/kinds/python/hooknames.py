"""Names of hook targets, and what hooks write."""

from __future__ import annotations

from packyard.tasks.workspace.workspace import Member

PRE_BUILD = "pre_build"


def is_written(member: Member, path: str) -> bool:
    """Whether a path below a member is a declared output of its pre_build hooks, or in one."""
    build = member.project.flavor.build if member.project and member.project.flavor else None
    if build is None or not build.pre_build:
        return False
    return any(
        f"{path}/".startswith(output) if output.endswith("/") else path == output for output in build.hook_outputs
    )


def hook_of(member: Member) -> str:
    """The target that runs a member's pre_build hooks."""
    return f"hook:{member.name}/{PRE_BUILD}"
