from __future__ import annotations

from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.pspf import fingerprint, key_from_seed, public_key, public_pem
from packyard.tasks.kinds.bundle import trustedkeys

ONE, TWO = (public_key(key_from_seed(seed)) for seed in ("s1", "s2"))


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PACKYARD_CONFIG_DIR", str(tmp_path / "config"))
    return tmp_path / "config"


def test_store_is_empty_at_first(config: Path) -> None:
    assert trustedkeys.trusted() == []
    assert not config.exists()


def test_key_is_added_from_a_file_or_digits_and_listed_by_name(tmp_path: Path) -> None:
    (tmp_path / "one.pub").write_bytes(public_pem(ONE))
    trustedkeys.add(str(tmp_path / "one.pub"), "release")
    added = trustedkeys.add(TWO.hex())
    assert added.name == fingerprint(TWO)[:16]
    assert {one.name: one.public for one in trustedkeys.trusted()} == {"release": ONE, added.name: TWO}
    assert trustedkeys.add(ONE.hex(), "again").name == "release"


@pytest.mark.parametrize("text", ["release", fingerprint(ONE), fingerprint(ONE)[:8].upper()])
def test_key_is_removed_by_name_or_fingerprint(text: str) -> None:
    trustedkeys.add(ONE.hex(), "release")
    assert trustedkeys.remove(text).public == ONE
    assert trustedkeys.trusted() == []


def test_name_of_another_key_and_a_name_that_is_none_are_refused() -> None:
    trustedkeys.add(ONE.hex(), "release")
    with pytest.raises(FormatError) as caught:
        trustedkeys.add(TWO.hex(), "release")
    assert str(caught.value) == "'release' is the name of another trusted key\n  hint: choose one with --name"
    with pytest.raises(FormatError, match="is not a name"):
        trustedkeys.add(TWO.hex(), "../x")


def test_unknown_key_is_not_removed() -> None:
    trustedkeys.add(ONE.hex(), "release")
    with pytest.raises(FormatError) as caught:
        trustedkeys.remove("other")
    assert str(caught.value) == "'other' is not a trusted key\n  hint: there are: release"


def test_weak_key_is_not_trusted() -> None:
    with pytest.raises(FormatError, match="weak public key"):
        trustedkeys.add("01" + "00" * 31)


def test_file_that_is_no_key_is_a_problem(config: Path) -> None:
    (config / "trusted-keys").mkdir(parents=True)
    (config / "trusted-keys/x.pub").write_text("nothing")
    with pytest.raises(FormatError) as caught:
        trustedkeys.trusted()
    assert str(caught.value) == (
        f"{config}/trusted-keys/x.pub: is not a public key; expected a PEM file or 64 hexadecimal digits"
    )
