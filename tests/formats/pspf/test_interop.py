"""Our bundles under FlavorPack's tools and launchers, and its bundles under ours. What a bundle may say, case by case,
is in test_interop_table."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from packyard.formats.digest import digest_of
from packyard.formats.pspf import (
    Bundle,
    Contents,
    Execution,
    Policy,
    Slot,
    Verdict,
    contents_digest,
    judge,
    merged,
    open_bundle,
    read_contents,
    seal,
    verify,
)
from packyard.formats.pspf.assembly import balanced
from packyard.formats.pspf.layout import short_hash
from packyard.formats.pspf.operations import read_chain

from tests.formats.pspf.conftest import helper

pytestmark = [pytest.mark.real, pytest.mark.long]

MakeBundle = Callable[..., Path]
WriteTgz = Callable[[str, dict[str, bytes]], Path]

SCRIPT = b"""#!/bin/sh
case "$1" in
  env) shift; for name; do eval "echo $name=\\${$name-unset}"; done;;
  cat) cat "$FLAVOR_WORKENV/$2";;
  mode) stat -c %a "$FLAVOR_WORKENV/$2";;
  *) echo "$#:$*"; cat; exit 3;;
esac
"""


@pytest.fixture(params=["rs", "go"])
def launcher(request: pytest.FixtureRequest, flavorpack: Path) -> Path:
    return helper(flavorpack, request.param, "launcher")


def start(bundle: Path, *words: str, given: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """Run a bundle with a cache of its own beside it and nothing of our environment."""
    home = bundle.parent / "a home"
    clean = {"PATH": "/usr/bin:/bin", "HOME": str(home), "FLAVOR_CACHE_DIR": str(home), "FLAVOR_LOG_LEVEL": "error"}
    return subprocess.run(
        [bundle, *words], input=given, env={**clean, **env}, capture_output=True, text=True, check=False, timeout=60
    )


def flavor(flavorpack: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [flavorpack / "flavor", *words], capture_output=True, text=True, check=False, env={**os.environ, "HOME": "/tmp"}
    )


@pytest.fixture
def scripted(make_bundle: MakeBundle, write_tgz: WriteTgz, launcher: Path) -> MakeBundle:
    """A bundle of the real launcher whose program is SCRIPT."""

    def make(name: str = "app.psp", **changes: Any) -> Path:
        tree = write_tgz("script.tar.gz", {"bin/run": SCRIPT, **changes.pop("content", {})})
        slot = Slot(id="app", target="{workenv}", operations="tgz", purpose="code", permissions="0755")
        slots, files = (slot, *changes.pop("slots", ())), [tree, *changes.pop("files", ())]
        command = Execution(command='/bin/sh "{workenv}/bin/run"')
        return make_bundle(name, launcher=launcher, slots=slots, files=files, execution=command, **changes)

    return make


def test_launcher_and_flavor_verify_and_inspect_accept_ours(scripted: MakeBundle, flavorpack: Path) -> None:
    bundle = scripted()
    for mode in ("verify", "info", "metadata"):
        assert start(bundle, mode, FLAVOR_LAUNCHER_CLI="1").returncode == 0
    assert flavor(flavorpack, "verify", bundle).returncode == 0
    shown = flavor(flavorpack, "inspect", bundle, "--json")
    assert shown.returncode == 0
    assert json.loads(shown.stdout)


def test_program_gets_arguments_and_input_and_gives_output_and_status(scripted: MakeBundle) -> None:
    bundle = scripted()
    first = start(bundle, "a b", "", "c'd\"$e", given="input")
    assert (first.returncode, first.stdout) == (3, "3:a b  c'd\"$e\ninput")
    assert first.stderr == "[1/1] Extracting app...\n"  # the launchers' own, at the first start only
    assert start(bundle).stderr == ""


@pytest.mark.parametrize(
    "policy",
    [
        Policy(require_env=("NEEDED",)),
        Policy(platforms=("windows_arm64",)),
        Policy(platforms=("none", "other")),
        pytest.param(Policy(refuse_root=True), marks=pytest.mark.skipif(os.geteuid() != 0, reason="is about root")),
    ],
    ids=["environment", "platform", "platforms", "root"],
)
def test_policy_is_enforced(scripted: MakeBundle, policy: Policy) -> None:
    bundle = scripted(policy=policy)
    assert start(bundle).returncode not in (0, 3)
    assert start(bundle, FLAVOR_LAUNCHER_CLI="1").returncode == 0


def test_bundle_that_is_too_old_does_not_start(scripted: MakeBundle) -> None:
    bundle = scripted(policy=Policy(max_age_days=30), epoch=1_000_000_000)
    assert start(bundle).returncode not in (0, 3)
    bundle = scripted(policy=Policy(max_age_days=30), epoch=int(time.time()) - 86400)
    assert start(bundle).returncode == 3


def test_policy_that_is_met_does_not_hinder(scripted: MakeBundle) -> None:
    bundle = scripted(policy=Policy(require_env=("NEEDED",), platforms=("linux_amd64", "linux_arm64")))
    assert start(bundle, NEEDED="1").returncode == 3


def test_new_version_under_an_old_name_just_works(scripted: MakeBundle) -> None:
    for version in ("1.0", "1.0", "1.1", "1.1", "1.0"):
        bundle = scripted(version=version, content={"text": version.encode()})
        assert start(bundle, "cat", "text").stdout == version


def sealed(make: Callable[..., Path]) -> Path:
    """A bundle with a seal; made twice, because the seal needs the digest of what the first one holds."""
    bundle = open_bundle(make())
    parts: list[Contents] = []
    data = bundle.path.read_bytes()
    for slot, descriptor in zip(bundle.metadata.slots, bundle.descriptors, strict=True):
        stored = io.BytesIO(data[descriptor.offset : descriptor.offset + descriptor.size])
        parts.append(read_contents(stored, read_chain(slot.operations), slot.path))
    return make(setup_commands=(seal(contents_digest(merged(parts))),))


def swap(bundle: Bundle, stored: bytes, position: int = 0) -> None:
    """Put other stored bytes into a slot, and correct descriptor and index."""
    descriptor = bundle.descriptors[position]
    assert len(stored) <= descriptor.size
    swapped = replace(descriptor, size=len(stored), checksum=short_hash(digest_of(stored).raw))
    data = bytearray(bundle.path.read_bytes())
    data[descriptor.offset : descriptor.offset + descriptor.size] = stored.ljust(descriptor.size, b"\0")
    table = bundle.index.slot_table_offset + 64 * position
    data[table : table + 64] = swapped.pack()
    data[-8196:-4] = balanced(bundle.index).pack()
    bundle.path.write_bytes(data)


@pytest.mark.parametrize("with_seal", [False, True])
def test_swapped_slot_runs_without_a_seal_and_not_with_one(
    scripted: MakeBundle, with_seal: bool, tmp_path: Path
) -> None:
    path = sealed(scripted) if with_seal else scripted()
    assert start(path).returncode == 3
    assert start(path, PATH="/nowhere").returncode == 3  # a later start needs none of the seal's tools
    bundle = open_bundle(path)
    assert verify(bundle) == []
    descriptor = bundle.descriptors[0]
    old = path.read_bytes()[descriptor.offset : descriptor.offset + descriptor.size]
    swap(bundle, gzip.compress(gzip.decompress(old).replace(b"exit 3", b"exit 7"), mtime=0))
    shutil.rmtree(tmp_path / "a home")
    for _ in range(2):  # a refused start leaves nothing behind that a second one would take
        # 104 is a failed launch; the Go launcher guesses from the words of the error and says 103.
        assert start(path).returncode in ({103, 104} if with_seal else {7})
    assert judge(open_bundle(path), verify(open_bundle(path))) is Verdict.DAMAGED


def test_one_more_file_in_a_slot_is_refused_by_the_seal(scripted: MakeBundle, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "more.tar", "w") as archive:  # filled up with zeros: there is room for one more
        archive.addfile(tarfile.TarInfo("share/one"))
    slot = Slot(id="more", target="{workenv}", operations="tar")
    path = sealed(lambda **changes: scripted(slots=[slot], files=[tmp_path / "more.tar"], **changes))
    bundle = open_bundle(path)
    with tarfile.open(tmp_path / "more.tar", "a") as archive:
        archive.addfile(tarfile.TarInfo("bin/one-more"))
    swap(bundle, (tmp_path / "more.tar").read_bytes(), 1)
    done = start(path)
    assert done.returncode in (103, 104)
    assert "sealed bundle: its content is not the signed one" in done.stderr


MANIFEST: dict[str, Any] = {
    "package": {"name": "hello", "version": "1.0"},
    "execution": {"command": "{workenv}/hello.sh", "env": {}},
    "slots": [
        {
            "id": "main", "source": "hello.sh", "target": "hello.sh", "operations": "raw", "purpose": "code",
            "lifecycle": "runtime", "permissions": "0755",
        },
        {
            "id": "tree", "source": "tree.tar.gz", "target": "{workenv}", "operations": "tgz", "purpose": "data",
            "lifecycle": "runtime", "permissions": "0755",
        },
    ],
}  # fmt: skip


@pytest.mark.parametrize("builder", ["rs", "go"])
def test_bundle_of_a_flavor_builder_is_intact_and_uncovered(
    builder: str, launcher: Path, flavorpack: Path, write_tgz: WriteTgz, tmp_path: Path
) -> None:
    (tmp_path / "hello.sh").write_bytes(b"#!/bin/sh\necho hello\n")
    write_tgz("tree.tar.gz", {"a/b": b"1"})
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST))
    out = tmp_path / "hello.psp"
    subprocess.run(
        [
            helper(flavorpack, builder, "builder"), "--manifest", "manifest.json", "--output", out,
            "--launcher-bin", launcher, "--key-seed", "s1",
        ],
        cwd=tmp_path, check=True, capture_output=True, env={**os.environ, "FLAVOR_LOG_LEVEL": "error"},
    )  # fmt: skip
    judged_as_foreign(out)


def test_bundle_of_the_python_builder_is_intact_and_uncovered(launcher: Path, flavorpack: Path, tmp_path: Path) -> None:
    (tmp_path / "hello.sh").write_bytes(b"#!/bin/sh\necho hello\n")
    program = """
import sys
from pathlib import Path
from flavor.psp.format_2025.pspf_builder import PSPFBuilder
result = (
    PSPFBuilder.create()
    .metadata(format="PSPF/2025", package={"name": "hello", "version": "1.0"}, execution={"command": "{workenv}/h"})
    .add_slot(id="main", data=Path("hello.sh"), target="h", operations="gzip", purpose="code", lifecycle="runtime")
    .with_keys(seed="s1").with_options(launcher_bin=Path(sys.argv[1])).build(Path("hello.psp"))
)
sys.exit(not result.success)
"""
    done = subprocess.run(
        [flavorpack / "python", "-c", program, launcher], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    judged_as_foreign(tmp_path / "hello.psp")


def judged_as_foreign(path: Path) -> None:
    bundle = open_bundle(path)
    findings = verify(bundle)
    assert [str(finding) for finding in findings if not finding.note] == []
    assert judge(bundle, findings) is Verdict.UNCOVERED
    data = bytearray(path.read_bytes())
    data[bundle.descriptors[0].offset] ^= 1
    path.write_bytes(data)
    assert judge(bundle, verify(bundle)) is Verdict.DAMAGED
