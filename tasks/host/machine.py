"""The platform of this machine."""

from __future__ import annotations

import platform as machine
import sys


def host_platform() -> str:
    """This machine as bundles name it: linux, darwin or windows, '_', amd64 or arm64."""
    system = {"linux": "linux", "darwin": "darwin", "win32": "windows"}.get(sys.platform, sys.platform)
    arch = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
    return f"{system}_{arch.get(machine.machine().lower(), machine.machine().lower())}"
