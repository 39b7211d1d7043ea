"""Which wheels and markers fit a machine, whatever machine asks."""

from __future__ import annotations

import pytest
from packaging.markers import Marker
from packaging.tags import parse_tag
from packyard.formats.python.machine import Machine


def place(machine: Machine, name: str) -> int:
    """How good a wheel's tag is, 0 being the best; -1 for one that does not fit."""
    (tag,) = parse_tag(name)
    tags = machine.tags()
    return tags.index(tag) if tag in tags else -1


LINUX = Machine(python="3.12", platform="linux_amd64", glibc=(2, 28))


def test_nearest_wheel_is_the_best() -> None:
    order = [
        "cp312-cp312-manylinux_2_28_x86_64",
        "cp312-cp312-manylinux_2_17_x86_64",
        "cp312-cp312-manylinux2014_x86_64",
        "cp312-cp312-manylinux_2_29_x86_64",
        "cp312-abi3-manylinux_2_28_x86_64",
        "cp37-abi3-manylinux_2_28_x86_64",
        "py3-none-any",
    ]
    places = [place(LINUX, name) for name in order]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize(
    "name",
    [
        "cp311-cp311-manylinux_2_17_x86_64",
        "cp313-abi3-manylinux_2_17_x86_64",
        "cp312-cp312-manylinux_2_17_aarch64",
        "cp312-cp312-musllinux_1_2_x86_64",
        "cp312-cp312-macosx_11_0_x86_64",
        "cp312-cp312-win_amd64",
        "py2-none-any",
    ],
)
def test_wheel_of_another_machine_does_not_fit(name: str) -> None:
    assert place(LINUX, name) == -1


def test_newer_glibc_comes_last_and_strictly_not_at_all() -> None:
    newer = "cp312-cp312-manylinux_2_35_x86_64"
    assert place(LINUX, newer) > place(LINUX, "cp312-cp312-manylinux_2_5_x86_64")
    assert place(Machine(python="3.12", platform="linux_amd64", glibc=(2, 28), strict=True), newer) == -1


@pytest.mark.parametrize(
    ("platform", "name"),
    [
        ("linux_arm64", "cp312-cp312-manylinux_2_17_aarch64"),
        ("darwin_arm64", "cp312-cp312-macosx_11_0_arm64"),
        ("darwin_amd64", "cp312-cp312-macosx_10_12_x86_64"),
        ("windows_amd64", "cp312-cp312-win_amd64"),
        ("windows_arm64", "cp312-cp312-win_arm64"),
    ],
)
def test_every_platform_has_wheels_of_its_own(platform: str, name: str) -> None:
    assert place(Machine(python="3.12", platform=platform), name) >= 0


@pytest.mark.parametrize(
    ("platform", "marker"),
    [
        ("linux_amd64", "sys_platform == 'linux' and platform_machine == 'x86_64' and os_name == 'posix'"),
        ("linux_arm64", "platform_system == 'Linux' and platform_machine == 'aarch64'"),
        ("darwin_arm64", "sys_platform == 'darwin' and platform_machine == 'arm64' and os_name == 'posix'"),
        ("windows_amd64", "sys_platform == 'win32' and platform_machine == 'AMD64' and os_name == 'nt'"),
        ("windows_arm64", "platform_system == 'Windows' and platform_machine == 'ARM64'"),
    ],
)
def test_markers_are_those_of_the_platform(platform: str, marker: str) -> None:
    fits = f"{marker} and python_version == '3.12' and implementation_name == 'cpython'"
    assert Marker(fits).evaluate(Machine(python="3.12", platform=platform).environment())


def test_release_that_is_not_known_meets_every_lower_bound() -> None:
    marker = Marker("python_full_version >= '3.12.4'")
    assert marker.evaluate(LINUX.environment())
    assert not marker.evaluate(Machine(python="3.12", platform="linux_amd64", release="3.12.1").environment())
