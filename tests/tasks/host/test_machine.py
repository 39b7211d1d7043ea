from __future__ import annotations

import sys

import pytest
from packyard.tasks.host import machine as here
from packyard.tasks.host.machine import host_platform


@pytest.mark.parametrize(
    ("system", "machine", "name"),
    [
        ("linux", "x86_64", "linux_amd64"),
        ("linux", "aarch64", "linux_arm64"),
        ("darwin", "arm64", "darwin_arm64"),
        ("linux", "riscv64", "linux_riscv64"),
        ("win32", "AMD64", "windows_amd64"),
    ],
)
def test_platform_is_named_as_bundles_name_it(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, name: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(here.machine, "machine", lambda: machine)
    assert host_platform() == name
