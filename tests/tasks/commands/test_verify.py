"""`packyard verify`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from packyard.formats.pspf.signature import key_from_seed, public_key, public_pem

from tests.tasks.commands.conftest import Space

KEY = public_key(key_from_seed("s1"))
OTHER = public_key(key_from_seed("s2"))


def damage(bundle: Path) -> None:
    data = bytearray(bundle.read_bytes())
    data[data.index(b"a file of its own")] ^= 1
    bundle.write_bytes(data)


def test_verify_intact_says_whose_key(space: Space, bundle: Path) -> None:
    assert space.output("verify", "app.psp") == f"app.psp: intact (key {KEY.hex()[:16]}...)\n"


@pytest.mark.parametrize("pinned", ["hexadecimal", "file"])
def test_verify_with_the_trusted_key_is_authentic(space: Space, bundle: Path, pinned: str) -> None:
    (space.root / "key.pem").write_bytes(public_pem(KEY))
    trust = KEY.hex() if pinned == "hexadecimal" else "key.pem"
    assert space.output("verify", "app.psp", "--strict", "--deep", "--trust", trust) == (
        f"app.psp: authentic (key {KEY.hex()[:16]}...)\n"
    )


def test_verify_with_another_trusted_key_does_not_pass(space: Space, bundle: Path) -> None:
    assert space.run("verify", "app.psp", "--trust", OTHER.hex()) == (
        1,
        f"app.psp: intact (key {KEY.hex()[:16]}...)\n  key: is not one of the trusted keys\n",
        "",
    )


def test_verify_of_several_fails_when_one_is_damaged(space: Space, bundle: Path) -> None:
    (space.root / "good.psp").write_bytes(bundle.read_bytes())
    damage(bundle)
    status, out, err = space.run("verify", "good.psp", "app.psp", "README.md")
    assert (status, err) == (1, "")
    lines = out.splitlines()
    assert lines[0] == f"good.psp: intact (key {KEY.hex()[:16]}...)"
    assert lines[1] == f"app.psp: damaged (key {KEY.hex()[:16]}...)"
    assert lines[2].startswith("  slot: ")
    assert lines[-2:] == [
        "README.md: damaged",
        "  file: is not a bundle: 6 bytes is less than a trailer",
    ]


def test_verify_of_what_is_not_there_is_no_verdict(space: Space, bundle: Path) -> None:
    assert space.run("verify", "app.psp", "gone.psp", "gone.mojopkg", "src") == (
        1,
        "",
        "error: gone.psp: is not a file\nerror: gone.mojopkg: is not a file\nerror: src: is not a file\n",
    )


def test_verify_as_json_has_the_findings(space: Space, bundle: Path) -> None:
    assert json.loads(space.output("verify", "app.psp", "--json")) == [
        {
            "file": "app.psp",
            "verdict": "intact",
            "name": "app",
            "version": "1.0",
            "public_key": KEY.hex(),
            "findings": [],
        }
    ]


def test_verify_with_a_key_that_is_none_says_so(space: Space, bundle: Path) -> None:
    status, out, err = space.run("verify", "app.psp", "--trust", "nonsense")
    assert (status, out) == (1, "")
    assert err.startswith("error: ")
