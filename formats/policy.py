"""Where a bundle agrees to start: the same words in a manifest and in the signed metadata."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`platforms` () is every one. `max_age_days` counts from the time of the build and is None is forever."""

    platforms: tuple[str, ...] = ()
    refuse_root: bool = False
    max_age_days: int | None = None
    require_env: tuple[str, ...] = ()
