"""A bundle for linux_arm64, made here and run here: qemu stands in for the processor, Debian gives the interpreter."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest
from packyard.tasks.host.machine import host_platform

pytestmark = [
    pytest.mark.real,
    pytest.mark.long,
    pytest.mark.skipif(host_platform() != "linux_amd64", reason="emulates arm64 on amd64"),
    pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs Debian's packages"),
]

PYTHON = "3.11"  # Debian 12's
PACKAGES = (
    f"python{PYTHON}-minimal", f"libpython{PYTHON}-minimal", f"libpython{PYTHON}-stdlib", "libc6", "zlib1g",
    "libexpat1",
    "libssl3", "libffi8", "libbz2-1.0", "liblzma5", "libsqlite3-0", "libuuid1", "libgcc-s1",
)  # fmt: skip
LIBRARIES = ("libexpat.so.1", "libz.so.1", "libssl.so.3", "libcrypto.so.3", "libffi.so.8", "libbz2.so.1.0",
             "liblzma.so.5", "libsqlite3.so.0", "libuuid.so.1")  # fmt: skip
# Tells the kernel, in a namespace of its own, what runs programs for arm64.
REGISTER = (
    r":qemu-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
    r":\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:{qemu}:F"
)
EMULATED = """
mkdir -p "$0/misc"
mount -t binfmt_misc none "$0/misc"
printf '%s' "$1" > "$0/misc/register"
shift
exec env -i "$@"
"""
MANIFEST = """
[project]
name = "app"
version = "1.0"
dependencies = ["markupsafe"]

[tool.flavor]
entry_point = "app:main"
python_version = "3.11"
platforms = ["linux_arm64"]

[tool.flavor.build]
pip = false

[[tool.flavor.slots]]
id = "model"
source = "model.txt"
lifecycle = "lazy"

[[tool.flavor.slots]]
id = "seed"
source = "seed.txt"
lifecycle = "init"
"""
APP = """
import platform, sqlite3, ssl, sys
import markupsafe._speedups
import packyard_runtime

def main():
    print(platform.machine(), sys.argv[1:], markupsafe.escape("<"), packyard_runtime.slot("model").read_text())
    return 7
"""


@pytest.fixture(scope="module")
def arm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `qemu`, `root` (Debian's libraries for arm64) and `python.tar.gz`, made once per machine."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "packyard-tests"
    place = cache / f"arm64-python{PYTHON}"
    if not place.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=cache))
        fetch(work)
        work.rename(place)
    return place


def fetch(work: Path) -> None:
    """Download by apt with settings of its own: the machine's stay as they are."""
    for folder in ("state/lists/partial", "cache/archives/partial", "arm64", "amd64", "root", "amd"):
        (work / folder).mkdir(parents=True)
    (work / "status").touch()
    for architecture, packages in (("arm64", PACKAGES), ("amd64", ("qemu-user-static",))):
        settings = {
            "Dir::State": work / "state", "Dir::State::status": work / "status", "Dir::Cache": work / "cache",
            "APT::Architecture": architecture, "APT::Architectures::": architecture, "APT::Sandbox::User": "root",
        }  # fmt: skip
        options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
        for words in (["update"], ["download", *packages]):
            done = subprocess.run(
                ["apt-get", "-qq", *options, *words],
                cwd=work / architecture,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                pytest.skip(f"Debian's packages cannot be had: {done.stderr.strip().splitlines()[-1:]}")
    for architecture, root in (("arm64", "root"), ("amd64", "amd")):
        for package in (work / architecture).glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", package, work / root], check=True)
    shutil.copy(work / "amd/usr/bin/qemu-aarch64-static", work / "qemu")
    found = {path.name: path for folder in ("lib", "usr/lib") for path in (work / "root" / folder).glob("aarch64-*/*")}
    with tarfile.open(work / "python.tar.gz", "w:gz") as archive:
        archive.add(work / f"root/usr/bin/python{PYTHON}", f"python/bin/python{PYTHON}")
        stdlib = work / f"root/usr/lib/python{PYTHON}"
        for path in sorted(stdlib.rglob("*")):
            if path.is_file():  # some links lead to where only an installation has something
                archive.add(path.resolve(), f"python/lib/python{PYTHON}/{path.relative_to(stdlib)}")
        for name in LIBRARIES:
            archive.add(found[name].resolve(), f"python/lib/{name}")


@pytest.mark.parametrize("launcher", ["rust", "go"])
def test_bundle_for_arm64_runs(app_in, arm: Path, launcher: str) -> None:  # type: ignore[no-untyped-def]
    digest = hashlib.sha256((arm / "python.tar.gz").read_bytes()).hexdigest()
    files = {
        "pyproject.toml": MANIFEST,
        "app.py": APP,
        "model.txt": "a model",
        "seed.txt": "a seed",
        "packyard.lock": f'[[interpreter]]\nversion = "{PYTHON}"\nplatform = "linux_arm64"\n'
        f'path = "{arm}/python.tar.gz"\nsha256 = "sha256:{digest}"\n',
    }
    space = app_in("arm", files)
    space.packyard("pack", "--launcher", launcher)
    bundle = space.root / "app-1.0-linux_arm64.psp"
    assert space.packyard("verify", "--deep", bundle.name).status == 0
    for _ in range(2):
        done = emulated(arm, space.home, [bundle, "a b"])
        assert (done.returncode, done.stdout) == (7, "aarch64 ['a b'] &lt; a model\n"), done.stderr
    found = {path.name for path in (space.home / ".cache/flavor/workenv").rglob("*")}
    assert "seed" not in found
    assert "model" in found


def emulated(arm: Path, home: Path, argv: list[Path | str]) -> subprocess.CompletedProcess[str]:
    env = {"PATH": "/usr/bin:/bin", "HOME": str(home), "FLAVOR_LOG_LEVEL": "error", "QEMU_LD_PREFIX": f"{arm}/root"}
    words = [
        "unshare", "-Urm", "sh", "-ec", EMULATED, home, REGISTER.format(qemu=arm / "qemu"),
        *(f"{name}={value}" for name, value in env.items()), *argv,
    ]  # fmt: skip
    done = subprocess.run(words, cwd=home, capture_output=True, text=True, check=False, timeout=110)
    if "mount:" in done.stderr or "unshare:" in done.stderr:
        pytest.skip(f"this kernel gives no emulation of its own to a namespace: {done.stderr.strip()}")
    return done
