"""`packyard keygen`."""

from __future__ import annotations

from pathlib import Path

from packyard.formats.pspf.signature import public_key, read_private_key, read_public_key

from tests.tasks.commands.conftest import Space, Tree


def test_keygen_writes_a_pair_that_belongs_together(space: Space) -> None:
    assert space.output("keygen", "--out-dir", "secret") == (
        "wrote    secret/flavor-private.key  (keep it secret, and out of version control)\n"
        "wrote    secret/flavor-public.key\n"
    )
    private, public = Path("secret/flavor-private.key"), Path("secret/flavor-public.key")
    assert private.stat().st_mode & 0o777 == 0o600
    assert public_key(read_private_key(private.read_bytes())) == read_public_key(public.read_bytes())


def test_keygen_never_overwrites_a_key(space: Space, tree: Tree) -> None:
    space.output("keygen")
    before = tree(Path("keys"))
    assert space.run("keygen") == (
        1,
        "",
        "error: keys/flavor-private.key: already exists, and a key is never overwritten\n",
    )
    assert tree(Path("keys")) == before
