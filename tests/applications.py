"""Applications that tests pack with the real tools, and what it takes to start them."""

from __future__ import annotations

import subprocess
from pathlib import Path


def start(
    program: Path, *words: str, home: Path, cwd: Path | None = None, given: str | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run a bundle with a home of its own, in which it is unpacked, and nothing of this environment."""
    home.mkdir(parents=True, exist_ok=True)
    clean = {"PATH": "/usr/bin:/bin", "HOME": str(home), "FLAVOR_LOG_LEVEL": "error"}
    return subprocess.run(
        [program, *words],
        cwd=cwd or home,
        env={**clean, **env},
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
