"""`packyard trust`, and what `packyard verify` makes of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from packyard.formats.pspf.signature import fingerprint, key_from_seed, public_key, public_pem

from tests.tasks.commands.conftest import Space

KEY = public_key(key_from_seed("s1"))


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PACKYARD_CONFIG_DIR", str(tmp_path / "config"))
    return tmp_path / "config"


def test_bundle_is_authentic_while_its_key_is_trusted(space: Space, bundle: Path) -> None:
    (space.root / "key.pem").write_bytes(public_pem(KEY))
    assert "intact" in space.output("verify", "app.psp")
    assert space.output("trust", "add", "key.pem", "--name", "release") == f"trusted  release  {fingerprint(KEY)}\n"
    assert space.output("verify", "app.psp") == f"app.psp: authentic (key {KEY.hex()[:16]}...)\n"
    assert space.output("trust", "list") == f"release  {fingerprint(KEY)}\n"
    assert json.loads(space.output("trust", "list", "--json")) == [
        {"name": "release", "fingerprint": fingerprint(KEY), "public": KEY.hex()}
    ]
    assert space.output("trust", "remove", "release") == f"removed  release  {fingerprint(KEY)}\n"
    assert "intact" in space.output("verify", "app.psp")


def test_bundle_of_another_key_stays_intact(space: Space, bundle: Path) -> None:
    space.output("trust", "add", public_key(key_from_seed("s2")).hex())
    assert space.output("verify", "app.psp") == f"app.psp: intact (key {KEY.hex()[:16]}...)\n"


def test_empty_store_says_so(space: Space, config: Path) -> None:
    assert space.output("trust", "list") == f"no key is trusted ({config}/trusted-keys is empty)\n"


def test_name_that_no_key_can_have_is_a_usage_error(space: Space) -> None:
    status, out, err = space.run("trust", "add", "key.pem", "--name", "a/b")
    assert (status, out) == (2, "")
    assert err.splitlines()[-1].startswith("packyard trust add: error: argument --name: 'a/b' is not a name")
