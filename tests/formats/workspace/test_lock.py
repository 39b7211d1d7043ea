from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.workspace.lock import read_interpreter_pins

SUM = "ab" * 32


def test_read_pins_each_source() -> None:
    pins = read_interpreter_pins(
        f'[[interpreter]]\nversion = "3.12"\nplatform = "linux_amd64"\nurl = "https://x/y.tar.gz"\nsha256 = "{SUM}"\n'
        '[[interpreter]]\nversion = "3.11"\nplatform = "linux_arm64"\nfolder = "python"\n[[other]]\n',
        "packyard.lock",
    )
    assert [(pin.version, pin.platform, pin.url, pin.folder, pin.sha256 and pin.sha256.hex) for pin in pins] == [
        ("3.12", "linux_amd64", "https://x/y.tar.gz", "", SUM),
        ("3.11", "linux_arm64", "", "python", None),
    ]


def test_read_pins_all_problems_at_once() -> None:
    with pytest.raises(FormatError) as error:
        read_interpreter_pins(
            '[[interpreter]]\nversion = "3"\nplatform = "linux_amd64"\npath = "a.tar.gz"\n'
            '[[interpreter]]\nversion = "3.12"\nplatform = "linux_amd64"\n',
            "packyard.lock",
        )
    assert str(error.value) == (
        "packyard.lock: interpreter[0].version: '3' is not a Python version, one like '3.12' was expected\n"
        "packyard.lock: interpreter[0].sha256: is missing, the SHA-256 of the archive was expected\n"
        "packyard.lock: interpreter[1]: one of url, path and folder was expected"
    )
