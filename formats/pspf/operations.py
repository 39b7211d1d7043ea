"""Operation chains: what was done to a slot's bytes, packed one operation per byte, the first in the lowest."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from packyard.formats.errors import FormatError

LONGEST_CHAIN: Final = 8


class Operation(IntEnum):
    """The operations the format defines; the two launchers carry out TAR and GZIP only."""

    TAR = 0x01
    GZIP = 0x10
    BZIP2 = 0x13
    XZ = 0x16
    ZSTD = 0x1B


Chain = tuple[Operation, ...]

RAW: Final[Chain] = ()
TGZ: Final[Chain] = (Operation.TAR, Operation.GZIP)

_NAMES: Final[dict[str, Chain]] = {
    "raw": RAW,
    "tar": (Operation.TAR,),
    "gzip": (Operation.GZIP,),
    "tgz": TGZ,
    "bzip2": (Operation.BZIP2,),
    "xz": (Operation.XZ,),
    "zstd": (Operation.ZSTD,),
    "tar.bz2": (Operation.TAR, Operation.BZIP2),
    "tar.xz": (Operation.TAR, Operation.XZ),
    "tar.zst": (Operation.TAR, Operation.ZSTD),
}
_ALIASES: Final = {"": "raw", "none": "raw", "tar.gz": "tgz", "tbz2": "tar.bz2", "txz": "tar.xz"}
_PORTABLE: Final = frozenset({Operation.TAR, Operation.GZIP})


def pack_chain(chain: Chain) -> int:
    """The 64-bit value of a chain: tar then gzip is 0x1001."""
    return sum(operation << 8 * position for position, operation in enumerate(chain))


def unpack_chain(packed: int) -> Chain:
    """The chain in a 64-bit value; FormatError for an unknown operation or bytes after the end."""
    codes = packed.to_bytes(LONGEST_CHAIN, "little").rstrip(b"\0")
    try:
        return tuple(Operation(code) for code in codes)
    except ValueError:
        raise FormatError(
            f"{packed:#x} is not an operation chain; expected tar 0x1, gzip 0x10, or tar then gzip 0x1001"
        ) from None


def read_chain(text: str) -> Chain:
    """The chain that a name in a manifest or in metadata means."""
    name = _ALIASES.get(text, text)
    if name not in _NAMES:
        raise FormatError(f"{text!r} is not an operation; expected raw, tar, gzip or tgz")
    return _NAMES[name]


def chain_name(chain: Chain) -> str:
    """The name of a chain as metadata spells it; unnamed chains are joined by '|'."""
    for name, known in _NAMES.items():
        if known == chain:
            return name
    return "|".join(operation.name.lower() for operation in chain)


def check_portable(chain: Chain) -> None:
    """Refuse what the stock launchers cannot undo: only raw, tar, gzip and tar then gzip run everywhere."""
    if not set(chain) <= _PORTABLE or len(chain) > 2 or chain == (Operation.GZIP, Operation.TAR):
        raise FormatError(f"{chain_name(chain)!r} cannot be unpacked by the launchers; use raw, tar, gzip or tgz")
