from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.workspace.lock import ToolchainPin, read_toolchain_pins

PLACE = "packyard.lock"


def test_toolchain_pins_of_a_lock_are_read_beside_other_tables() -> None:
    text = '[[toolchain]]\nmojo = "1.0.0"\nlock = "locks/pylock.mojo.toml"\n[[interpreter]]\nversion = "3.12"\n'
    assert read_toolchain_pins(text, PLACE) == (ToolchainPin(mojo="1.0.0", lock="locks/pylock.mojo.toml"),)
    assert read_toolchain_pins("", PLACE) == ()


def test_toolchain_pins_of_wrong_lock_are_refused() -> None:
    text = '[[toolchain]]\nmojo = "new"\nlok = "x"\n' + '[[toolchain]]\nmojo = "1.0.0"\nlock = "a"\n' * 2
    with pytest.raises(FormatError) as caught:
        read_toolchain_pins(text, PLACE)
    assert str(caught.value) == (
        "packyard.lock: toolchain[0].mojo: 'new' is not a version, a PEP 440 version like 1.2.0 was expected\n"
        "packyard.lock: toolchain[0].lock: is missing, a string was expected\n"
        "packyard.lock: toolchain[2].mojo: '1.0.0' is pinned twice\n"
        "packyard.lock: toolchain[0].lok: unknown key\n  hint: did you mean 'lock'?"
    )
