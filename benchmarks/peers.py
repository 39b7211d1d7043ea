"""Peers from the package index, in an environment of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def environment(folder: Path, requirements: Sequence[str]) -> Path:
    """Install the requirements below `folder`; returns the folder of their commands."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run([folder / "bin" / "pip", "install", "--quiet", *requirements], check=True)
    return folder / "bin"
