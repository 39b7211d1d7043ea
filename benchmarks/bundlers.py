"""Other tools that make one file of a Python application, each in an environment of its own: pex, shiv, PyInstaller.

All of them get the same wheels from a folder, so no download is in their figures.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from peers import environment

VERSIONS = {"pex": "2.105.2", "shiv": "1.0.8", "pyinstaller": "6.22.3"}
_BACKENDS = ("hatchling", "setuptools", "wheel")
_OF_PEX = "wheel==0.37.1"  # what the pip inside pex wants beside itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A tool on one application: its command, the file that it makes below the project, what it keeps for the next time
    (`caches`, below the project), and how to start that file."""

    name: str
    argv: Sequence[str]
    out: str
    env: dict[str, str]
    caches: tuple[str, ...] = ()
    starter: tuple[str, ...] = ()
    start_cache: str = ""  # the variable that names the folder where the file unpacks itself


def install(folder: Path, requirements: Sequence[str]) -> None:
    """Make the environments and the folder of wheels below `folder`, once."""
    for name, version in VERSIONS.items():
        if not (folder / name / "done").exists():
            # PyInstaller packs what is installed beside itself.
            more = requirements if name == "pyinstaller" else ["pip", "setuptools"]
            environment(folder / name, [f"{name}=={version}", *more])
            (folder / name / "done").touch()
    wheels = folder / "wheels"
    if not (wheels / "done").exists():
        for wanted in ([*requirements, *_BACKENDS], [_OF_PEX]):
            subprocess.run([sys.executable, "-m", "pip", "download", "-qq", "--dest", wheels, *wanted], check=True)
        (wheels / "done").touch()


def peers(folder: Path, name: str, project: Path, requirements: Sequence[str]) -> Iterator[Peer]:
    """The tools on the application `name`, whose module `name`.cli has a `main`, in the folder `project`."""
    wheels = str(folder / "wheels")
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels}
    run = (sys.executable,)
    pex = [str(folder / "pex/bin/pex"), "--no-pypi", "--find-links", wheels, "--output-file", "out.pex"]
    root = {"PEX_ROOT": str(project / "pex-root"), **offline}
    keys = {"env": root, "out": "out.pex", "caches": ("pex-root",), "starter": run, "start_cache": "PEX_ROOT"}
    yield Peer(name="pex", argv=[*pex, "--script", name, "."], **keys)  # type: ignore[arg-type]
    folders = ["--sources-directory", "src", "--entry-point", f"{name}.cli:main"]
    yield Peer(name="pex -D", argv=[*pex, *folders, *requirements], **keys)  # type: ignore[arg-type]
    yield Peer(
        name="shiv",
        argv=[str(folder / "shiv/bin/shiv"), "--console-script", name, "--output-file", "out.pyz", "."],
        out="out.pyz", env=offline, starter=run, start_cache="SHIV_ROOT",
    )  # fmt: skip
    (project / "start.py").write_text(f"from {name}.cli import main\n\nmain()\n")
    yield Peer(
        name="PyInstaller",
        argv=[
            str(folder / "pyinstaller/bin/pyinstaller"), "--onefile", "--noconfirm", "--log-level", "ERROR",
            "--paths", "src", "--name", "out", "start.py",
        ],
        out="dist/out", env={"PYINSTALLER_CONFIG_DIR": str(project / "config")}, caches=("build", "config", "dist"),
    )  # fmt: skip
