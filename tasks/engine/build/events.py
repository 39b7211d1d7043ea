"""What a run tells while it goes on, and what it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How a run ended. `seconds` is its length; `sizes` maps each artifact that was made to its size in bytes;
    `blocked` are targets not tried because something they need failed."""

    seconds: float
    outcomes: Sequence[Outcome]
    fresh: int
    sizes: dict[str, int]
    removed: Sequence[str] = ()
    blocked: Sequence[str] = ()

    def count(self, how: str) -> int:
        """How many targets came out like this."""
        return sum(outcome.how == how for outcome in self.outcomes)


class Display(Protocol):
    """The five events of a build. They may come from several threads, one at a time."""

    def begin(self, total: int) -> None:
        """A run of `total` targets starts."""

    def start(self, name: str) -> None:
        """A stale target is being made."""

    def end(self, outcome: Outcome) -> None:
        """A target is done."""

    def note(self, text: str) -> None:
        """Something the user should hear about."""

    def finish(self, summary: Summary) -> None:
        """The run is over."""

    def stop(self) -> None:
        """Leave the terminal in order, at once: the run was interrupted."""


How = Literal["fresh", "restored", "ran", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one target came out, in how many seconds; for a failure, what a person needs to see."""

    name: str
    how: How
    seconds: float
    artifacts: tuple[str, ...] = ()
    message: str = ""
