"""Bundles for platforms that are not this machine's: put together for real, and looked at by their structure."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile

import pytest
from packyard.formats.archive.tarball import read_tar
from packyard.formats.pspf import open_bundle, open_slot, unpacked, verify, verify_contents
from packyard.formats.pspf.operations import read_chain
from packyard.tasks.host.machine import host_platform
from packyard.tasks.kinds.bundle.deepcheck import verify_program
from packyard.tasks.kinds.bundle.launcher import WHEELS
from packyard.tasks.kinds.interpreter.choice import RUNNING

pytestmark = [pytest.mark.real, pytest.mark.long]

FOREIGN = ("linux_arm64", "darwin_arm64", "darwin_amd64", "windows_amd64")
COMPILED = {  # what the compiled part of a distribution is called there
    "linux_arm64": r"_speedups\.cpython-\d+-aarch64-linux-gnu\.so",
    "darwin_arm64": r"_speedups\.cpython-\d+-darwin\.so",
    "darwin_amd64": r"_speedups\.cpython-\d+-darwin\.so",
    "windows_amd64": r"_speedups\.cp\d+-win_amd64\.pyd",
}
MAGIC = {
    "linux": b"\x7fELF",
    "darwin": b"\xcf\xfa\xed\xfe",
    "windows": b"MZ",
}
MANIFEST = """
[project]
name = "app"
version = "1.0"
dependencies = ["markupsafe"]

[tool.flavor]
entry_point = "app:main"

[tool.flavor.build]
pip = false

[[tool.flavor.slots]]
id = "everywhere"
source = "everywhere.txt"

[[tool.flavor.slots]]
id = "native"
source = "windows.txt"
platform = "windows_amd64"

