"""What stops a plan or an action; every message is meant for the user and is shown without a traceback."""

from __future__ import annotations

from collections.abc import Iterable

from packyard.formats.errors import FormatError, Problem


class PlanError(FormatError):
    """The workspace cannot be turned into a plan: all problems found, in order."""


class UsageError(PlanError):
    """What a person wrote on the command line is wrong: it names nothing that exists, or asks for something
    impossible."""


class ActionError(Exception):
    """An action failed. `detail` is what a person needs to see below the message (a tool's last lines)."""

    def __init__(self, message: str, *, detail: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.hint = hint

    def __str__(self) -> str:
        lines = [self.message]
        if self.detail:
            lines.append(self.detail.rstrip("\n"))
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


def gather(errors: Iterable[FormatError]) -> None:
    """Raise one PlanError with the problems of all `errors`, each once, or return when there are none."""
    problems: dict[Problem, None] = {problem: None for error in errors for problem in error.problems}
    if problems:
        raise PlanError(*problems)
