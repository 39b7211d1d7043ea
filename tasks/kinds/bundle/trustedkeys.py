"""The trust store: public keys that this user pinned, one PEM file each in `trusted-keys/` of the config folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packyard.formats.errors import FormatError, Problem, inside
from packyard.formats.naming import read_member_name
from packyard.formats.pspf import fingerprint, public_pem, read_public_key
from packyard.tasks.errors import UsageError
from packyard.tasks.host.atomic import replacing
from packyard.tasks.kinds.bundle.signing import config_folder, read_trusted

_SUFFIX = ".pub"


@dataclass(frozen=True, slots=True)
class Trusted:
    """A pinned key: the user's name for it, and its 32 raw bytes."""

    name: str
    public: bytes

    @property
    def fingerprint(self) -> str:
        """The hexadecimal SHA-256 of the key."""
        return fingerprint(self.public)


def folder() -> Path:
    """Where the keys lie."""
    return config_folder() / "trusted-keys"


def trusted() -> list[Trusted]:
    """All pinned keys by name; FormatError for a file that is none, because a key that is overlooked is no trust."""
    problems: list[Problem] = []
    found: list[Trusted] = []
    for path in sorted(_files()):
        try:
            with inside(os.fspath(path)):
                found.append(Trusted(path.name.removesuffix(_SUFFIX), read_public_key(path.read_bytes())))
        except OSError as error:
            problems.append(Problem(f"cannot be read: {error.strerror}", place=os.fspath(path)))
        except FormatError as error:
            problems.extend(error.problems)
    if problems:
        raise FormatError(*problems)
    return found


def add(text: str, name: str = "") -> Trusted:
    """Pin the key that `text` names (a PEM file, or 64 hexadecimal digits), under a name or its fingerprint's start.

    FormatError when it is no good key, or the name is another key's. Pinning a key again does nothing.
    """
    public = read_trusted(text)
    one = Trusted(read_member_name(name) if name else fingerprint(public)[:16], public)
    for other in trusted():
        if other.public == public:
            return other
        if other.name == one.name:
            raise FormatError(Problem(f"{name!r} is the name of another trusted key", hint="choose one with --name"))
    path = folder() / f"{one.name}{_SUFFIX}"
    try:
        folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        with replacing(path) as aside:
            aside.write_bytes(public_pem(public))
    except OSError as error:
        raise FormatError(Problem(f"cannot be written: {error.strerror}", place=os.fspath(path))) from None
    return one


def remove(text: str) -> Trusted:
    """Trust a key no more: `text` is its name, or the start of its fingerprint (8 digits or more).
    UsageError when that is none, or several."""
    known = trusted()
    found = [one for one in known if one.name == text] or [
        one for one in known if len(text) >= 8 and one.fingerprint.startswith(text.lower())
    ]
    if len(found) != 1:
        names = ", ".join(one.name for one in known) or "none"
        what = "matches several trusted keys" if found else "is not a trusted key"
        raise UsageError(Problem(f"{text!r} {what}", hint=f"there are: {names}"))
    path = folder() / f"{found[0].name}{_SUFFIX}"
    try:
        path.unlink()
    except OSError as error:
        raise FormatError(Problem(f"cannot be removed: {error.strerror}", place=os.fspath(path))) from None
    return found[0]


def _files() -> Iterator[Path]:
    if folder().is_dir():
        yield from (path for path in folder().iterdir() if path.name.endswith(_SUFFIX) and path.name[0] != ".")
