"""How actions pack what they make: one time and one compressor, so that the same files give the same bytes."""

from __future__ import annotations

from dataclasses import dataclass

from packyard.formats.archive.gzipped import COMPRESSOR, LEVELS
from packyard.tasks.target.params import Params


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """The time of archived files (`epoch`, in seconds), and the compressor, whose name, version and `level` decide the
    bytes."""

    epoch: int
    compressor: str = COMPRESSOR
    level: int

    @classmethod
    def of(cls, profile: str, *, epoch: int) -> Packing:
        """By profile: 'fast' for everyday builds, 'small' for releases."""
        return cls(epoch=epoch, level=LEVELS[profile])


@dataclass(frozen=True, slots=True, kw_only=True)
class PackingParams(Params):
    """The parameters of an action that packs what it makes."""

    packing: Packing

    @property
    def epoch(self) -> int:
        """The SOURCE_DATE_EPOCH of its tools: what they write gets the time of the archive."""
        return self.packing.epoch
