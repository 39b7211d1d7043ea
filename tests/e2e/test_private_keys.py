"""No private key gets into an artifact: by whatever name, link or copy it stands among what is packed."""

from __future__ import annotations

import os
import shutil
import tarfile

import pytest
from packyard.formats.pspf import key_from_seed
from packyard.formats.pspf.signature import private_pem

PEM = private_pem(key_from_seed("of a test"))
INNER = "dist/inner-0.1.0.tar.gz"
HINT = "exclude it, or keep keys outside what is packed; one for tests alone: [workspace] allow_keys"


def allow(space, *paths: str) -> None:  # type: ignore[no-untyped-def]
    listed = ", ".join(f'"{path}"' for path in paths)
    space.replace("packyard.toml", 'name = "work"\n', f'name = "work"\nallow_keys = [{listed}]\n')


def refused(space, path: str, *words: str) -> None:  # type: ignore[no-untyped-def]
    """A build that would pack a key fails, and leaves nothing."""
    done = space.packyard(*words, status=1)
    assert done.failed == ["archive:inner"]
    assert f"'archive:inner' would contain the private key '{path}' (PKCS#8)" in done.out + done.err
    assert HINT in done.out + done.err
    assert not (space.root / INNER).exists()


def test_key_that_is_given_is_not_packed(space) -> None:  # type: ignore[no-untyped-def]
    space.write("src/our.pem", PEM)
    refused(space, "src/our.pem", "--private-key", "src/our.pem")
    space.env["PACKYARD_PRIVATE_KEY"] = "src/our.pem"
    refused(space, "src/our.pem")


def test_key_that_is_not_given_is_not_packed_either(space) -> None:  # type: ignore[no-untyped-def]
    space.write("src/deep/a.txt", PEM)
    refused(space, "src/deep/a.txt")


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_link_to_the_key_that_signs_is_not_packed(space, link) -> None:  # type: ignore[no-untyped-def]
    space.write("keys/our.pem", PEM)
    link(space.root / "keys/our.pem", space.root / "src/notes")
    space.append("packyard.toml", '[sign]\nkey = "keys/our.pem"\n')
    refused(space, "src/notes")


def test_key_of_a_test_is_let_through_and_told(space) -> None:  # type: ignore[no-untyped-def]
    space.write("src/test.pem", PEM)
    allow(space, "src/test.pem")
    done = space.packyard()
    assert "archive:inner: holds the private key src/test.pem, which [workspace] allow_keys lets through" in done.out
    with tarfile.open(space.root / INNER) as archive:
        assert "src/test.pem" in archive.getnames()
    space.expect_nothing()


def test_key_of_a_test_is_not_let_through_any_more(space) -> None:  # type: ignore[no-untyped-def]
    """What was packed while it was allowed is not an answer to a build that does not allow it."""
    space.write("src/test.pem", PEM)
    allow(space, "src/test.pem")
    space.packyard()
    space.replace("packyard.toml", 'allow_keys = ["src/test.pem"]\n', "")
    done = space.packyard(status=1)
    assert "'archive:inner' would contain the private key 'src/test.pem' (PKCS#8)" in done.out + done.err


@pytest.mark.parametrize(("given", "put"), [("variable", os.symlink), ("manifest", os.link), ("manifest", shutil.copy)])
def test_key_that_signs_is_let_through_by_nothing(space, given: str, put) -> None:  # type: ignore[no-untyped-def]
    space.write("keys/our.pem", PEM)
    put(space.root / "keys/our.pem", space.root / "src/test.pem")
    allow(space, "src/test.pem")
    if given == "variable":
        space.env["PACKYARD_PRIVATE_KEY"] = "keys/our.pem"
    else:
        space.append("packyard.toml", '[sign]\nkey = "keys/our.pem"\n')
    assert space.packyard(status=1).err == (
        "error: packyard.toml: workspace.allow_keys[0]: 'src/test.pem' is the key that signs bundles; "
        "expected one that is for tests alone\n"
    )


def test_link_that_leads_to_the_key_that_signs_later_is_seen(space) -> None:  # type: ignore[no-untyped-def]
    """The graph that is kept does not stand for another file under the same name."""
    space.write("keys/our.pem", PEM)
    space.write("src/test.pem", private_pem(key_from_seed("of another test")))
    allow(space, "src/test.pem")
    space.append("packyard.toml", '[sign]\nkey = "keys/our.pem"\n')
    space.packyard()
    (space.root / "src/test.pem").unlink()
    os.symlink("../keys/our.pem", space.root / "src/test.pem")
    assert "'src/test.pem' is the key that signs bundles" in space.packyard(status=1).err
