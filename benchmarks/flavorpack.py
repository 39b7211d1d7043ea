"""FlavorPack as a peer: installed in an environment of its own, with the interpreter it would download at hand.

FlavorPack asks `uv python install` for its interpreter on every build. A shim in front of uv answers that with a
copy of a Python that is already here, so the download is left out of the figures, to FlavorPack's advantage.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

VERSION = "0.5.4"
_LEFT_OUT = shutil.ignore_patterns(
    "test", "tests", "idlelib", "tkinter", "turtledemo", "lib2to3", "site-packages", "config-*", "__pycache__", "*.a"
)
_SHIM = """#!/bin/sh
export SSL_CERT_FILE={certificates}
if [ "$1 $2" = "python install" ]; then
    while [ $# -gt 0 ] && [ "$1" != --install-dir ]; do shift; done
    mkdir -p "$2" && cp -r "{pythons}/." "$2/"
    exit
fi
exec "{uv}" "$@"
"""


def install(folder: Path) -> Path:
    """Install FlavorPack below `folder`, once; returns its `flavor` command."""
    command = folder / "venv" / "bin" / "flavor"
    if not command.exists():
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        # hatchling, because FlavorPack builds a project only with the backends that lie beside itself
        pip = [folder / "venv" / "bin" / "pip", "install", "-qq", f"flavorpack=={VERSION}", "hatchling"]
        subprocess.run(pip, check=True)
    return command


def launcher(folder: Path, language: str) -> Path:
    """One of its two launchers."""
    short = "rs" if language == "rust" else "go"
    return next((folder / "venv").glob(f"lib/*/site-packages/flavor/helpers/bin/flavor-{short}-launcher-*"))


def environment(folder: Path) -> dict[str, str]:
    """The variables under which `flavor pack` finds the shim, and keeps its caches below `folder`."""
    pythons = folder / "pythons"
    _slim_python(pythons)
    shim = folder / "shim" / "uv"
    shim.parent.mkdir(exist_ok=True)
    certificates = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
    uv = folder / "venv" / "bin" / "uv"
    shim.write_text(_SHIM.format(certificates=certificates, pythons=pythons, uv=uv))
    shim.chmod(0o755)
    (folder / "home").mkdir(exist_ok=True)
    return {
        "PATH": f"{shim.parent}:{folder / 'venv' / 'bin'}:{os.environ['PATH']}",
        "HOME": str(folder / "home"),
        "FLAVOR_LOG_LEVEL": "error",
        "PROVIDE_LOG_LEVEL": "error",
    }


def _slim_python(pythons: Path) -> None:
    """A copy of this Python as uv would unpack one, without what such a package leaves out."""
    version = sysconfig.get_python_version()
    home = pythons / f"cpython-{sys.version.split()[0]}-linux-x86_64-gnu"
    if home.exists():
        return
    base = Path(sys.base_prefix)
    for name in ("lib", "include"):
        shutil.copytree(base / name, home / name, ignore=_LEFT_OUT, ignore_dangling_symlinks=True)
    site = home / "lib" / f"python{version}" / "site-packages"
    site.mkdir(parents=True)
    for package in (base / "lib" / f"python{version}" / "site-packages").glob("pip*"):
        shutil.copytree(package, site / package.name, ignore=_LEFT_OUT)
    (home / "bin").mkdir()
    shutil.copy(os.path.realpath(base / "bin" / f"python{version}"), home / "bin" / f"python{version}")
    for link in ("python3", "python"):
        (home / "bin" / link).symlink_to(f"python{version}")
