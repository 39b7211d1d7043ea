"""The Mojo packages of a workspace and what each needs: asked by several kinds, found out once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from packyard.formats.errors import FormatError, Problem
from packyard.tasks.errors import PlanError
from packyard.tasks.kinds.mojo.dependencies import Needs, dependencies
from packyard.tasks.kinds.mojo.package import Package, find_packages, sources
from packyard.tasks.workspace.workspace import MANIFEST, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class MojoPlan:
    """All packages, sorted by name; `needs` is by name."""

    packages: Sequence[Package] = ()
    needs: Mapping[str, Needs]


def plan_packages(workspace: Workspace) -> MojoPlan:
    """The packages; FormatError with everything that is wrong with them."""
    known = workspace.watch.derived
    if "mojo" not in known:
        known["mojo"] = _plan(workspace)
    found: MojoPlan = known["mojo"]
    return found


def sound_packages(workspace: Workspace) -> MojoPlan:
    """The packages; none when something is wrong with them, which is for the kind `mojo` to say."""
    try:
        return plan_packages(workspace)
    except FormatError:
        return MojoPlan(needs={})


def _plan(workspace: Workspace) -> MojoPlan:
    packages = find_packages(workspace)
    if not packages:
        return MojoPlan(needs={})
    bare = next((package for package in packages if not package.compiler), None)
    if bare is not None:
        message = f"is missing; expected the version of a Mojo compiler: {bare.place} is a Mojo package"
        raise PlanError(Problem(message, key="toolchain.mojo", place=MANIFEST, hint='one is mojo = "1.0.0"'))
    files = {package.name: sources(package, workspace.watch) for package in packages}
    return MojoPlan(packages=packages, needs=dependencies(packages, files, workspace.watch))
