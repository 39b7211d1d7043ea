"""`packyard completion`, driven by the shells that are there."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.tasks.commands.conftest import Space

FAKE = "#!/bin/sh\nprintf '%s\\n' all archive:inner archive:outer bundle:web\n"


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH on which `packyard` lists four targets."""
    command = tmp_path / "bin/packyard"
    command.parent.mkdir()
    command.write_text(FAKE)
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    return f"{command.parent}:{os.environ['PATH']}"


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("packyard pl", ["plan"]),
        ("packyard plan archive:i", ["inner"]),
        ("packyard archive:", ["inner", "outer"]),
        ("packyard plan b", ["bundle:web"]),
        ("packyard plan pl", []),
    ],
)
def test_completion_in_bash_offers_commands_and_targets(space: Space, path: str, line: str, found: list[str]) -> None:
    words = line.replace(":", " : ").split()  # as bash splits them
    script = (
        space.output("completion", "bash")
        + f"COMP_LINE='{line}' COMP_POINT={len(line)} COMP_CWORD={len(words) - 1}\n"
        + "_packyard; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(
        ["bash", "-c", script], env={"PATH": path}, capture_output=True, text=True, check=True, cwd=space.root / "src"
    )
    assert done.stdout.split() == found


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_is_read_by_its_shell(space: Space, shell: str) -> None:
    script = space.output("completion", shell)
    assert "packyard list --quiet" in script
    if shutil.which(shell):
        assert subprocess.run([shell, "-n"], input=script, text=True, check=False).returncode == 0


def test_completion_for_another_shell_is_a_usage_error(space: Space) -> None:
    status, out, err = space.run("completion", "tcsh")
    assert (status, out) == (2, "")
    assert err.splitlines()[0] == "usage: packyard completion [-h] {bash,zsh,fish}"
