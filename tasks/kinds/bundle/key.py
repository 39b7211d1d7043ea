"""A signing key: read from a file or made from a seed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from packyard.formats.errors import FormatError, Problem, inside
from packyard.formats.pspf.signature import (
    PrivateKey,
    key_from_seed,
    public_key,
    read_private_key,
)
from packyard.tasks.errors import ActionError


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key that signs, with nothing secret: `place` is the path of its file, or the variable of the environment that
    holds its seed. `public_key` is in hexadecimal."""

    source: Literal["file", "environment", "development"]
    place: str
    public_key: str


def load_key(key: Key) -> PrivateKey:
    """The private key that `key` describes; ActionError when it is not the planned one any more."""
    try:
        private = seeded(key.place) if key.source == "environment" else _read(Path(key.place))
    except FormatError as error:
        raise ActionError(f"no signing key: {error}") from None
    if public_key(private).hex() != key.public_key:
        raise ActionError(f"the signing key changed since the plan; expected {describe(key)}", hint="run again")
    return private


def describe(key: Key) -> str:
    """The key for people, without a secret."""
    match key.source:
        case "environment":
            origin = f"the seed in {key.place}"
        case "development":
            origin = f"the development key {key.place}"
        case _:
            origin = f"the key {key.place}"
    return f"{origin} (public key {key.public_key[:16]}...)"


def read_public_half(path: Path) -> bytes:
    """The raw public key that belongs to a private key file; FormatError when it is none."""
    return public_key(_read(path))


def seeded(variable: str) -> PrivateKey:
    """The private key of the seed in a variable of the environment; FormatError when there is none."""
    seed = os.environ.get(variable)
    if not seed:
        state = "is not set" if seed is None else "is empty"
        raise FormatError(Problem(f"{state}; expected the seed of the signing key", place=variable))
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
