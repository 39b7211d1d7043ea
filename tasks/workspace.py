"""The workspace: the root's manifest and the members that its globs find, names checked."""

from __future__ import annotations

import platform as machine
import sys
from dataclasses import dataclass
from pathlib import Path

from packyard.formats.flavor import ProjectManifest
from packyard.formats.mojo import MojoManifest
from packyard.formats.morloc import MorlocManifest
from packyard.formats.workspace import WorkspaceManifest
from packyard.tasks.watch import Watch

MANIFEST = "packyard.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A package folder: at least one manifest, all agreeing on its name. `folder` is relative, '' for the root."""

    name: str
    folder: str
    mojo: MojoManifest | None = None
    project: ProjectManifest | None = None
    morloc: MorlocManifest | None = None

    def path(self, name: str) -> str:
        """A path inside the member, relative to the workspace."""
        return f"{self.folder}/{name}" if self.folder else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Everything the graph is made from. `epoch` is SOURCE_DATE_EPOCH or 0, in seconds."""

    root: Path
    watch: Watch
    manifest: WorkspaceManifest
    members: tuple[Member, ...]
    platform: str  # 'linux_amd64'
    epoch: int = 0


def host_platform() -> str:
    """This machine as bundles name it: linux, darwin or windows, '_', amd64 or arm64."""
    system = {"linux": "linux", "darwin": "darwin", "win32": "windows"}.get(sys.platform, sys.platform)
    arch = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
    return f"{system}_{arch.get(machine.machine().lower(), machine.machine().lower())}"
