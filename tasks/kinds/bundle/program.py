"""What a bundle runs: the commands of a member, and the module in the bundle that starts them."""

from __future__ import annotations

from packyard.formats.python.pyproject import ProjectManifest
from packyard.tasks.kinds.bundle.programfiles import Program


def program_of(project: ProjectManifest, version: str, platform: str) -> Program:
    """The program of a member with [tool.flavor]: its scripts, and its entry point under the bundle's own name."""
    flavor = project.flavor
    if flavor is None:
        raise ValueError(f"{project.name} is not a bundle")
    commands = dict(project.scripts)
    if flavor.entry_point:
        commands[flavor.package_name] = flavor.entry_point
    default = flavor.package_name if flavor.package_name in commands else next(iter(commands))
    slots = {
        spec.id: {"path": spec.target, "lifecycle": spec.lifecycle, "purpose": spec.purpose}
        for spec in flavor.slots
        if spec.platform in ("", platform)
    }
    return Program(name=flavor.package_name, version=version, commands=commands, default=default, slots=slots)
