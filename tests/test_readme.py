"""The README: its commands are the real ones, its example works as it stands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]

# A fenced block, and the file that the line above names, if it names one.
_BLOCK = re.compile(r"(?:^`(?P<file>[^`\n]+)`[^\n]*:\n\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```", re.M | re.S)


def section(title: str) -> str:
    """The text below a heading of the second level."""
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def blocks(title: str, language: str) -> list[str]:
    """The code blocks of a language below a heading."""
    return [match["text"] for match in _BLOCK.finditer(section(title)) if match["language"] == language]


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A folder with the files of the example."""
    for match in _BLOCK.finditer(section("An example")):
        if match["file"]:
            path = tmp_path / match["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(match["text"])
    return tmp_path


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a block of the README as a user does, with the Packyard under test first on PATH."""
    commands = folder.parent / f"{folder.name}-bin"
    commands.mkdir()
    (commands / "packyard").write_text(
        f'#!/bin/sh\nPYTHONPATH="{ROOT / "typings"}" exec "{sys.executable}" -m packyard.tasks "$@"\n'
    )
    (commands / "packyard").chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{commands}:{os.environ['PATH']}",
        "FLAVOR_CACHE_DIR": str(folder.parent / "unpacked"),
        "PACKYARD_CACHE_DIR": str(folder.parent / "store"),
        "PACKYARD_CONFIG_DIR": str(folder.parent / "config"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_readme_has_two_setup_commands() -> None:
    assert blocks("Set up", "sh") == [
        "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/doit\n",
        "python3 -m venv .venv && .venv/bin/pip install -e '.[dev]' && .venv/bin/pytest\n",
    ]


def test_readme_example_is_a_workspace(example: Path) -> None:
    done = run("packyard graph --format json", example)
    assert (done.returncode, done.stderr) == (0, "")
    assert '"bundle:greet"' in done.stdout


@pytest.mark.real
def test_readme_example_builds_and_runs(example: Path) -> None:
    (script,) = blocks("An example", "sh")
    done = run(script, example)
    assert done.returncode == 0, done.stderr
    assert "\nHello, Ada!\n" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("nothing to do: ")


def test_readme_commands_for_an_own_monorepo_work(tmp_path: Path) -> None:
    (script,) = blocks("Your own monorepo", "sh")
    install, *rest = script.splitlines()
    assert install == "pip install packyard"
    done = run("\n".join(rest), tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "wrote    packyard.toml\nwrote    dodo.py\nwrote    .gitignore\nwrote    doit.cfg\n"
        f"nothing to do: the workspace has no final artifact yet ({done.stdout.rpartition('(')[2]}"
    )


# every document ----------------------------------------------------------------------------------------------


def links() -> Iterator[tuple[str, str]]:
    """Each link of each document that leads to a file of this repository."""
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
            if "://" not in target:
                yield document.relative_to(ROOT).as_posix(), target


@pytest.mark.parametrize(("document", "target"), sorted(set(links())))
def test_link_leads_somewhere(document: str, target: str) -> None:
    path, _, anchor = target.partition("#")
    file = (ROOT / document).parent / path if path else ROOT / document
    assert file.exists()
    if anchor:
        headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.M)
        assert anchor in [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_ci_script_is_bash() -> None:
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)