[[tool.flavor.slots]]
id = "native-arm"
source = "arm.txt"
platform = "linux_arm64"
lifecycle = "platform"
"""


def archive(platform: str) -> bytes:
    """An interpreter in the layout of install_only archives, as far as a bundle looks at it."""
    if platform.startswith("windows"):
        files = ["python.exe", "python3.dll", "DLLs/_ssl.pyd", "DLLs/_tkinter.pyd", "Lib/os.py", "Lib/test/x.py"]
        files += ["Lib/site-packages/pip/__init__.py", "tcl/x.tcl", "libs/python3.lib"]
    else:
        files = [f"bin/python{RUNNING}", f"lib/python{RUNNING}/os.py", f"lib/python{RUNNING}/test/x.py", "share/x"]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as made:
        for name in files:
            info = tarfile.TarInfo(f"python/{name}")
            info.mode = 0o755 if "bin/" in name or name.endswith(".exe") else 0o644
            info.size = len(name)
            made.addfile(info, io.BytesIO(name.encode()))
    return out.getvalue()


@pytest.fixture(scope="module")
def packed(app_in):  # type: ignore[no-untyped-def]
    app = "import markupsafe\n\ndef main():\n    print(markupsafe.escape('<'))\n"
    space = app_in("platforms", {"pyproject.toml": MANIFEST, "app.py": app})
    for name in ("everywhere", "windows", "arm"):
        space.write(f"{name}.txt", name)
    pins = []
    for platform in FOREIGN:
        data = archive(platform)
        space.write(f"../{platform}.tar.gz", data)
        pins.append(
            f'[[interpreter]]\nversion = "{RUNNING}"\nplatform = "{platform}"\npath = "../{platform}.tar.gz"\n'
            f'sha256 = "sha256:{hashlib.sha256(data).hexdigest()}"\n'
        )
    space.write("packyard.lock", "\n".join(pins))
    words = [word for platform in (host_platform(), *FOREIGN) for word in ("--platform", platform)]
    space.packyard("pack", *words, "--output", "out/")
    return space


def test_each_platform_has_a_file_of_its_own(packed) -> None:  # type: ignore[no-untyped-def]
    assert sorted(packed.files("out")) == [
        "out/app-1.0-darwin_amd64.psp",
        "out/app-1.0-darwin_arm64.psp",
        "out/app-1.0-linux_arm64.psp",
        "out/app-1.0-windows_amd64.psp.exe",
        "out/app-1.0.psp",
    ]


@pytest.mark.parametrize("platform", FOREIGN)
def test_bundle_is_made_for_its_platform(packed, platform: str) -> None:  # type: ignore[no-untyped-def]
    windows = platform.startswith("windows")
    path = packed.root / "out" / f"app-1.0-{platform}.psp{'.exe' if windows else ''}"
    bundle = open_bundle(path)
    assert [*verify(bundle), *verify_contents(bundle), *verify_program(bundle)] == []
    data = path.read_bytes()
    assert data.startswith(MAGIC[platform.partition("_")[0]])
    assert hashlib.sha256(data[: bundle.index.launcher_size]).hexdigest() == WHEELS[platform].rust
    assert f"{bundle.metadata.build.os}_{bundle.metadata.build.arch}" == platform
    found = {}
    for position, slot in enumerate(bundle.metadata.slots):
        chain = read_chain(slot.operations)
        if not chain:
            continue
        with open_slot(bundle, position) as stored:
            found[slot.id] = {member.path for member in read_tar(unpacked(stored, chain), limit=1 << 30)}
    site = "Lib/site-packages" if windows else f"lib/python{RUNNING}/site-packages"
    assert [path for path in found["env"] if re.fullmatch(f"{site}/markupsafe/{COMPILED[platform]}", path)]
    assert {f"{site}/app.py", f"{site}/packyard_runtime/program.json"} <= found["app"]
    if windows:
        assert found["python"] == {"python.exe", "python3.dll", "DLLs/_ssl.pyd", "Lib/os.py"}
    else:
        assert found["python"] == {f"bin/python{RUNNING}", f"lib/python{RUNNING}/os.py"}
    ids = {slot.id for slot in bundle.metadata.slots} - {"python", "env", "app"}
    assert ids == {"everywhere"} | ({"native"} if windows else {"native-arm"} if platform == "linux_arm64" else set())


def test_bundle_for_windows_says_that_it_has_no_seal(packed) -> None:  # type: ignore[no-untyped-def]
    shown = packed.packyard("inspect", "out/app-1.0-windows_amd64.psp.exe").out
    assert "seal      none: nothing checks the slots on the host but 'packyard verify'\n" in shown
    assert 'command   "{workenv}/python.exe" -sP -m packyard_runtime\n' in shown
    assert "seal      the launcher checks" in packed.packyard("inspect", "out/app-1.0-darwin_arm64.psp").out


def test_diff_tells_two_platforms_apart(packed) -> None:  # type: ignore[no-untyped-def]
    done = packed.packyard("diff", "out/app-1.0.psp", "out/app-1.0-windows_amd64.psp.exe", status=1)
    assert re.search(r"^\(bundle\) +platform +linux_amd64 +windows_amd64$", done.out, re.M)
    assert re.search(r"^native +slot +- +there$", done.out, re.M)
    assert packed.packyard("diff", "out/app-1.0.psp", "out/app-1.0.psp").out.startswith("no difference")


def test_compiled_code_of_a_member_is_not_taken_to_another_platform(app_in) -> None:  # type: ignore[no-untyped-def]
    space = app_in("compiled", {})
    space.write(
        "pyproject.toml",
        '[build-system]\nrequires = ["setuptools>=77"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "app"\nversion = "1.0"\n[tool.setuptools]\npackages = ["app"]\n'
        '[tool.flavor]\nentry_point = "app:main"\nplatforms = ["linux_arm64"]\n[tool.flavor.build]\npip = false\n',
    )
    space.write(
        "setup.py",
        "from setuptools import Distribution, setup\n\nclass Binary(Distribution):\n"
        "    def has_ext_modules(self):\n        return True\n\nsetup(distclass=Binary)\n",
    )
    space.write("app/__init__.py", "def main():\n    pass\n")
    data = archive("linux_arm64")
    space.write("python.tar.gz", data)
    space.write(
        "packyard.lock",
        f'[[interpreter]]\nversion = "{RUNNING}"\nplatform = "linux_arm64"\npath = "python.tar.gz"\n'
        f'sha256 = "sha256:{hashlib.sha256(data).hexdigest()}"\n',
    )
    done = space.packyard("pack", status=1)
    assert "'app' contains code compiled for this machine" in done.out
