"""Which key signs, and where it comes from. How to sign is the format's affair (formats/pspf/signature.py).

A plan knows a key by its source and its public half only; the private half is read again by the action that signs,
in this process, and never leaves it. Options of the command line arrive in PACKYARD_PRIVATE_KEY and
PACKYARD_KEY_SEED; children get an environment of their own and see none of them.
"""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import replace
from pathlib import Path

import platformdirs
from packyard.formats.errors import FormatError, Problem, inside
from packyard.formats.pspf.signature import (
    new_key,
    private_pem,
    public_key,
    public_pem,
    read_private_key,
    read_public_key,
)
from packyard.tasks.errors import PlanError
from packyard.tasks.kinds.bundle.key import Key, seeded
from packyard.tasks.target.params import NoParams
from packyard.tasks.target.target import Prepare
from packyard.tasks.workspace.workspace import MANIFEST, PRIVATE_NAME, PUBLIC_NAME, Workspace

KEY_VARIABLE = "PACKYARD_PRIVATE_KEY"
SEED_VARIABLES = ("PACKYARD_KEY_SEED", "FLAVOR_SEED")

_HEX = re.compile(r"[0-9a-fA-F]{64}")

TO_BE_MADE = ""  # the public key of a development key that is not there yet


def choose_key(workspace: Workspace) -> Key:
    """The key that signs this workspace's bundles.

    In this order: a key file given on the command line, a seed given there or in the environment, the manifest's
    [sign], and else the development key, whose public half is TO_BE_MADE when there is none yet: a plan makes
    nothing. PlanError when the chosen one is wrong.
    """
    if path := os.environ.get(KEY_VARIABLE):
        return _file(workspace, os.fspath(workspace.root / path))
    for variable in SEED_VARIABLES:
        if variable in os.environ:
            return _environment(variable)
    sign = workspace.manifest.sign
    if sign.key:
        with inside(MANIFEST):
            return _file(workspace, os.fspath(workspace.root / sign.key))
    if sign.seed_env:
        return _environment(sign.seed_env)
    path = os.fspath(development_key())
    if not workspace.watch.is_file(path):
        return Key(source="development", place=path, public_key=TO_BE_MADE)
    return replace(_file(workspace, path), source="development")


def config_folder() -> Path:
    """Where the user's own settings lie: PACKYARD_CONFIG_DIR, else the system's place for them."""
    given = os.environ.get("PACKYARD_CONFIG_DIR")
    return Path(given) if given else platformdirs.user_config_path("packyard")


def development_key() -> Path:
    """Where the development key of this user lies, or will lie."""
    return config_folder() / "development.key"


def prepares(key: Key) -> tuple[Prepare, ...]:
    """What a target that is signed with `key` waits for before it can be planned: a development key that is to be
    made."""
    if key.public_key != TO_BE_MADE:
        return ()
    run = f"{prepare_development_key.__module__}:{prepare_development_key.__qualname__}"
    return (Prepare(run=run, path=key.place, doing="making a development key", planned=True),)


def prepare_development_key(params: NoParams, root: Path, *, downloads: Path) -> None:
    """Make the development key, as a Prepare: it is the user's, of all workspaces."""
    make_development_key()


def make_development_key() -> None:
    """Make the development key of this user, unless it is there; PlanError when it cannot be made."""
    path = development_key()
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write_once(path, private_pem(new_key()), 0o600)
    except FileExistsError:
        pass  # somebody else was faster; both take that one
    except OSError as error:
        raise PlanError(
            Problem(
                f"a development key cannot be made: {error.strerror}",
                place=os.fspath(path),
                hint=f"give a key with --private-key or --key-seed, or in [sign] of {MANIFEST}",
            )
        ) from None


def write_keys(folder: Path) -> tuple[Path, Path]:
    """Make a key pair in a folder: the private PEM (0600) and the public PEM; FormatError when one is there already."""
    private, public = folder / PRIVATE_NAME, folder / PUBLIC_NAME
    key = new_key()
    for path in (private, public):
        if path.exists():
            raise FormatError(Problem("already exists, and a key is never overwritten", place=os.fspath(path)))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_once(private, private_pem(key), 0o600)
        _write_once(public, public_pem(public_key(key)), 0o644)
    except OSError as error:
        raise FormatError(Problem(f"cannot be written: {error.strerror}", place=os.fspath(folder))) from None
    return private, public


def read_trusted(text: str) -> bytes:
    """A public key that a user names: 64 hexadecimal digits, or the path of a PEM file."""
    if _HEX.fullmatch(text):
        return read_public_key(text.encode())
    try:
        data = Path(text).read_bytes()
    except OSError as error:
        hint = "a key is a PEM file or 64 hexadecimal digits"
        raise FormatError(Problem(f"cannot be read: {error.strerror}", place=text, hint=hint)) from None
    with inside(text):
        return read_public_key(data)


def _file(workspace: Workspace, path: str) -> Key:
    data = workspace.watch.bytes(path)
    with inside(path):
        return Key(source="file", place=path, public_key=public_key(read_private_key(data)).hex())


def _environment(variable: str) -> Key:
    try:
        private = seeded(variable)
    except FormatError as error:
        raise PlanError(*error.problems) from None
    return Key(source="environment", place=variable, public_key=public_key(private).hex())


def _write_once(path: Path, data: bytes, mode: int) -> None:
    """Write a whole file under a name that is free; FileExistsError when it is not."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(handle, "wb") as stream:
            stream.write(data)
        os.chmod(temporary, mode)
        os.link(temporary, path)
    finally:
        os.unlink(temporary)
