"""How a command ends: its exit status, and what is wrong on standard error."""

from __future__ import annotations

import sys

from packyard.formats.errors import FormatError
from packyard.tasks.errors import ActionError, UsageError

ERRORS, USAGE, INTERRUPTED = 1, 2, 130


def complain(error: FormatError | ActionError) -> int:
    """Say what is wrong on standard error; the exit status for it."""
    problems = error.problems if isinstance(error, FormatError) else (error,)
    for problem in problems:
        sys.stderr.write(f"error: {problem}\n")
    return USAGE if isinstance(error, UsageError) else ERRORS
