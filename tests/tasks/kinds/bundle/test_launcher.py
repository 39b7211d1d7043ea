from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from packyard.formats.digest import Digest, digest_of
from packyard.formats.platform import PLATFORMS
from packyard.tasks.errors import ActionError
from packyard.tasks.kinds.bundle.launcher import WHEELS, LauncherParams, launcher_target, make_launcher
from packyard.tasks.target.params import read_params
from packyard.tasks.target.room import Room


def params_of(language: str, platform: str) -> LauncherParams:
    return read_params(LauncherParams, launcher_target(language, platform).params)


def room_for(tmp_path: Path, params: LauncherParams) -> Room[LauncherParams]:
    room = Room(
        inputs=tmp_path / "in", outputs=tmp_path / "out", scratch=tmp_path / "tmp", home=tmp_path / "home",
        params=params, log=tmp_path / "log", network=True,
    )  # fmt: skip
    for folder in (room.inputs, room.outputs, room.scratch, room.home):
        folder.mkdir()
    return room


def test_every_platform_has_its_wheel_and_two_launchers() -> None:
    assert tuple(sorted(WHEELS)) == tuple(sorted(PLATFORMS))
    digests = [digest for wheel in WHEELS.values() for digest in (wheel.sha256, wheel.rust, wheel.go)]
    assert len(set(digests)) == len(digests) == 18


def test_target_pins_the_wheel_and_the_file_in_it() -> None:
    target = launcher_target("go", "windows_arm64")
    assert target.name == "launcher:go-windows_arm64"
    assert target.params == {
        "requirement": f"flavorpack==0.5.4 --hash=sha256:{WHEELS['windows_arm64'].sha256}",
        "platform": "aarch64-pc-windows-msvc",
        "file": "flavor/helpers/bin/flavor-go-launcher-0.5.4-windows_arm64.exe",
        "digest": f"sha256:{WHEELS['windows_arm64'].go}",
    }
    assert target.network


@pytest.mark.real
@pytest.mark.long
@pytest.mark.parametrize("language", ["rust", "go"])
@pytest.mark.parametrize("platform", ["linux_amd64", "darwin_arm64", "windows_amd64"])
def test_launcher_is_fetched_for_any_platform(tmp_path: Path, language: str, platform: str) -> None:
    room = room_for(tmp_path, params_of(language, platform))
    make_launcher(room)
    made = room.outputs / "launcher"
    assert digest_of(made.read_bytes()) == room.params.digest
    assert made.stat().st_mode & 0o777 == 0o755


@pytest.mark.real
@pytest.mark.long
def test_launcher_of_another_digest_is_refused(tmp_path: Path) -> None:
    params = replace(params_of("rust", "linux_amd64"), digest=Digest("0" * 64))
    with pytest.raises(ActionError) as caught:
        make_launcher(room_for(tmp_path, params))
    assert str(caught.value) == (
        f"'flavor-rs-launcher-0.5.4-linux_amd64' has digest sha256:{WHEELS['linux_amd64'].rust}; expected "
        f"sha256:{'0' * 64}"
    )


@pytest.mark.real
@pytest.mark.long
def test_wheel_of_another_digest_is_refused(tmp_path: Path) -> None:
    requirement = f"flavorpack==0.5.4 --hash=sha256:{'0' * 64}"
    params = replace(params_of("rust", "linux_amd64"), requirement=requirement)
    with pytest.raises(ActionError, match="the launcher cannot be installed: 'uv' ended with status 1"):
        make_launcher(room_for(tmp_path, params))
