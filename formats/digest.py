"""SHA-256 digests: the names of everything stored, shared, signed or published."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from packyard.formats.errors import FormatError
from packyard.formats.stream import Stream

_HEX = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A SHA-256; `str()` is `sha256:` and 64 lower-case hexadecimal digits."""

    hex: str

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Read `sha256:HEX` or bare `HEX`; FormatError for anything else."""
        digits = text.removeprefix("sha256:")
        if not _HEX.fullmatch(digits):
            raise FormatError(f"{text!r} is not a digest; expected sha256: and 64 hexadecimal digits")
        return cls(digits)

    @property
    def raw(self) -> bytes:
        """The 32 bytes."""
        return bytes.fromhex(self.hex)

    def __str__(self) -> str:
        return f"sha256:{self.hex}"


def digest_of(data: bytes) -> Digest:
    """The digest of bytes in memory."""
    return Digest(hashlib.sha256(data).hexdigest())


def read_sha256(text: str) -> str:
    """The hexadecimal digits of a digest as `Digest.parse` reads it."""
    return Digest.parse(text).hex


def digest_file(path: Path) -> Digest:
    """The digest of a file; OSError if it cannot be read."""
    with path.open("rb") as stream:
        return digest_stream(stream)


def digest_stream(stream: Stream) -> Digest:
    """The digest of the rest of a stream."""
    state = hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        state.update(chunk)
    return Digest(state.hexdigest())
