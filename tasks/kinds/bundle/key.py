"""A signing key: read from a file or made from a seed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from packyard.formats.errors import FormatError, Problem, inside
from packyard.formats.pspf.signature import (
    PrivateKey,
    key_from_seed,
    public_key,
    read_private_key,
)
from packyard.tasks.errors import ActionError
from packyard.tasks.target.target import Json

Key = Mapping[str, Json]  # 'source': file, environment or development; 'path' or 'variable'; 'public_key' in hex


def load_key(key: Key) -> PrivateKey:
    """The private key that the parameters describe; ActionError when it is not the planned one any more."""
    try:
        private = _seeded(key["variable"]) if key["source"] == "environment" else _read(Path(key["path"]))
    except FormatError as error:
        raise ActionError(f"no signing key: {error}") from None
    if public_key(private).hex() != key["public_key"]:
        raise ActionError(f"the signing key changed since the plan: {describe(key)} was expected", hint="run again")
    return private


def describe(key: Key) -> str:
    """The key for people, without a secret."""
    match key["source"]:
        case "environment":
            origin = f"the seed in {key['variable']}"
        case "development":
            origin = f"the development key {key['path']}"
        case _:
            origin = f"the key {key['path']}"
    return f"{origin} (public key {key['public_key'][:16]}...)"


def read_public_half(path: Path) -> bytes:
    """The raw public key that belongs to a private key file; FormatError when it is none."""
    return public_key(_read(path))


def _seeded(variable: str) -> PrivateKey:
    seed = os.environ.get(variable)
    if not seed:
        state = "is not set" if seed is None else "is empty"
        raise FormatError(Problem(f"{state}, the seed of the signing key was expected", place=variable))
    try:
        return key_from_seed(seed)
    except UnicodeEncodeError:
        raise FormatError(Problem("is not UTF-8", place=variable)) from None


def _read(path: Path) -> PrivateKey:
    with inside(os.fspath(path)):
        try:
            return read_private_key(path.read_bytes())
        except OSError as error:
            raise FormatError(f"cannot be read: {error.strerror}") from None
