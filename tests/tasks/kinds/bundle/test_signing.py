from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.pspf import key_from_seed, new_key, private_pem, public_key, public_pem, read_private_key
from packyard.tasks.errors import ActionError, PlanError
from packyard.tasks.kinds.bundle.key import Key, describe, load_key
from packyard.tasks.kinds.bundle.signing import choose_key, make_development_key, read_trusted, write_keys
from packyard.tasks.workspace.workspace import Workspace, read_workspace

S1 = public_key(key_from_seed("s1")).hex()
MakeWorkspace = Callable[..., Workspace]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeWorkspace:
    """A workspace whose manifest has this [sign], in an environment without keys."""
    for name in ("PACKYARD_PRIVATE_KEY", "PACKYARD_KEY_SEED", "FLAVOR_SEED"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PACKYARD_CONFIG_DIR", str(tmp_path / "config"))

    def make(sign: str = "") -> Workspace:
        root = tmp_path / "space"
        root.mkdir(exist_ok=True)
        (root / "packyard.toml").write_text(f'[workspace]\nname = "space"\nmembers = []\n[sign]\n{sign}\n')
        return read_workspace(root)

    return make


@pytest.mark.parametrize("variable", ["PACKYARD_KEY_SEED", "FLAVOR_SEED"])
def test_seed_in_the_environment_is_the_key(
    workspace: MakeWorkspace, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "s1")
    key = choose_key(workspace())
    assert key == Key(source="environment", place=variable, public_key=S1)
    assert public_key(load_key(key)).hex() == S1
    assert describe(key) == f"the seed in {variable} (public key edcf7af5bd190357...)"


def test_sources_are_asked_in_their_order(
    workspace: MakeWorkspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    space = workspace('seed_env = "TEAM_SEED"')
    monkeypatch.setenv("TEAM_SEED", "team")
    assert choose_key(space).place == "TEAM_SEED"
    monkeypatch.setenv("FLAVOR_SEED", "s0")
    assert choose_key(space).place == "FLAVOR_SEED"
    monkeypatch.setenv("PACKYARD_KEY_SEED", "s1")
    assert choose_key(space).place == "PACKYARD_KEY_SEED"
    private, _ = write_keys(tmp_path / "keys")
    monkeypatch.setenv("PACKYARD_PRIVATE_KEY", str(private))
    assert choose_key(space).place == str(private)


def test_key_file_of_the_manifest_is_watched_and_relative_to_it(workspace: MakeWorkspace) -> None:
    space = workspace('key = "keys/release.pem"')
    path = space.root / "keys/release.pem"
    path.parent.mkdir()
    path.write_bytes(private_pem(key_from_seed("s1")))
    key = choose_key(space)
    assert key == Key(source="file", place=str(path), public_key=S1)
    assert str(path) in space.watch.seen


def test_no_secret_is_in_the_parameters(workspace: MakeWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = key_from_seed("a secret seed").private_bytes_raw().hex()
    monkeypatch.setenv("PACKYARD_KEY_SEED", "a secret seed")
    text = repr(choose_key(workspace()))
    assert "secret" not in text
    assert secret not in text


def test_development_key_is_made_once_for_its_user_alone(workspace: MakeWorkspace, tmp_path: Path) -> None:
    path = tmp_path / "config/development.key"
    assert choose_key(workspace()) == Key(source="development", place=str(path), public_key="")
    assert not path.parent.exists()
    for _ in range(2):
        make_development_key()
    key = choose_key(workspace())
    assert key.source == "development"
    assert path.stat().st_mode & 0o777 == 0o600
    assert public_key(read_private_key(path.read_bytes())).hex() == key.public_key
    assert choose_key(workspace()) == key
    assert describe(key) == f"the development key {path} (public key {key.public_key[:16]}...)"
    assert os.listdir(path.parent) == ["development.key"]


def test_development_key_that_cannot_be_made_names_the_ways_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PACKYARD_CONFIG_DIR", str(tmp_path / "file/config"))
    with pytest.raises(PlanError) as caught:
        make_development_key()
    assert str(caught.value) == (
        f"{tmp_path}/file/config/development.key: a development key cannot be made: Not a directory\n"
        "  hint: give a key with --private-key or --key-seed, or in [sign] of packyard.toml"
    )


@pytest.mark.parametrize(
    ("sign", "message"),
    [
        ('seed_env = "TEAM_SEED"', "TEAM_SEED: is not set; expected the seed of the signing key"),
        ('key = "none.pem"', "{root}/none.pem: cannot be read: No such file or directory"),
        ('key = "packyard.toml"', "{root}/packyard.toml: is not a private key; expected a PKCS#8 PEM file"),
    ],
)
def test_wrong_key_is_named(workspace: MakeWorkspace, sign: str, message: str) -> None:
    space = workspace(sign)
    with pytest.raises(FormatError) as caught:
        choose_key(space)
    assert str(caught.value) == message.format(root=space.root)


def test_empty_seed_is_refused(workspace: MakeWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKYARD_KEY_SEED", "")
    with pytest.raises(PlanError) as caught:
        choose_key(workspace())
    assert str(caught.value) == "PACKYARD_KEY_SEED: is empty; expected the seed of the signing key"


def test_key_that_changed_since_the_plan_is_refused(workspace: MakeWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKYARD_KEY_SEED", "s1")
    key = choose_key(workspace())
    monkeypatch.setenv("PACKYARD_KEY_SEED", "s2")
    with pytest.raises(ActionError) as caught:
        load_key(key)
    assert str(caught.value) == (
        "the signing key changed since the plan; expected the seed in PACKYARD_KEY_SEED (public key "
        "edcf7af5bd190357...)\n  hint: run again"
    )


def test_key_pair_is_written_once_and_reads_back(tmp_path: Path) -> None:
    private, public = write_keys(tmp_path / "keys")
    assert (private.name, public.name) == ("flavor-private.key", "flavor-public.key")
    assert private.stat().st_mode & 0o777 == 0o600
    raw = public_key(read_private_key(private.read_bytes()))
    assert read_trusted(str(public)) == raw
    before = private.read_bytes()
    with pytest.raises(FormatError) as caught:
        write_keys(tmp_path / "keys")
    assert str(caught.value) == f"{private}: already exists, and a key is never overwritten"
    assert private.read_bytes() == before


def test_trusted_key_is_a_file_or_its_digits(tmp_path: Path) -> None:
    raw = public_key(new_key())
    (tmp_path / "key.pem").write_bytes(public_pem(raw))
    assert read_trusted(raw.hex()) == read_trusted(str(tmp_path / "key.pem")) == raw
    with pytest.raises(FormatError) as caught:
        read_trusted("nonsense")
    assert str(caught.value) == (
        "nonsense: cannot be read: No such file or directory\n  hint: a key is a PEM file or 64 hexadecimal digits"
    )
