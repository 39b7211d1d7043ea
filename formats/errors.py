"""What can be wrong with a text or a file, reported so that a person can fix it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    `place` is a file or artifact, `key` the spot inside it (`tool.flavor.slots[1].purpose`), either may be empty;
    `message` says what is wrong, quotes the value, and says what was expected.
    """

    message: str
    key: str = ""
    place: str = ""
    hint: str = ""

    def __str__(self) -> str:
        line = ": ".join(part for part in (self.place, self.key, self.message) if part)
        return f"{line}\n  hint: {self.hint}" if self.hint else line


class FormatError(Exception):
    """Everything that is wrong with one text: at least one problem, in the order found."""

    def __init__(self, *problems: Problem | str, hint: str = "") -> None:
        self.problems = tuple(Problem(p, hint=hint) if isinstance(p, str) else p for p in problems)
        super().__init__(*self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


@contextmanager
def inside(place: str) -> Iterator[None]:
    """Add `place` to every problem that leaves this block without a place of its own."""
    try:
        yield
    except FormatError as error:
        raise FormatError(*(replace(p, place=p.place or place) for p in error.problems)) from None
